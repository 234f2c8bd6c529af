// Package spi speaks to chips on the kernel's SPI buses (/dev/spidevB.C).
//
// A Device is one chip select with one owner goroutine. The kernel lets the chips of a bus take turns, and ends no
// transfer early: a caller whose deadline has come does not wait for it. A device that goes away fails its transfers
// with ErrUnplugged and is opened again when it is back.
package spi
