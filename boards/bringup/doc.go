// Package bringup takes a new board into service, step by step, with a person at it: what can be measured is measured, what
// needs a scope is asked for, and all of it is stored as it is found. It goes on where it was left, over a power cut too,
// and ends in a report.
//
//	names -> inputs -> proximity -> pilot's levels, frequency, duty -> states A B C E, diode, earth -> contactors' times
//	  -> C to B opening time -> fault-current device, lock, temperature, meter -> power cut -> report
//
// It moves contacts, so it keeps the interlocks of a fitter's commands: nothing is plugged for 2 s before a contactor is
// tested, a pulse is at most 2 s long, and 10 s lie between two. No answer skips one.
package bringup
