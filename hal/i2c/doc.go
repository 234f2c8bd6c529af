// Package i2c speaks to chips on the kernel's I2C buses (/dev/i2c-N).
//
// A Bus has one owner goroutine: transfers of several chips' drivers follow each other and never mix. Each transfer
// has the deadline of its context; a chip that stretches the clock for ever is ended by the kernel after Config.Within,
// and a caller whose deadline came first does not wait for that.
//
// An adapter that is pulled out (a USB one) fails its transfers with ErrUnplugged and is opened again when it is back.
package i2c
