package isolation

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

const bender = "bender/isocha425hv"

// bench is a monitor on a line in memory.
type bench struct {
	slave *Slave
	line  *modbus.Line
	m     *Monitor
}

// onBench runs in virtual time.
func onBench(t *testing.T, do func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		s, ok := NewSlave(bender, time.Now)
		if !ok {
			t.Fatal("no such model")
		}
		b := &bench{slave: s, line: modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{3: s}), 500*time.Microsecond)}
		bus := modbus.NewRTU("imd", b.line, modbus.Options{})
		defer bus.Close()
		var err error
		if b.m, err = New(bender, bus, 3); err != nil {
			t.Fatal(err)
		}
		do(t, b)
	})
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestRead(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		want := Reading{Resistance: 437 * unit.KiloOhm, Voltage: 499500, Plus: 250 * unit.Volt, Minus: -249500, Alarm: Warning}
		b.slave.Show(want)
		got, err := b.m.Read(within(t, time.Second))
		if err != nil || got.At.IsZero() {
			t.Fatalf("%+v, %v", got, err)
		}
		got.At = time.Time{}
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if v, err := b.m.Firmware(within(t, time.Second)); err != nil || v != 512 {
			t.Errorf("%d, %v", v, err)
		}
		b.slave.Invalid(true)
		if _, err := b.m.Read(within(t, time.Second)); !errors.Is(err, ErrValue) {
			t.Errorf("invalid: %v", err)
		}
	})
}

func TestSetResponse(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		if err := b.m.SetResponse(within(t, time.Second), 600*unit.KiloOhm, 100*unit.KiloOhm); err != nil {
			t.Fatal(err)
		}
		if w, a := b.slave.Written(3005), b.slave.Written(3007); w != 600 || a != 100 {
			t.Errorf("%d and %d kOhm", w, a)
		}
		if err := b.m.SetResponse(within(t, time.Second), 50*unit.KiloOhm, 100*unit.KiloOhm); err == nil {
			t.Error("an alarm before the warning is taken")
		}
	})
}

func TestSelfTest(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		began := time.Now()
		if err := b.m.SelfTest(within(t, 30*time.Second)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 8*time.Second || took > 9*time.Second {
			t.Errorf("%v", took)
		}
		if v := b.slave.Written(8005); v != 0x5445 {
			t.Errorf("%#x", v)
		}
		b.slave.Break(true)
		if err := b.m.SelfTest(within(t, 30*time.Second)); !errors.Is(err, ErrTestFailed) {
			t.Errorf("broken: %v", err)
		}
		b.slave.Break(false)
		if err := b.m.SelfTest(within(t, 2*time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cut off: %v", err)
		}
		b.slave.takes = 0
		time.Sleep(10 * time.Second)
		if err := b.m.SelfTest(within(t, 30*time.Second)); !errors.Is(err, ErrNotStarted) {
			t.Errorf("never begins: %v", err)
		}
	})
}

// TestFaultsOfTheLine: silence, half and wrong frames are errors of the read, in bounded time, and the next one works.
func TestFaultsOfTheLine(t *testing.T) {
	for name, row := range map[string]struct {
		fault modbus.Fault
		want  error
	}{
		"silent": {modbus.Silent, modbus.ErrNoAnswer}, "crc": {modbus.WrongCRC, modbus.ErrCRC}, "half": {modbus.HalfFrame, nil},
		"unplugged": {modbus.Unplugged, nil}, "refusing": {modbus.Refusing, modbus.DeviceFailure},
	} {
		onBench(t, func(t *testing.T, b *bench) {
			at := uint8(3)
			if row.fault == modbus.Unplugged {
				at = 0
			}
			b.line.Fail(at, row.fault)
			began := time.Now()
			_, err := b.m.Read(within(t, 2*time.Second))
			if err == nil || row.want != nil && !errors.Is(err, row.want) || time.Since(began) > 3*time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
			b.line.Fail(at, modbus.NoFault)
			time.Sleep(6 * time.Second) // what is silent is asked less often
			if _, err := b.m.Read(within(t, 2*time.Second)); err != nil {
				t.Errorf("%s: afterwards %v", name, err)
			}
		})
	}
}

func TestParseValue(t *testing.T) {
	for _, row := range []struct {
		name  string
		regs  []uint16
		milli int64
		alarm Alarm
		test  bool
		bad   bool
	}{
		{"600 kOhm", []uint16{0x4912, 0x7C00, 0x0002, 71}, 600_000_000, NoAlarm, false, false},
		{"alarm", []uint16{0x4912, 0x7C00, 0x0502, 71}, 600_000_000, Alarmed, false, false},
		{"device error", []uint16{0x4912, 0x7C00, 0x0202, 71}, 600_000_000, DeviceError, false, false},
		{"device error that a test simulates", []uint16{0x4912, 0x7C00, 0x8202, 71}, 600_000_000, Reserved, true, false},
		{"unknown alarm", []uint16{0, 0, 0x0602, 71}, 0, Reserved, false, false},
		{"invalid", []uint16{0, 0, 0x00C2, 71}, 0, NoAlarm, false, true},
		{"not a number", []uint16{0x7FC0, 0, 0x0002, 71}, 0, NoAlarm, false, true},
		{"infinite", []uint16{0x7F80, 0, 0x0002, 71}, 0, NoAlarm, false, true},
		{"short", []uint16{0, 0, 0}, 0, NoAlarm, false, true},
	} {
		v, err := parseValue(row.regs)
		if v.milli != row.milli || v.alarm != row.alarm || v.testing != row.test || errors.Is(err, ErrValue) != row.bad {
			t.Errorf("%s: %+v, %v", row.name, v, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New("bender/isometer", nil, 3); err == nil {
		t.Error("an unknown model")
	}
	if _, err := New(bender, nil, 0); err == nil {
		t.Error("a broadcast")
	}
}

// FuzzValue: any registers give a measurement within bounds or an error, and one of ours is read again.
func FuzzValue(f *testing.F) {
	f.Add(uint16(0x4912), uint16(0x7C00), uint16(2), uint16(71))
	f.Add(uint16(0x7F80), uint16(1), uint16(0xFFFF), uint16(0))
	f.Fuzz(func(t *testing.T, a, b, c, d uint16) {
		v, err := parseValue([]uint16{a, b, c, d})
		if err == nil && math.Abs(float64(v.milli)) > milliLimit || int(v.alarm) >= len(alarmNames) {
			t.Errorf("%+v", v)
		}
		if again, err2 := parseValue(appendValue(nil, v.milli, v.unit, NoAlarm, false, true)); err2 != nil || again.unit != v.unit {
			t.Errorf("%+v, %v", again, err2)
		}
	})
}
