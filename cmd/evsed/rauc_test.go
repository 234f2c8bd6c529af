package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/evsed/evsed/station/local/virtual"
)

// With RAUC the end of the station for another system is the exit code that asks for a reboot; without, and for any other end,
// it is what it was.
func TestLeavingForAnotherSystem(t *testing.T) {
	leave, other := fmt.Errorf("run: %w", virtual.ErrLeave), errors.New("disk")
	for _, row := range []struct {
		slots     string
		err, want error
	}{
		{"rauc:", leave, errRestart}, {"rauc:", other, other}, {"rauc:", nil, nil}, {"", leave, virtual.ErrLeave},
	} {
		if got := (runOptions{slots: row.slots}).left(row.err); !errors.Is(got, row.want) {
			t.Errorf("%q, %v: %v", row.slots, row.err, got)
		}
	}
}
