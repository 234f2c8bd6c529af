package spi

import (
	"testing"
	"unsafe"
)

// What the kernel reads is 32 bytes on every machine, and is told so in the request's number.
func TestTransferIsLaidOutAsTheKernelReadsIt(t *testing.T) {
	var x transfer
	if n, told := unsafe.Sizeof(x), uintptr(requestMessage>>16&0x3FFF); n != 32 || told != n {
		t.Errorf("%d bytes, the request says %d", n, told)
	}
	if unsafe.Offsetof(x.rx) != 8 || unsafe.Offsetof(x.length) != 16 || unsafe.Offsetof(x.delay) != 24 || unsafe.Offsetof(x.wordDelay) != 30 {
		t.Error("fields are not where the kernel looks for them")
	}
}
