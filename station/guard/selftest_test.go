package guard_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/guard"
)

// selfTester is a residual-current device that notes when it may test itself.
type selfTester struct {
	hal.ResidualCurrentDevice
	idle, busy bool
	calls      int
	rests      int
	err        error
}

func (s *selfTester) SelfTest(idle bool) bool {
	s.idle, s.calls = idle, s.calls+1
	return s.busy && idle
}
func (s *selfTester) Rest() error { s.rests++; return s.err }

// TestSelfTestOnlyWithoutVehicle: a device may test itself while nothing is plugged in and nothing closed, and then the cycles are
// short; with the guard's end its test line is let go.
func TestSelfTestOnlyWithoutVehicle(t *testing.T) {
	tester := &selfTester{err: errors.New("stuck")}
	b := newBench(t, func(c *guard.Config) {
		tester.ResidualCurrentDevice = c.Connectors[0].RCD
		c.Connectors[0].RCD = tester
	})
	count := func(d time.Duration) int {
		before := tester.calls
		b.run(d)
		return tester.calls - before
	}
	if n := count(time.Second); !tester.idle || n > 25 {
		t.Errorf("idle %v, %d cycles in a second of nothing", tester.idle, n)
	}
	tester.busy = true
	if n := count(time.Second); n < 150 {
		t.Errorf("%d cycles in a second of testing", n)
	}
	b.charge(cable)
	if tester.idle {
		t.Error("a test may begin while a car charges")
	}
	b.permit(cable, 0)
	b.wantRelay(cable, false, 10*time.Second)
	b.run(time.Second)
	if tester.idle {
		t.Error("a test may begin with a car plugged in")
	}
	rests := tester.rests
	if err := b.g.Stop(); !errors.Is(err, tester.err) || tester.rests != rests+1 {
		t.Errorf("%v, let go %d times", err, tester.rests-rests)
	}
}
