package layout

import (
	"testing"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
)

type thing struct {
	name  string
	parts []thing
}

var things = Part{
	Size: unsafe.Sizeof(thing{}),
	Grow: func(list unsafe.Pointer) { l := (*[]thing)(list); *l = append(*l, make([]thing, 1)...) },
}

// TestLists: what reads the head of any list sees what the compiler sees.
func TestLists(t *testing.T) {
	m := Member{Kind: Nested, Part: &things}
	x := make([]thing, 3, 4)
	p := unsafe.Pointer(&x)
	if length(p) != 3 || element(p, 2, things.Size) != unsafe.Pointer(&x[2]) {
		t.Errorf("length %d, element 2 at %p, want %p", length(p), element(p, 2, things.Size), &x[2])
	}
	x[:4][3].name = "kept"
	if e := m.lengthen(p); len(x) != 4 || e != unsafe.Pointer(&x[3]) || x[3].name != "kept" {
		t.Error("grow within the capacity")
	}
	if e := m.lengthen(p); len(x) != 5 || e != unsafe.Pointer(&x[4]) || x[3].name != "kept" || x[4].name != "" {
		t.Error("grow beyond the capacity")
	}
}

// TestListsOfValues grows the lists whose elements are no structs, far enough to be moved several times.
func TestListsOfValues(t *testing.T) {
	var (
		texts   []string
		wholes  []int
		numbers []rpc.Decimal
	)
	for i := range 100 {
		*(*string)((&Member{Kind: Name}).lengthen(unsafe.Pointer(&texts))) = string(rune('0' + i))
		*(*int)((&Member{Kind: Whole}).lengthen(unsafe.Pointer(&wholes))) = i
		*(*rpc.Decimal)((&Member{Kind: Tenths}).lengthen(unsafe.Pointer(&numbers))) = rpc.Scaled(int64(i), -1)
	}
	for i := range 100 {
		if texts[i] != string(rune('0'+i)) || wholes[i] != i || numbers[i] != rpc.Scaled(int64(i), -1) {
			t.Fatalf("element %d: %q %d %v", i, texts[i], wholes[i], numbers[i])
		}
	}
}
