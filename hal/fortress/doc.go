// Package fortress takes away from a running process what it will not need any more, so that who takes the process over
// gains little: the rest of the file system, other processes, the kernel's rarer doors, and privileges.
//
//	Confine:  no core files -> bounding set -> no new privileges -> landlock -> capabilities -> no new code -> seccomp
//
// Each layer is asked of the kernel, and the Report says which of them hold: a kernel of 2018 has fewer than one of today, and a
// station runs on both. What a process has open it keeps. Nothing is ever given back: Confine is called once, when everything
// is open, and what the process starts afterwards is confined as well.
//
// Two filters of system calls exist. That of the agent refuses what no charging station has any business with (Agent); a
// complete list of what it may call would break with the next version of Go or of a kernel, in the field. That of the guard,
// which does a dozen things for years, allows those and nothing else (Guard). What is refused returns EPERM, or ENOSYS where
// a runtime is to take its older way: a station that is attacked goes on charging. Only a system call of another
// architecture ends the process, for no honest code makes one.
package fortress
