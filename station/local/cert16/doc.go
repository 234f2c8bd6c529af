// Package cert16 plays the certification cases for charge points of OCPP 1.6 against a whole station, from outside: frames
// of OCPP-J on one side, the simulator interface (plug, card, fault, network, power) on the other. It has tests alone.
//
// The cases are written from their titles, the specification and its errata; docs/conformance/ocpp16.md lists all of them,
// with the test of each, and with the reason where the station does not have what the case is about: there the test shows
// that it says so.
//
// A station lives in a bubble of virtual time: what it waits for costs nothing. The Central System of a case answers as one
// does that agrees; a case changes the answers that it is about. Each message of the station is decoded strictly, and the
// statuses of a connector are read one by one in their order: one that a case does not expect fails it.
package cert16
