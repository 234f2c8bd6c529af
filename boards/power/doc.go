// Package power opens what a board file says of a DC output: its power modules, its insulation monitor, and the limits
// of the sequence that lets it become live. It charges nobody: the conversation with a vehicle that would drive the
// sequence is not part of this build.
package power
