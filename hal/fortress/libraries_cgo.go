//go:build cgo

package fortress

// libraries are where a program that is linked with C finds its libraries when it is started: programs of tests, for the
// product is not.
var libraries = []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"}
