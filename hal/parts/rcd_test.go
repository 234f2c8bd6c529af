package parts

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
)

// tested is a residual-current device under test: it answers its test line after delay.
type tested struct {
	t     *testing.T
	m     *memory
	r     *rcd
	delay time.Duration // negative: never
	idle  bool
	asked time.Time
}

func newTested(t *testing.T) *tested {
	t.Helper()
	m := newMemory()
	r := open[*rcd](t, m, in(hal.RoleRCDFault, "FAULT"), out(hal.RoleRCDTest, "TEST", 100, 86400))
	return &tested{t: t, m: m, r: r, delay: 20 * time.Millisecond, idle: true}
}

// run lets d pass in cycles of 5 ms. What Tripped says in each goes to seen.
func (x *tested) run(d time.Duration) (tripped bool, tests int) {
	x.t.Helper()
	for end := x.m.now.Add(d); x.m.now.Before(end); x.m.pass(5 * time.Millisecond) {
		was := x.m.line("TEST").on
		x.r.SelfTest(x.idle)
		switch on := x.m.line("TEST").on; {
		case on && !was:
			tests++
			x.asked = x.m.now
		case !on:
			x.asked = time.Time{}
		}
		if x.delay >= 0 {
			x.m.line("FAULT").on = !x.asked.IsZero() && x.m.now.Sub(x.asked) >= x.delay
		}
		on, err := x.r.Tripped()
		if err != nil {
			x.t.Fatal(err)
		}
		tripped = tripped || on
	}
	return tripped, tests
}

// TestSelfTest: once after the start and once a day, unseen.
func TestSelfTest(t *testing.T) {
	x := newTested(t)
	if tripped, tests := x.run(restBeforeTest); tripped || tests != 0 {
		t.Errorf("tripped %v, %d tests too early", tripped, tests)
	}
	if tripped, tests := x.run(time.Minute); tripped || tests != 1 {
		t.Errorf("tripped %v, %d tests", tripped, tests)
	}
	x.m.pass(24 * time.Hour)
	if tripped, tests := x.run(time.Minute); tripped || tests != 1 {
		t.Errorf("tripped %v, %d tests on the next day", tripped, tests)
	}
}

// TestSelfTestFails: a device that does not trip counts as tripped until it has passed a test.
func TestSelfTestFails(t *testing.T) {
	for name, delay := range map[string]time.Duration{"never": -1, "too late": 150 * time.Millisecond} {
		x := newTested(t)
		x.delay = delay
		if tripped, tests := x.run(10 * time.Second); !tripped || tests != 1 {
			t.Errorf("%s: tripped %v, %d tests", name, tripped, tests)
		}
		x.delay = 20 * time.Millisecond
		x.run(testAgain)
		if tripped, _ := x.run(time.Second); tripped {
			t.Errorf("%s: still tripped after a test that passed", name)
		}
	}
}

// TestSelfTestOfALateGuard: a guard that looks too late does not blame the device, but for a few times.
func TestSelfTestOfALateGuard(t *testing.T) {
	for _, times := range []int{1, maxUntold, maxUntold + 1} {
		x := newTested(t)
		tripped := false
		for range times {
			for n := 0; !x.m.line("TEST").on && n < 10_000; n++ {
				x.run(5 * time.Millisecond)
			}
			x.m.pass(300 * time.Millisecond)
			x.m.line("FAULT").on = true
			x.r.SelfTest(true)
			on, _ := x.r.Tripped()
			tripped = tripped || on
		}
		if want := times > maxUntold; tripped != want {
			t.Errorf("late %d times: tripped %v", times, tripped)
		}
		if on, _ := x.run(3 * time.Second); on && times <= maxUntold {
			t.Errorf("late %d times: tripped once it is in time", times)
		}
	}
}

// TestSelfTestOnlyWhileIdle: none begins with a plug in, and one under way is broken off.
func TestSelfTestOnlyWhileIdle(t *testing.T) {
	x := newTested(t)
	x.idle = false
	if _, tests := x.run(time.Minute); tests != 0 {
		t.Errorf("%d tests with a vehicle plugged in", tests)
	}
	x.idle, x.delay = true, -1
	x.run(restBeforeTest + 20*time.Millisecond)
	if !x.m.line("TEST").on {
		t.Fatal("no test")
	}
	x.idle = false
	if tripped, _ := x.run(10 * time.Millisecond); tripped || x.m.line("TEST").on {
		t.Errorf("tripped %v, test line %v after somebody has plugged in", tripped, x.m.line("TEST").on)
	}
	x.m.line("FAULT").on = true
	x.run(restAfterTest + 10*time.Millisecond)
	if tripped, _ := x.run(5 * time.Millisecond); !tripped {
		t.Error("a fault current was taken for what a test has left")
	}
}

// TestTripsAreSeen: a fault line that is active, cannot be read, or hangs after a test.
func TestTripsAreSeen(t *testing.T) {
	m := newMemory()
	r := open[hal.ResidualCurrentDevice](t, m, in(hal.RoleRCDFault, "FAULT"))
	if on, err := r.Tripped(); on || err != nil {
		t.Errorf("%v, %v", on, err)
	}
	m.line("FAULT").on = true
	if on, err := r.Tripped(); !on || err != nil {
		t.Errorf("%v, %v", on, err)
	}
	m.line("FAULT").on, m.line("FAULT").err = false, errPulled
	if on, err := r.Tripped(); !on || err == nil {
		t.Errorf("%v, %v", on, err)
	}
	x := newTested(t)
	x.run(3 * time.Second)
	x.m.line("TEST").err = errPulled
	x.m.pass(24 * time.Hour)
	if tripped, _ := x.run(time.Second); !tripped {
		t.Error("a test line that cannot be driven is no failed test")
	}
	noAllocations(t, func() { x.m.pass(5 * time.Millisecond); x.r.SelfTest(true); _, _ = x.r.Tripped() })
}
