// Package mcu drives a safety controller that owns the pilot, the contactor and what else its board gives it, over a
// small framed protocol on a serial line (docs/mcu.md has it byte by byte, docs/design/0030-mcu.md the reasons).
//
//	guard's cycle:  Connector.Sample -> read the line -> newest status
//	                Connector.Set, SetDuty, SetLocked -> the permit, whole, at once and again with every beat
//
// What the two say to each other are levels: every frame is whole, says all, and replaces the one before, so that a
// lost frame delays and never falsifies. Each end falls to its safe side by itself when the other is silent.
//
// A driver neither blocks nor allocates once it is open; its methods belong to one goroutine, the guard's.
package mcu
