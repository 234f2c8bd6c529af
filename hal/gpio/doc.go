// Package gpio drives and reads lines by their names, over the kernel's character devices (GPIO uAPI version 2, Linux 5.10).
//
//	Chips --index: name -> chip, offset--> request (exclusive, consumer "evsed") --> Line: Set | Get, Drain
//
// A name that no line or more than one has is an error that says what there is. A line that somebody else holds is waited for as
// long as Chips has patience, and then an error that says who.
//
// What a Line does neither allocates nor waits, for it is the guard that does it: the kernel answers from its own memory or
// registers. A line of an expander behind I2C is the exception that a board's maker chooses: each look at it is a transfer.
package gpio
