// Package parts makes the guard's devices of what a line table lists: a control pilot of a PWM channel and two converters, a
// contactor of two drives and four mirror contacts, a lock of a motor and a switch.
//
//	line table --[]hal.Part--> Open(kernel, parts) --> a device of hal: ControlPilot, Contactor, Lock ...
//	                                |
//	                             Kernel: Linux, or a bench
//
// No method of a device waits or allocates: what takes time (a motor's pulse, a self-test) is begun in one cycle of the guard and
// ended in a later one. An input that cannot be read is an error, and what contradicts itself is one too: the guard takes either
// for the unsafe side.
package parts
