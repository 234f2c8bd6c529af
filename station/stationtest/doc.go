// Package stationtest runs a station.Station in a small world under virtual time, for tests: an obedient guard with
// simple cars, meters that integrate what flows, a store that loses what was not synced, and a CSMS that answers by
// itself or as told. A Bench is driven by lines of text, and what the station does comes back as text, so that a
// scenario reads as a dialogue:
//
//	plug 1.1
//	swipe ALICE
//	----
//	    0.025 < pilot 1.1 B
//	    0.025   permit 1.1 ...
//
// Every step is held against the invariants of a charging station (check.go). The package is pure: it starts no
// goroutine and reads no clock.
package stationtest
