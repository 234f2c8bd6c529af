//go:build !cgo

package fortress

var libraries []string // a program of one file needs none
