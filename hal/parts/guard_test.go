package parts

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var guarded = term.Ref{EVSE: 1, Connector: 1}

// wired is a guard on a socket that is made of parts, with a car at it.
type wired struct {
	t    *testing.T
	m    *memory
	g    *guard.Guard
	pipe *guard.Pipe
	high int32 // volts that the car makes of the high half
}

func newWired(t *testing.T) *wired {
	t.Helper()
	m := newMemory()
	door, _ := Report(term.FaultPowerSwitch)
	table := &guard.Table{}
	of := func(ps ...hal.Part) guard.Device {
		d := guard.Device{Kind: guard.DeviceParts, Chip: uint16(len(table.Parts)), Line: uint32(len(ps))}
		table.Parts = append(table.Parts, ps...)
		return d
	}
	table.Connectors = []guard.TableConnector{{
		Config: iec61851.Config{Ref: guarded, MaxCurrent: 32 * unit.Ampere, Phases: 3, HasLock: true, HasFeedback: true, MaxTemperature: 90 * unit.Celsius},
		Pilot:  of(wallbox(out(hal.RolePilotHighReset, "RH"), out(hal.RolePilotLowReset, "RL"))...), Proximity: of(divided(hal.RoleProximity)),
		Contactor: of(out(hal.RoleMainDrive, "K1", int32(hal.WiringSerial)), out(hal.RoleExtraDrive, "K2"), in(hal.RoleMainSense, "S1"), in(hal.RoleExtraSense, "S2")),
		Lock:      of(out(hal.RoleLockMotor, "A", 300), out(hal.RoleUnlockMotor, "B"), in(hal.RoleLockSense, "LOCKED")),
		RCD:       of(in(hal.RoleRCDFault, "FAULT"), out(hal.RoleRCDTest, "TEST", 100, 86400)),
		Inputs:    of(in(hal.RoleEmergencyStop, "STOP")),
		Socket:    of(part(hal.PartThermometer, hal.RoleTemperature, "hwmon:x/temp1")),
		Diagnosis: of(in(hal.RoleDiagnosis, "SWITCH", 0, door)),
	}}
	cfg, err := table.Config(func(_ guard.Device, ps guard.Parts) (any, error) { return Open(m, ps) })
	if err != nil {
		t.Fatal(err)
	}
	cfg.Clock = m.Now
	w := &wired{t: t, m: m, pipe: guard.NewPipe([]term.Ref{guarded}), high: 12}
	if w.g, err = guard.New(cfg, w.pipe); err != nil {
		t.Fatal(err)
	}
	return w
}

// cycle lets the world answer what it is told, and the guard look once.
func (w *wired) cycle() {
	m := w.m
	high, low := 100*w.high, int32(-1200)
	switch d := m.pwms["pwm/0"]; d.on {
	case d.period:
		low = -20
	case 0:
		high = -20
	}
	ripple := int32(m.now.UnixMilli() / 5 % 3)
	m.adc("adc/high").raw, m.adc("adc/low").raw = high+ripple, low+ripple
	m.adc("adc/voltage5").raw = 1320 // 220 Ohm
	if w.high == 12 {
		m.adc("adc/voltage5").raw = 3300
	}
	m.line("S1").on, m.line("S2").on = m.line("K1").on, m.line("K2").on
	m.line("FAULT").on = m.line("TEST").on
	if m.line("A").on != m.line("B").on {
		m.line("LOCKED").on = m.line("A").on
	}
	w.pipe.Heartbeat()
	m.pass(min(w.g.Cycle(m.now), 5*time.Millisecond))
}

func (w *wired) run(d time.Duration) {
	for end := w.m.now.Add(d); w.m.now.Before(end); {
		w.cycle()
	}
}

func (w *wired) status() iec61851.Status {
	s, _ := w.pipe.Status(guarded)
	return s
}

func (w *wired) until(what string, limit time.Duration, is func() bool) {
	w.t.Helper()
	for end := w.m.now.Add(limit); !is(); w.cycle() {
		if w.m.now.After(end) {
			w.t.Fatalf("%s: not within %v: %+v", what, limit, w.status())
		}
	}
}

