// Package dcbm reads LEM's meters for DC, DCBM 400 and 600, over HTTP, and lets them sign what they counted.
//
// The meter counts a transaction between Start and Stop; what it signed is a record of package ocmf, carried as it came.
// A transaction that is still open from before is ended by the next Start.
//
// Source: LEM, DCBM 400/600 communication protocols, REST interface version 1.
package dcbm
