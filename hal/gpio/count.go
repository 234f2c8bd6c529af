package gpio

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counter is an Input that counts its edges: what turns past it.
type Counter interface {
	// Count returns how many edges there have been since the line was opened, modulo 2^32, those included that nobody
	// has looked at in time. It does not wait, and takes the place of Drain.
	Count() uint32
}

// Count counts the line's edges. The kernel numbers them, so those that its buffer had no room for are not missed.
func (l *Line) Count() uint32 {
	buffer := unsafe.Slice((*byte)(unsafe.Pointer(&l.events)), unsafe.Sizeof(l.events))
	for range drainMost {
		n, err := unix.Read(l.fd, buffer)
		if err != nil || n <= 0 {
			break
		}
		if k := n / int(unsafe.Sizeof(l.events[0])); k > 0 {
			l.seq = l.events[k-1].LineSeqno
		}
		if n < len(buffer) {
			break
		}
	}
	return l.seq
}