func (w *wired) closed() bool { return w.m.line("K1").on || w.m.line("K2").on }

func (w *wired) charge() {
	w.t.Helper()
	w.run(3 * time.Second) // the self-test is over
	w.pipe.Permit(term.Permit{Ref: guarded, Close: true, Lock: true, Max: 16 * unit.Ampere})
	w.high = 9
	w.until("locked", 3*time.Second, func() bool { return w.status().Locked })
	w.high = 6
	w.until("charging", 10*time.Second, func() bool { return w.status().Closed && w.m.line("K1").on && w.m.line("K2").on })
	w.run(time.Second)
	if f := w.status().Faults; f != 0 {
		w.t.Fatalf("faults while charging: %v", f)
	}
}

// TestGuardOnParts: a session from plugging to unplugging.
func TestGuardOnParts(t *testing.T) {
	w := newWired(t)
	w.charge()
	w.high = 9
	w.until("open", 50*time.Millisecond, func() bool { return !w.closed() })
	w.pipe.Permit(term.Permit{Ref: guarded})
	w.until("unlocked", 5*time.Second, func() bool { return !w.status().Locked })
	w.high = 12
	w.run(time.Minute)
	if s := w.status(); s.Faults|s.Seen != 0 || s.Pilot != term.StateA || w.m.line("A").on || w.m.line("B").on {
		t.Errorf("%+v", s)
	}
}

// TestEveryPartThatFailsOpens: whatever is pulled out of a board that charges, the contactor opens with the right fault; and once
// it is back, charging goes on by itself.
func TestEveryPartThatFailsOpens(t *testing.T) {
	type failing struct {
		fault term.Fault
		set   func(*memory, error)
	}
	parts := map[string]failing{}
	for name, fault := range map[string]term.Fault{"S1": term.FaultContactor, "S2": term.FaultContactor, "LOCKED": term.FaultConnectorLock, "FAULT": term.FaultGround,
		"STOP": term.FaultEmergencyStop, "SWITCH": term.FaultInternal, "RH": term.FaultPilot, "RL": term.FaultPilot} {
		parts[name] = failing{fault, func(m *memory, err error) { m.line(name).err = err }}
	}
	for name, fault := range map[string]term.Fault{"adc/high": term.FaultPilot, "adc/low": term.FaultPilot, "adc/voltage5": term.FaultProximity} {
		parts[name] = failing{fault, func(m *memory, err error) { m.adc(name).err = err }}
	}
	parts["hwmon:x/temp1"] = failing{term.FaultHighTemperature, func(m *memory, err error) { m.therm["hwmon:x/temp1"].err = err }}
	for name, part := range parts {
		t.Run(fmt.Sprint(name), func(t *testing.T) {
			w := newWired(t)
			w.charge()
			part.set(w.m, errPulled)
			w.until("open", 300*time.Millisecond, func() bool { return !w.closed() })
			w.run(time.Second)
			if s := w.status(); !s.Faults.Has(part.fault) || w.closed() {
				t.Errorf("closed %v, faults %v, want %v", w.closed(), s.Faults, part.fault)
			}
			part.set(w.m, nil)
			w.until("charging again", 2*time.Minute, func() bool { return w.closed() && w.status().Closed && w.status().Faults == 0 })
		})
	}
}

// TestCyclesOnPartsDoNotAllocate: cycles while charging, with a device that fails among them.
func TestCyclesOnPartsDoNotAllocate(t *testing.T) {
	w := newWired(t)
	w.charge()
	n := 0
	noAllocations(t, func() {
		if n++; n%50 == 0 {
			w.m.line("STOP").on = !w.m.line("STOP").on
		}
		w.m.line("SWITCH").err = nil
		if n%70 == 0 {
			w.m.line("SWITCH").err = errPulled
		}
		w.cycle()
	})
	if w.status().Closings < 1 {
		t.Error("nothing happened")
	}
}
