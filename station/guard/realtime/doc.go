// Package realtime runs a guard as a process of its own: the same binary, re-executed.
//
//	agent                                     guard (evsed guard)
//	Start --socket as fd 3, table as fd 4-->  Run: table -> lock lines -> safe state -> realtime -> cycles
//	guard.Remote <----- frames ----->         guard.SocketLink
//	dies, closes, or sends garbage            opens everything, ends
//	falls silent                              permits end by the guard's own deadline
//
// A Keeper does the agent's part of this: it starts or calls a guard, notices one that is gone or hangs, and goes on with the
// next.
//
// With Options.Listen the guard is a unit of its own instead: it outlives agents, holds what one had permitted for at most
// the table's Hold, and tells the next one everything.
//
// One thread does all the work: it is locked to the loop, the process has one processor for Go code, its collector is off,
// its memory stays in RAM, and where the kernel allows it all threads are SCHED_FIFO. All threads, since the loop's one may
// need a lock of Go's runtime that another holds.
package realtime
