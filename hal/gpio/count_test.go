package gpio

import (
	"testing"
	"unsafe"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

func TestCountKnowsEdgesThatTheKernelHadNoRoomFor(t *testing.T) {
	a, _ := board()
	c := chipsOf(t, a)
	in, err := c.Input(Spec{Name: "RELAY_1_SENSE", Edges: true})
	if err != nil {
		t.Fatal(err)
	}
	counter := in.(Counter)
	if n := counter.Count(); n != 0 {
		t.Errorf("%d edges of a line that stands", n)
	}
	for _, seq := range []uint32{1, 2, 3, 20, 21} {
		e := uapi.LineEvent{Timestamp: uint64(seq), LineSeqno: seq}
		if _, err := unix.Write(a.pipe[1], unsafe.Slice((*byte)(unsafe.Pointer(&e)), unsafe.Sizeof(e))); err != nil {
			t.Fatal(err)
		}
	}
	if n := counter.Count(); n != 21 {
		t.Errorf("%d edges, want 21", n)
	}
	if n := counter.Count(); n != 21 {
		t.Errorf("%d edges without another one, want 21", n)
	}
}
