package mcu_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
)

// plant is a connector that remembers what it was told.
type plant struct {
	benchWires
	closed bool
	duty   unit.Duty
}

// FuzzMCU plays both machines against a line that the fuzzer rules: any bytes to either end, any pauses, any commands.
// Whatever comes: no panic, a contactor is closed only while this end had permitted it within the silence, and no frame
// makes either end grow.
func FuzzMCU(f *testing.F) {
	f.Add([]byte{0, 200, 1, 10, 2, 10, 5, 0x55, 4, 3, 1, 50})
	f.Add([]byte{1, 1, 1, 2, 3, 0, 3, 200, 2, 30, 0, 255, 0, 255, 1, 10})
	f.Add([]byte{6, 9, 7, 130, 5, 3, 5, 0, 4, 0, 0, 90, 1, 0, 0, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		now := epoch
		clock := func() time.Time { return now }
		p := &plant{}
		sim, err := mcusim.New(mcusim.Config{Connectors: []mcusim.Connector{{Devices: p.devices()}}})
		if err != nil {
			t.Fatal(err)
		}
		w := &mcusim.Wire{MCU: sim, Clock: clock}
		drv, err := mcu.New(mcu.Spec{Connectors: 1, Owns: mcu.OwnPilot}, w, clock)
		if err != nil {
			t.Fatal(err)
		}
		c, err := drv.Connector(1)
		if err != nil {
			t.Fatal(err)
		}
		wanted, until := false, epoch // the agent's newest command, and how long one to close may count
		for len(script) >= 2 {
			op, arg := script[0]%8, script[1]
			script = script[2:]
			switch op {
			case 0:
				for range arg {
					now = now.Add(time.Millisecond)
					w.Step()
				}
			case 1:
				_ = c.SetDuty(unit.Duty(arg) * 40)
			case 2:
				wanted = c.Set(true, 1+2*(arg&1)) == nil
			case 3:
				_ = c.Set(false, 0)
				wanted = false
			case 4:
				_, err := c.Sample()
				wanted = wanted && err == nil
			case 5:
				w.Up, w.Down = chop(arg, script), nil
			case 6:
				w.Up, w.Down = nil, chop(arg, script)
			case 7:
				if arg < 16 {
					sim.Reset(mcu.ResetPin)
				}
				w.Dead, w.Pulled = arg&0x40 != 0, arg&0x80 != 0
				p.level(arg)
				w.Step()
			}
			if wanted {
				until = now.Add(300*time.Millisecond + 255*time.Millisecond)
			}
			if p.closed && now.After(until) {
				t.Fatalf("closed at %v, permitted until %v", now.Sub(epoch), until.Sub(epoch))
			}
		}
	})
}

// chop replaces the beginnings of what passes by bytes of the fuzzer.
func chop(n byte, with []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		k := min(int(n)%16, len(b), len(with))
		return append(append([]byte(nil), with[:k]...), b[k:]...)
	}
}

// FuzzController gives a controller alone any bytes: it stays safe and never says what it does not read itself.
func FuzzController(f *testing.F) {
	b := mcu.Begin{Lowest: 1, Highest: 1, Session: 5, Beat: 100, Silence: 300}
	p := mcu.Permit{Session: 5, Connector: 1, Close: true, Phases: 3, Duty: uint16(iec61851.DutyForCurrent(16 * unit.Ampere))}
	f.Add(append(mcu.AppendFrame(nil, mcu.KindBegin, 1, b.Append(nil)), mcu.AppendFrame(nil, mcu.KindPermit, 2, p.Append(nil))...))
	f.Add([]byte{0, 1, 2, 0, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		pl := &plant{}
		sim, err := mcusim.New(mcusim.Config{Connectors: []mcusim.Connector{{Devices: pl.devices()}}})
		if err != nil {
			t.Fatal(err)
		}
		var d mcu.Decoder
		var fr mcu.Frame
		for i := range 50 {
			from, to := len(in)*i/50, len(in)*(i+1)/50
			for _, c := range sim.Step(epoch.Add(time.Duration(i)*time.Millisecond), in[from:to], nil) {
				if !d.Feed(c, &fr) {
					continue
				}
				var err error
				switch fr.Type {
				case mcu.KindHello:
					err = new(mcu.Hello).Parse(fr.Payload)
				case mcu.KindBoard:
					err = new(mcu.Board).Parse(fr.Payload)
				case mcu.KindStatus:
					err = new(mcu.Status).Parse(fr.Payload)
				default:
					t.Fatalf("says %#x", fr.Type)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if d.Bad != 0 {
			t.Errorf("%d bad frames", d.Bad)
		}
	})
}
