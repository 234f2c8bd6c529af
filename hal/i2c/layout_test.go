package i2c

import (
	"testing"
	"unsafe"
)

// A message is three 16-bit numbers and a pointer, at its own boundary.
func TestMessageIsLaidOutAsTheKernelReadsIt(t *testing.T) {
	var m message
	word := unsafe.Sizeof(uintptr(0))
	if unsafe.Offsetof(m.buffer) != 8 || unsafe.Sizeof(m) != 8+word || unsafe.Sizeof(messages{}) != 2*word {
		t.Errorf("buffer at %d, %d bytes, %d in all", unsafe.Offsetof(m.buffer), unsafe.Sizeof(m), unsafe.Sizeof(messages{}))
	}
}
