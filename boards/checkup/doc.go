// Package checkup opens each device at a bus of a board once and says what it answers: meters, insulation monitors, power
// modules and the interface of a modem, of EVSEs that this build does not charge at, too. It drives no contactor; power modules
// are told to be off, which is all that they are told. What is at an address of another machine is asked only if that is wanted.
//
//	board ──► Run ──► a Result for each device ──► text, and how many failed
//	           │
//	         Kernel: Linux, or lines in memory
package checkup
