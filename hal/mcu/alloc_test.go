package mcu_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// tape is a line that gives the driver recorded bytes again and again and takes everything.
type tape struct {
	b  []byte
	at int
}

func (l *tape) Read(p []byte) (int, error) {
	n := copy(p, l.b[l.at:])
	l.at = (l.at + n) % len(l.b)
	return n, nil
}

func (l *tape) Write(p []byte) (int, error) { return len(p), nil }

// TestDriverAllocatesNothing: neither with a controller that talks, nor with noise, nor with silence.
func TestDriverAllocatesNothing(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	var spoken []byte
	b.wire.Up = func(in []byte) []byte {
		spoken = append(spoken, in...)
		return in
	}
	b.run(time.Second)
	b.wire.Up = nil
	for name, line := range map[string]mcu.Line{"talk": &tape{b: spoken}, "noise": &tape{b: []byte{1, 2, 3, 0, 5, 5, 5, 5, 0, 9}}, "silence": &tape{b: make([]byte, 1)}} {
		now := epoch
		drv, err := mcu.New(mcu.Spec{Connectors: 2}, line, func() time.Time { return now })
		b.ok(err)
		c, err := drv.Connector(1)
		b.ok(err)
		n := testing.AllocsPerRun(1000, func() {
			now = now.Add(5 * time.Millisecond)
			_, _ = c.Sample()
			_, _ = c.Resistance()
			_, _ = c.Closed()
			_, _ = c.Tripped()
			_, _ = c.EmergencyStop()
			_, _ = c.Active(term.FaultGround)
			_ = c.SetDuty(26 * unit.DutyPercent)
			_ = c.Set(true, 3)
			_ = c.Set(false, 0)
			_ = c.SetLocked(true)
			_, _ = c.Cable().Temperature()
			c.Acknowledge()
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a cycle", name, n)
		}
	}
}
