// Package gates has no code: its tests prove that the scripts behind make
// check refuse what they must refuse.
package gates
