package rpc

import (
	"fmt"
	"testing"
)

// TestSlotsFindAll finds every name of sets that the hash can and cannot tell apart, and nothing else.
func TestSlotsFindAll(t *testing.T) {
	for _, size := range []int{0, 1, 2, 3, 17, 64} {
		for _, form := range []string{"%02d", "the same length, first and last: %02d and on it goes until nothing tells it from the others"} {
			var e Enum
			for i := range size {
				e.Names = append(e.Names, fmt.Sprintf(form, i))
			}
			e.Slots, e.Hash = Slots(e.Names, 0b1001)
			e.Known[1] = 1<<size - 1
			for i, name := range e.Names {
				if got := e.find(name); got != i {
					t.Errorf("%q of %d: found at %d, want %d", name, size, got, i)
				}
				same(t, fmt.Sprintf("%q", name), func(w *Writer) { w.Enum(`"`, name, &e) })
			}
			for _, name := range []string{"", "x", fmt.Sprintf(form, size), fmt.Sprintf(form, 0) + "0"} {
				var w Writer
				w.Begin(nil, V21)
				w.Enum(`"`, name, &e)
				if _, err := w.End(); e.find(name) != -1 || err == nil {
					t.Errorf("%q of %d: found", name, size)
				}
			}
		}
	}
}
