// Package faultnet is a network within the process, and everything that can be wrong with it: wires that are slow, deaf,
// mute, cut or torn at any byte, and servers that refuse, hang up, say nothing or answer in the wrong order. It works on
// net.Conn and http.Handler alone and takes its time from package time, so that it serves real sockets and bubbles of
// virtual time (testing/synctest) alike.
//
//	station ── Network.Dial ── Wire ── net.Pipe ── Network.Accept ── http.Server ── a CSMS, or one of the handlers here
package faultnet
