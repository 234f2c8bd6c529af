// Package boards reads board files: which wires a charging station has, what is at their ends and how far each may be
// used. A manufacturer describes a board in one file and has a station, without writing Go.
//
//	board.yaml ─┐
//	product.yaml├─ yaml.Node ─ table of keys ─ values with a place ─ merge (only tighter) ─ Board ─ rules ─ Findings
//	site.yaml  ─┘                                                                           │
//	                                             guard.Table, station.EVSE, limits  ◀───────┘
//
// One table of keys (keys.go and its neighbours) is the reader, the JSON Schema for editors and the reference in
// docs/boards.md. Nothing is accepted and ignored: a key that nobody honours is not in the table.
package boards
