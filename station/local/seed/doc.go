// Package seed reads the file that a simulated station is born with: who it is, which CSMS it calls, what it is made
// of, and which variables differ from their defaults. It is read once, while the state directory is empty.
//
// The format is station-seed/1: strict JSON, where a key that is not known is an error. A part that is missing has a
// default; csms[0].url alone makes a station. Certificates and keys lie in files of their own, which Security.Load
// reads. What this build does not have (ISO 15118, DC) is refused: a station that is asked for what it has not would be
// a lie. An error is one line that names file, place, field and cure:
//
//	seed.json:7:3: evses[0].phases: 2: want 1 or 3
package seed
