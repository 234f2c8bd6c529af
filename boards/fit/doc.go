// Package fit opens the devices of a board that belong to the station's process: meters, readers, lights, fans, a display,
// thermometers that derate, the relay of a grid operator. What the guard drives is none of it.
//
//	board ──► Open ──► Fitted ──meters, lights──► station
//	                     │ Run ──tokens, faults, limits as station events──► core
//	   Kernel: Linux, or a bench
//
// Nothing that is missing or fails keeps the rest from working. It is told once, as a fault of its EVSE or of the station with
// the device's name, asked for again, and the fault ends by itself once the device works.
package fit
