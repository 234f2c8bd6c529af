// Package virtual is a whole charging station in the simulated world: halsim for the wires, the guard, the loop,
// storage on real files and a real link to a CSMS. It is what `evsed run --seed` starts, what the demo shows, and what
// tests pull the plug of.
//
// The world outlives the station: a power cut ends everything in a life (guard, loop, link, storage) and leaves cars
// plugged and registers standing; the next life begins from what is on flash.
package virtual
