package guard_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// TestOpensWithEverythingHung: loop, disk and CSMS hang, nobody takes what the guard says, and it opens in time.
func TestOpensWithEverythingHung(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(*bench) error
	}{
		{"car stops", func(b *bench) error { no := false; return b.w.SetEV(1, halsim.EVOptions{Ready: &no}) }},
		{"plug pulled", func(b *bench) error { _, err := b.w.Unplug(1, 1, halsim.UnplugOptions{}); return err }},
		{"pilot shorted", func(b *bench) error {
			return b.w.SetFault(halsim.FaultOptions{Ref: cable, Code: term.FaultPilot, Active: true})
		}},
		{"fault current", func(b *bench) error {
			return b.w.SetFault(halsim.FaultOptions{Ref: term.Ref{EVSE: 1}, Code: term.FaultGround, Active: true})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, nil)
			b.charge(cable)
			b.mute = true
			b.run(2 * time.Second)
			left := b.now
			b.ok(tc.do(b))
			if tc.name == "car stops" {
				left = left.Add(100 * time.Millisecond) // the car's own way from the end of the current to S2
			}
			b.wantRelay(cable, false, time.Second)
			if took := b.opened.Sub(left); took > 100*time.Millisecond {
				t.Errorf("open %v after it left state C", took)
			}
			b.story()
			b.mute = false
			b.run(10 * time.Millisecond)
			if s := b.story(); !strings.Contains(s, "1.1 power off by") {
				t.Errorf("the opening is lost: %s", s)
			}
		})
	}
}

// TestNewestStateAfterAHang: what came and went while nobody listened is told, and the end is the newest state.
func TestNewestStateAfterAHang(t *testing.T) {
	b := newBench(t, func(c *guard.Config) {
		c.Watchdog, c.Hold = nil, time.Hour
		c.Connectors[0].Meter = iec61851.MeterReport
	})
	b.charge(cable)
	b.story()
	b.mute = true
	b.ok(b.w.SetFault(halsim.FaultOptions{Ref: term.Ref{EVSE: 1}, Code: term.FaultGround, Active: true}))
	b.run(time.Second)
	b.ok(b.w.ClearFaults())
	b.run(time.Minute)
	b.mute = false
	b.run(10 * time.Millisecond)
	got := b.story()
	for _, want := range []string{
		"1.1 power off by fault", "1.1 fault groundFailure true", "1.1 fault groundFailure false", "1.1 fault meterFailure true", "1.1 power on 3",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if !strings.HasSuffix(got, "1.1 power on 3\n") {
		t.Errorf("the story does not end with the newest state:\n%s", got)
	}
}

// deaf is a link whose other end is gone.
type deaf struct{ offered int }

func (*deaf) Receive(*guard.Command) bool { return false }
func (d *deaf) Send(*iec61851.Status) bool {
	d.offered++
	return false
}

func TestDeafLinkIsOfferedAgain(t *testing.T) {
	now := epoch
	w, err := halsim.New(halsim.Config{Clock: func() time.Time { return now }, EVSEs: []halsim.EVSE{
		{ID: 1, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := w.Devices(cable)
	if err != nil {
		t.Fatal(err)
	}
	link := &deaf{}
	g, err := guard.New(guard.Config{Connectors: []guard.Connector{{Devices: dev, Config: iec61851.Config{
		Ref: cable, MaxCurrent: 16 * unit.Ampere, Phases: 1, Tethered: true, HasFeedback: true}}}}, link)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		now = now.Add(g.Cycle(now))
	}
	if link.offered != 100 {
		t.Errorf("offered %d times in 100 cycles", link.offered)
	}
}

func TestSilentLoopDropsThePermits(t *testing.T) {
	b := newBench(t, func(c *guard.Config) { c.Connectors[0].Meter = iec61851.MeterReport })
	b.charge(cable)
	b.mute = true
	took := b.wantRelay(cable, false, time.Minute)
	if took < 9*time.Second || took > 11*time.Second {
		t.Errorf("open after %v of silence", took)
	}
	b.mute = false
	b.wantRelay(cable, true, 10*time.Second) // the permit is a level: a loop that moves again means it still
}

func TestSilentLoopHoldsByPolicy(t *testing.T) {
	b := newBench(t, func(c *guard.Config) {
		c.Watchdog, c.Hold = nil, time.Minute
		c.Connectors[0].Meter = iec61851.MeterReport
	})
	b.charge(cable)
	b.mute = true
	took := b.wantRelay(cable, false, 2*time.Minute)
	if took < 69*time.Second || took > 71*time.Second {
		t.Errorf("open after %v, want to hold for a minute", took)
	}
}

// dog counts how often it was petted.
type dog struct{ pets int }

func (d *dog) Pet() error { d.pets++; return nil }

func TestWatchdogNeedsGuardAndLoop(t *testing.T) {
	d := &dog{}
	b := newBench(t, func(c *guard.Config) { c.Watchdog = d })
	b.run(time.Second)
	if d.pets == 0 {
		t.Error("never petted")
	}
	b.mute = true
	b.run(time.Second)
	d.pets = 0
	b.run(time.Minute)
	if d.pets != 0 {
		t.Errorf("petted %d times without the loop", d.pets)
	}
}

func TestCycleDoesNotAllocate(t *testing.T) {
	b := newBench(t, nil)
	b.charge(cable)
	b.ok(b.w.Plug(2, 1, halsim.PlugOptions{}))
	i := 0
	n := testing.AllocsPerRun(2000, func() {
		if i++; i%2 == 0 {
			b.permit(socket, unit.Current(6+i%3*10))
		}
		if i%400 == 0 {
			b.permit(socket, 0)
		}
		b.pipe.Heartbeat()
		b.now = b.now.Add(b.g.Cycle(b.now))
	})
	if n != 0 {
		t.Errorf("%v allocations a cycle", n)
	}
}

// TestRunInVirtualTime runs the guard as the station does, in a goroutine with a timer.
func TestRunInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, live: map[term.Ref]bool{}, refs: []term.Ref{cable}}
		w, err := halsim.New(halsim.Config{Clock: time.Now, Observe: b.observe, EVSEs: []halsim.EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1}}}}}, nil)
		b.ok(err)
		b.w = w
		dev, err := w.Devices(cable)
		b.ok(err)
		b.pipe = guard.NewPipe([]term.Ref{cable})
		g, err := guard.New(guard.Config{Clock: time.Now, Connectors: []guard.Connector{{Devices: dev, Config: iec61851.Config{
			Ref: cable, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: true, HasFeedback: true}}}}, b.pipe)
		b.ok(err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		b.ok(w.Plug(1, 1, halsim.PlugOptions{}))
		b.permit(cable, 16)
		deadline := time.After(3 * time.Second)
		for on := false; !on; {
			select {
			case <-b.pipe.Wake():
				for _, n := range b.pipe.Take(nil) {
					on = on || n.Kind == iec61851.PowerChanged && n.Closed
				}
			case <-deadline:
				t.Fatal("no power within 3 s")
			}
		}
		cancel()
		b.ok(<-done)
		time.Sleep(100 * time.Millisecond)
		if b.relay(cable) {
			t.Error("closed after the guard's end")
		}
	})
}

