// Package secrets searches the source and the shipped binary for what must never be in either: private keys, and credentials
// that would be the same in every station.
package secrets
