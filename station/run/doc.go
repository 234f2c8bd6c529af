// Package run drives a station: it takes events to the core's Step and carries its Output out in order.
//
//	guard, meters, reader, link, console ──► events ──► Runner.Handle ──► Step
//	                                                       │
//	     Cut ──► guard at once        Records ──► journal ─┤ durable up to n
//	                                                       ▼
//	                            Permits ──► guard   Responses, Reports ──► link   Commands ──► board, host
//
// A Runner has no goroutine and no clock, so that a simulation can step it; Loop is the goroutine that owns one in the
// product. What waits for the journal never holds up what takes power away.
package run
