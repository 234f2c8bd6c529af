// Package station is what a charging station does: a pure state machine. It opens no file, dials nobody and reads
// no clock. Step takes one Event and the monotonic time and returns an Output that its runner carries out in order.
//
//	             Event                         Output
//	guard   ──►  PilotChanged …   ┌──────┐  1  Cut        ──► guard   less power never waits
//	reader  ──►  TokenRead        │      │  2  Records    ──► storage
//	meter   ──►  MeterRead        │ Step │  3  Permits    ──► guard   once 2 is durable
//	link    ──►  RequestReceived  │      │  4  Reports    ──► link    once 2 is durable
//	        ──►  ReplyReceived    │      │     Responses  ──► link    once 2 is durable
//	clock   ──►  nil              └──────┘  5  Commands   ──► run
//
// The vocabulary of Events, Reports, Requests, Responses and Commands is closed: sealed interfaces, one file each.
// Its words are those of OCPP 2.1; no wire format shows here. A restart is the replay of the Records into a fresh
// Station.
package station
