// Package model is the device model of the station: every component and variable that a CSMS can read, set and
// report, and the only place where configuration lives (OCPP 2.0.1 part 1 chapter 4, part 2 use cases B05 to B08).
//
// One table of rows says what exists: name, type, limits, default, mutability and who reads the value. A row is
// addressed in two ways. Code uses its ID and the typed accessors:
//
//	timeout := m.Duration(model.EVConnectionTimeOut)
//
// A CSMS, a seed file and the fitter use its names, through Set, Get, Override and the reports. What the station
// knows better than any memory (availability, clock, entries of a list) is not stored: the owner computes it, see
// Live.
//
// The package is pure. A write returns Changes; the caller makes them durable and replays them with Restore.
package model
