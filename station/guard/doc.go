// Package guard owns every contactor, pilot generator and lock of a station. It runs one iec61851.Machine per
// connector over the interfaces of hal, and talks to the station in fixed-size frames over a Link: permits, meter
// summaries and heartbeats come in, the newest status of each connector goes out.
//
//	every cycle:  Link.Receive* -> read wires -> Machine.Step -> drive wires (openings first) -> Link.Send
//
// The guard never waits: a link that takes nothing is offered the newest status again in the next cycle, a station
// that says nothing for too long loses its permits, a device that fails opens its connector. It allocates nothing
// after New, so that it can run in a process of its own without a garbage collector. It asserts the safe state
// before anything else.
//
// Within one process the Link is a Pipe. Between two it is a SocketLink at the guard's end and a Remote at the station's
// (station/guard/realtime runs that guard), and a Table says what the guard drives.
package guard
