// Package mcusim is the reference controller of the protocol of package mcu: what a manufacturer's firmware has to do,
// as a pure machine, and a line to it that can be cut, disturbed and listened to.
//
//	agent's bytes --> MCU.Step(now) --> bytes for the agent
//	                     |  ^
//	            drives   v  |  reads
//	             hal.Devices of each connector: the simulated world, or a test's own
//
// It is written for reading rather than for a controller's memory: docs/mcu.md refers to it where words are not exact
// enough.
package mcusim
