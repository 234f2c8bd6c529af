// Package floors keeps the shape of the house: which package stands on which
// floor, what a floor may import, where clocks, goroutines and processes may
// start, and how long a file may grow. The rules are data in table.go, the
// reading is syntax only (no build is needed, so a package that does not
// compile for this machine is checked too), and the test of this package runs
// them over the whole tree.
//
// The same test holds the golden list of linked modules, scripts/deps.txt: a
// new dependency is a line in review.
package floors
