// Package cert2 plays test cases of OCPP 2.0.1, part 6, for charging stations against a whole station, from outside, in 2.0.1
// and in 2.1. It has tests alone; the stage is package cases.
//
// The cases are written from part 6, where its steps are clear, and from the requirements that it names;
// docs/conformance/cases2.md lists those of the blocks that are here, with the test of each, and with the reason where the
// station does not have what the case is about.
package cert2
