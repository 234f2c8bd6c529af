// Package simlines is the simulated board seen through lines that another process can drive: shared memory, with the world
// on one side and a guard process on the other.
//
//	agent: halsim <--Serve--> shared memory <--Board--> guard process
//	               samples -->              --> samples
//	               <-- coils, duty, locks, pets <--
//
// Every access is one atomic word. Neither side can hold the other up, and a side that is killed or stopped leaves the
// other with the newest levels, as a real board would: a coil is what the guard told it last, whatever became of the world.
//
// Memory that is all zero is a board without a world: its pilots fail until a world serves them. So either side may come
// first.
package simlines
