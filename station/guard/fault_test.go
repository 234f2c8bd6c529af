package guard_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// charge brings a connector to a flowing current.
func (b *bench) charge(ref term.Ref) {
	b.t.Helper()
	b.ok(b.w.Plug(ref.EVSE, ref.Connector, halsim.PlugOptions{}))
	b.permit(ref, 16)
	b.wantRelay(ref, true, 5*time.Second)
	b.run(2 * time.Second)
}

func TestWorldFaultsOpenInTime(t *testing.T) {
	for _, tc := range []struct {
		code   term.Fault
		within time.Duration
	}{
		{term.FaultGround, 100 * time.Millisecond},
		{term.FaultOverCurrent, time.Second},
		{term.FaultOverVoltage, 1500 * time.Millisecond},
		{term.FaultUnderVoltage, 1500 * time.Millisecond},
		{term.FaultHighTemperature, 400 * time.Millisecond},
		{term.FaultCableTemperature, 400 * time.Millisecond},
		{term.FaultConnectorLock, 400 * time.Millisecond},
		{term.FaultPilot, 100 * time.Millisecond},
		{term.FaultDiode, 100 * time.Millisecond},
		{term.FaultProximity, 100 * time.Millisecond},
		{term.FaultEmergencyStop, 100 * time.Millisecond},
		{term.FaultPowerSwitch, 400 * time.Millisecond},
	} {
		t.Run(tc.code.String(), func(t *testing.T) {
			b := newBench(t, nil)
			b.charge(socket)
			b.ok(b.w.SetFault(halsim.FaultOptions{Ref: socket, Code: tc.code, Active: true}))
			if took := b.wantRelay(socket, false, 3*time.Second); took > tc.within {
				t.Errorf("open after %v, want %v", took, tc.within)
			}
			b.run(50 * time.Millisecond)
			if s := b.status(socket); !(s.Faults | s.Seen).Has(tc.code) {
				t.Errorf("status tells %b", s.Faults)
			}
			b.ok(b.w.ClearFaults())
			b.run(45 * time.Second)
			if s := b.status(socket); !s.Closed {
				t.Errorf("45 s after clearing: %+v", s)
			}
		})
	}
}

func TestFaultsThatDoNotStop(t *testing.T) {
	for _, code := range []term.Fault{term.FaultEVCommunication, term.FaultOther} {
		b := newBench(t, nil)
		b.charge(cable)
		b.ok(b.w.SetFault(halsim.FaultOptions{Ref: term.Ref{EVSE: 1}, Code: code, Active: true}))
		b.run(time.Second)
		if s := b.status(cable); !s.Closed || !s.Faults.Has(code) {
			t.Errorf("%v: %+v", code, s)
		}
	}
}

func TestMeterFailureOpensByPolicy(t *testing.T) {
	b := newBench(t, nil)
	b.charge(cable)
	b.ok(b.w.SetFault(halsim.FaultOptions{Ref: term.Ref{EVSE: 1}, Code: term.FaultMeter, Active: true}))
	if took := b.wantRelay(cable, false, 10*time.Second); took < 4*time.Second || took > 6*time.Second {
		t.Errorf("open after %v", took)
	}
}

func TestWeldKeepsTheOtherConnectorOpen(t *testing.T) {
	b := newBench(t, nil)
	b.charge(socket)
	b.ok(b.w.SetFault(halsim.FaultOptions{Ref: socket, Code: term.FaultContactor, Active: true}))
	b.ok(b.w.Plug(2, 2, halsim.PlugOptions{}))
	b.permit(socket, 0)
	b.permit(second, 16)
	b.run(20 * time.Second)
	if s := b.status(socket); !s.Closed || !s.Faults.Has(term.FaultContactor) || s.Duty != unit.DutyLow || !s.Locked {
		t.Errorf("welded connector: %+v", s)
	}
	if b.relay(second) {
		t.Error("the other connector of the EVSE is live beside a weld")
	}
	b.ok(b.w.ClearFaults())
	b.run(20 * time.Second)
	if s := b.status(socket); !s.Faults.Has(term.FaultContactor) {
		t.Errorf("a weld is forgotten without service: %+v", s)
	}
	b.pipe.Service(term.Ref{EVSE: 2})
	b.wantRelay(second, true, 10*time.Second)
}

func TestJammedContactorIsTold(t *testing.T) {
	b := newBench(t, nil)
	b.ok(b.w.SetFault(halsim.FaultOptions{Ref: cable, Code: term.FaultContactor, Active: true}))
	b.run(time.Second)
	if s := b.status(cable); !s.Faults.Has(term.FaultContactor) || s.Closed {
		t.Errorf("%+v", s)
	}
}

