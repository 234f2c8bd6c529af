package parts

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
)

func motor(t *testing.T) (*memory, hal.Lock) {
	t.Helper()
	m := newMemory()
	return m, open[hal.Lock](t, m, out(hal.RoleLockMotor, "A", 600), out(hal.RoleUnlockMotor, "B"), in(hal.RoleLockSense, "S"))
}

// TestLockPulse: a motor is driven for its time and not a cycle longer, never both ways, and the last command counts.
func TestLockPulse(t *testing.T) {
	m, l := motor(t)
	want := func(a, b bool) {
		t.Helper()
		if _, err := l.Locked(); err != nil {
			t.Fatal(err)
		}
		if m.line("A").on != a || m.line("B").on != b {
			t.Fatalf("driven %v %v, want %v %v", m.line("A").on, m.line("B").on, a, b)
		}
	}
	want(false, false)
	for _, locked := range []bool{true, false} {
		if err := l.SetLocked(locked); err != nil {
			t.Fatal(err)
		}
		want(locked, !locked)
		m.pass(599 * time.Millisecond)
		want(locked, !locked)
		m.pass(time.Millisecond)
		want(false, false)
	}
	_ = l.SetLocked(true)
	m.pass(300 * time.Millisecond)
	_ = l.SetLocked(false) // changes its mind
	want(false, true)
	m.pass(400 * time.Millisecond)
	want(false, true)
	if err := l.(hal.Rester).Rest(); err != nil || m.line("B").on {
		t.Errorf("at rest %v, %v", m.line("B").on, err)
	}
	m.line("S").on = true
	if locked, err := l.Locked(); !locked || err != nil {
		t.Errorf("%v, %v", locked, err)
	}
}

// TestBolt is held as long as it locks, at rest too.
func TestBolt(t *testing.T) {
	m := newMemory()
	l := open[hal.Lock](t, m, out(hal.RoleLockMotor, "A"), in(hal.RoleLockSense, "S"))
	_ = l.SetLocked(true)
	m.pass(time.Hour)
	if _, err := l.Locked(); err != nil || !m.line("A").on {
		t.Errorf("%v, held %v", err, m.line("A").on)
	}
	if err := l.(hal.Rester).Rest(); err != nil || !m.line("A").on {
		t.Error("the bolt came loose")
	}
	if _ = l.SetLocked(false); m.line("A").on {
		t.Error("held on")
	}
}

func TestLockFails(t *testing.T) {
	m, l := motor(t)
	_ = l.SetLocked(true)
	m.pass(time.Second)
	m.line("A").err = errPulled
	if locked, err := l.Locked(); locked || !errors.Is(err, errTwoLines) {
		t.Errorf("a motor that cannot be let go: %v, %v", locked, err)
	}
	if err := l.SetLocked(false); err == nil || m.line("B").on {
		t.Errorf("driven both ways: %v", err)
	}
	m.line("A").err = nil
	if _, err := l.Locked(); err != nil || m.line("A").on {
		t.Errorf("tried once only: %v", err)
	}
	m.line("S").err = errPulled
	if _, err := l.Locked(); !errors.Is(err, errPulled) {
		t.Errorf("%v", err)
	}
	noAllocations(t, func() { _ = l.SetLocked(true); m.pass(time.Second); _, _ = l.Locked() })
}
