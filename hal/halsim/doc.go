// Package halsim is a simulated world for a station: boards, cables, cars, meters and the grid as physics, behind the
// interfaces of hal. What a test wants to happen is done to the world (a cable is pulled, a resistor is shorted); what
// the station makes of it, the station has to find out by measuring.
//
// The world has no goroutine and no timer. It stands at an instant; every access first moves it to the instant that
// the clock gives. Between two events (a contact lands, S2 closes, a car reacts) everything is constant, except that
// a flowing current is computed anew every tick; so what happens does not depend on how often it is looked at.
//
//	generator --1 kOhm--+-- cable --diode--+-- 2740 Ohm            the pilot: High and Low are what stands here
//	                    |                  +-- S2 -- 1300 | 270 Ohm
//	grid -- contactor --+-- cable -- charger -- battery            the meter integrates what flows here
//
// Floating point is allowed here, and only here: values leave as quantities of hal/unit.
package halsim