func TestOnlyOneConnectorOfAnEVSE(t *testing.T) {
	b := newBench(t, nil)
	b.charge(socket)
	b.ok(b.w.Plug(2, 2, halsim.PlugOptions{}))
	b.permit(second, 16)
	b.run(10 * time.Second)
	if b.relay(second) || !b.relay(socket) {
		t.Fatal("the second connector took over")
	}
	b.permit(socket, 0)
	b.wantRelay(second, true, 5*time.Second) // the invariant of run sees that both are never closed
	if b.relay(socket) {
		t.Fatal("both are closed")
	}
}

func TestUnplugUnderLoad(t *testing.T) {
	b := newBench(t, nil)
	b.charge(socket)
	if _, err := b.w.Unplug(2, 1, halsim.UnplugOptions{}); !errors.Is(err, halsim.ErrImpossible) {
		t.Fatalf("a locked plug came out: %v", err)
	}
	_, err := b.w.Unplug(2, 1, halsim.UnplugOptions{Side: halsim.SideEV})
	b.ok(err)
	if took := b.wantRelay(socket, false, time.Second); took > 100*time.Millisecond {
		t.Errorf("open after %v", took)
	}
}

func TestCarThatIgnoresPWMOff(t *testing.T) {
	b := newBench(t, nil)
	yes := true
	b.ok(b.w.Plug(1, 1, halsim.PlugOptions{EV: halsim.EVOptions{IgnoresPWMOff: &yes}}))
	b.permit(cable, 16)
	b.wantRelay(cable, true, 5*time.Second)
	b.run(10 * time.Second)
	b.permit(cable, 0)
	if took := b.wantRelay(cable, false, 10*time.Second); took < 3*time.Second || took > 3200*time.Millisecond {
		t.Errorf("open after %v", took)
	}
	b.run(time.Second)
	if s := b.status(cable); s.Opened != iec61851.OpenedUnderLoad {
		t.Errorf("opened by %v", s.Opened)
	}
}

func TestLockThatFails(t *testing.T) {
	b := newBench(t, nil)
	b.ok(b.w.SetLock(2, 1, halsim.LockFailsToLock))
	b.ok(b.w.Plug(2, 1, halsim.PlugOptions{}))
	b.permit(socket, 16)
	b.run(10 * time.Second)
	if s := b.status(socket); s.Closed || s.Offered > 0 || !s.LockFailed || !s.Faults.Has(term.FaultConnectorLock) {
		t.Errorf("%+v", s)
	}
	b.ok(b.w.SetLock(2, 1, halsim.LockNormal))
	b.wantRelay(socket, true, 40*time.Second)
	b.ok(b.w.SetLock(2, 1, halsim.LockFailsToUnlock))
	b.permit(socket, 0)
	b.run(10 * time.Second)
	if s := b.status(socket); s.Closed || !s.Locked || !s.LockFailed {
		t.Errorf("%+v", s)
	}
}

var errWire = errors.New("wire broken")

type brittlePilot struct {
	hal.ControlPilot
	sample, duty bool
}

func (p *brittlePilot) Sample() (hal.PilotSample, error) {
	s, err := p.ControlPilot.Sample()
	if p.sample {
		return s, errWire
	}
	return s, err
}

func (p *brittlePilot) SetDuty(d unit.Duty) error {
	if p.duty {
		return errWire
	}
	return p.ControlPilot.SetDuty(d)
}

type brittleContactor struct {
	hal.Contactor
	set, closed bool
}

func (c *brittleContactor) Set(on bool, phases uint8) error {
	if c.set {
		return errWire
	}
	return c.Contactor.Set(on, phases)
}

func (c *brittleContactor) Closed() (bool, error) {
	closed, err := c.Contactor.Closed()
	if c.closed {
		return false, errWire
	}
	return closed, err
}

type broken struct{ is bool }

func (b *broken) err() error {
	if b.is {
		return errWire
	}
	return nil
}

type brittleProximity struct {
	hal.Proximity
	broken
}

func (p *brittleProximity) Resistance() (unit.Resistance, error) {
	r, _ := p.Proximity.Resistance()
	return r, p.err()
}

type brittleLock struct {
	hal.Lock
	broken
}

func (l *brittleLock) Locked() (bool, error) {
	locked, _ := l.Lock.Locked()
	return locked, l.err()
}

type brittleInput struct{ broken }

func (i *brittleInput) Tripped() (bool, error)       { return false, i.err() }
func (i *brittleInput) EmergencyStop() (bool, error) { return false, i.err() }

type brittleHeat struct{ broken }