func TestNewAssertsTheSafeState(t *testing.T) {
	b := newBench(t, nil)
	b.charge(cable)
	dev, err := b.w.Devices(cable)
	b.ok(err)
	bad := guard.Config{Connectors: []guard.Connector{{Devices: dev, Config: iec61851.Config{Ref: cable, Phases: 7}}}}
	if _, err := guard.New(bad, b.pipe); err == nil {
		t.Error("7 phases were accepted")
	}
	b.now = b.now.Add(100 * time.Millisecond)
	if b.relay(cable) {
		t.Error("still closed after a guard has started, even one that cannot run")
	}
}

func TestNewRefuses(t *testing.T) {
	b := newBench(t, nil)
	good := func() guard.Connector {
		dev, err := b.w.Devices(socket)
		b.ok(err)
		return guard.Connector{Devices: dev, Config: iec61851.Config{Ref: socket, MaxCurrent: 32 * unit.Ampere, Phases: 3, HasLock: true}}
	}
	for name, edit := range map[string]func(*guard.Connector){
		"no pilot":     func(c *guard.Connector) { c.Pilot = nil },
		"no contactor": func(c *guard.Connector) { c.Contactor = nil },
		"no proximity": func(c *guard.Connector) { c.Proximity = nil },
		"no lock":      func(c *guard.Connector) { c.Lock = nil },
		"no current":   func(c *guard.Connector) { c.MaxCurrent = 5 * unit.Ampere },
		"two phases":   func(c *guard.Connector) { c.Phases = 2 },
	} {
		c := good()
		edit(&c)
		if _, err := guard.New(guard.Config{Connectors: []guard.Connector{c}}, b.pipe); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := guard.New(guard.Config{Connectors: []guard.Connector{good()}}, b.pipe); err != nil {
		t.Errorf("a whole one: %v", err)
	}
	if _, err := guard.New(guard.Config{Connectors: make([]guard.Connector, guard.MaxConnectors+1)}, b.pipe); err == nil {
		t.Error("too many connectors accepted")
	}
}

func BenchmarkCycle(b *testing.B) {
	t := &testing.T{}
	h := newBench(t, nil)
	h.charge(cable)
	b.ReportAllocs()
	for b.Loop() {
		h.now = h.now.Add(h.g.Cycle(h.now))
	}
}

// bomb is a device with a bug.
type bomb struct{ hal.ControlPilot }

func (bomb) Sample() (hal.PilotSample, error) { panic("index out of range") }

func TestPanicOpensEverything(t *testing.T) {
	b := newBench(t, nil)
	b.charge(cable)
	good, err := b.w.Devices(cable)
	b.ok(err)
	bad, err := b.w.Devices(socket)
	b.ok(err)
	bad.Pilot = bomb{bad.Pilot}
	g, err := guard.New(guard.Config{Clock: func() time.Time { return b.now }, Connectors: []guard.Connector{
		{Devices: good, Config: iec61851.Config{Ref: cable, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: true}},
		{Devices: bad, Config: iec61851.Config{Ref: socket, MaxCurrent: 32 * unit.Ampere, Phases: 3}},
	}}, b.pipe)
	b.ok(err)
	b.ok(good.Contactor.Set(true, 3))
	if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
	b.now = b.now.Add(100 * time.Millisecond)
	if b.relay(cable) {
		t.Error("closed after a panic")
	}
}
