// Package cases is the stage on which certification cases are played against a whole station, from outside: frames of OCPP-J
// on one side, the simulator interface (plug, card, fault, network, power) on the other. It is for tests.
//
// A station lives in a bubble of virtual time: what it waits for costs nothing. The CSMS of a case answers as one does that
// agrees; a case changes the answers that it is about. Each message of the station is decoded strictly, in the words of its
// version, and the statuses of a connector are read one by one in their order: one that a case does not expect fails it.
//
// The CSMS listens with TLS and without on one address, takes the files that a station puts, and has files for it to get.
//
// Where EVSED_FRAMES names a folder, each case leaves its frames there, a line of JSON each, so that others can hold them
// against the schemas themselves.
package cases