func (h *brittleHeat) Temperature() (unit.Temperature, error) { return 20 * unit.Celsius, h.err() }
func (h *brittleHeat) Active(f term.Fault) (bool, error)      { return false, h.err() }

// TestDeviceErrorsOpen breaks one device after the other while a car charges: the contactor opens, a fault says so,
// and all is well again when the device is.
func TestDeviceErrorsOpen(t *testing.T) {
	var (
		pilot     *brittlePilot
		contactor *brittleContactor
		proximity *brittleProximity
		lock      *brittleLock
		rcd, stop *brittleInput
		heat, hot *brittleHeat
		lines     *brittleHeat
	)
	wrap := func(cfg *guard.Config) {
		d := &cfg.Connectors[1].Devices
		pilot, contactor = &brittlePilot{ControlPilot: d.Pilot}, &brittleContactor{Contactor: d.Contactor}
		proximity, lock = &brittleProximity{Proximity: d.Proximity}, &brittleLock{Lock: d.Lock}
		rcd, stop, heat, hot, lines = &brittleInput{}, &brittleInput{}, &brittleHeat{}, &brittleHeat{}, &brittleHeat{}
		d.Pilot, d.Contactor, d.Proximity, d.Lock = pilot, contactor, proximity, lock
		d.RCD, d.Inputs, d.Socket, d.Cable, d.Diagnosis = rcd, stop, heat, hot, lines
	}
	for _, tc := range []struct {
		name  string
		set   func(bool)
		fault term.Fault
	}{
		{"pilot sample", func(v bool) { pilot.sample = v }, term.FaultPilot},
		{"mirror contact", func(v bool) { contactor.closed = v }, term.FaultContactor},
		{"proximity", func(v bool) { proximity.is = v }, term.FaultProximity},
		{"lock feedback", func(v bool) { lock.is = v }, term.FaultConnectorLock},
		{"rcd", func(v bool) { rcd.is = v }, term.FaultGround},
		{"emergency stop", func(v bool) { stop.is = v }, term.FaultEmergencyStop},
		{"thermometer", func(v bool) { heat.is = v }, term.FaultHighTemperature},
		{"cable thermometer", func(v bool) { hot.is = v }, term.FaultCableTemperature},
		{"diagnosis", func(v bool) { lines.is = v }, term.FaultInternal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, wrap)
			b.charge(socket)
			tc.set(true)
			b.wantRelay(socket, false, 400*time.Millisecond)
			b.run(time.Second)
			if s := b.status(socket); !s.Faults.Has(tc.fault) {
				t.Errorf("faults %b, want %v", s.Faults, tc.fault)
			}
			tc.set(false)
			b.run(45 * time.Second)
			if !b.relay(socket) {
				t.Errorf("stays open: %+v", b.status(socket))
			}
		})
	}
}

// TestRefusedCommandsAreRepeated: a device that refuses a command is told again until it obeys.
func TestRefusedCommandsAreRepeated(t *testing.T) {
	var pilot *brittlePilot
	var contactor *brittleContactor
	b := newBench(t, func(cfg *guard.Config) {
		d := &cfg.Connectors[0].Devices
		pilot, contactor = &brittlePilot{ControlPilot: d.Pilot}, &brittleContactor{Contactor: d.Contactor}
		d.Pilot, d.Contactor = pilot, contactor
	})
	b.charge(cable)
	contactor.set, pilot.duty = true, true
	b.permit(cable, 0)
	b.run(5 * time.Second)
	if s := b.status(cable); !b.relay(cable) || !s.Faults.Has(term.FaultContactor) || !s.Faults.Has(term.FaultPilot) {
		t.Errorf("%+v", s)
	}
	contactor.set, pilot.duty = false, false
	b.wantRelay(cable, false, 50*time.Millisecond)
}

// TestDeadDevicesAtStart: a connector whose devices fail from the start does not keep the others from working, and is
// opened as soon as it can be.
func TestDeadDevicesAtStart(t *testing.T) {
	var pilot *brittlePilot
	var contactor *brittleContactor
	b := newBench(t, func(cfg *guard.Config) {
		d := &cfg.Connectors[0].Devices
		if err := d.Contactor.Set(true, 3); err != nil {
			t.Fatal(err)
		}
		pilot, contactor = &brittlePilot{ControlPilot: d.Pilot, duty: true}, &brittleContactor{Contactor: d.Contactor, set: true}
		d.Pilot, d.Contactor = pilot, contactor
	})
	if !b.relay(cable) {
		t.Fatal("the bench did not close it")
	}
	b.charge(socket)
	pilot.duty, contactor.set = false, false
	b.wantRelay(cable, false, 100*time.Millisecond)
}
