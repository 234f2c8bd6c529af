package iec61851

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func TestLeavingStateCOpensAtOnce(t *testing.T) {
	for _, to := range []term.PilotState{term.StateA, term.StateB, term.StateE} {
		r := newRig(t, nil)
		r.charge()
		r.vehicle = to
		if took := r.until("opening", time.Second, func() bool { return !r.out.Close }); took > 25*time.Millisecond {
			t.Errorf("C to %v: opened after %v", to, took)
		}
	}
}

// TestChatteringPilotOpens: a line that is in C only every other sample opens in time too, and stays open.
func TestChatteringPilotOpens(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	n := 0
	r.check = func() {
		n++
		r.vehicle = [...]term.PilotState{term.StateC, term.StateB}[n%2]
	}
	if took := r.until("opening", time.Second, func() bool { return !r.out.Close }); took > 60*time.Millisecond {
		t.Errorf("opened after %v", took)
	}
	for range 1000 {
		if r.step(); r.out.Close {
			t.Fatal("closed on a chattering line")
		}
	}
}

func TestOneBadSampleDoesNotOpen(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	for range 100 {
		r.vehicle = term.StateB
		r.step()
		r.vehicle = term.StateC
		r.run(100 * time.Millisecond)
	}
	if r.out.Status.Closings != 1 {
		t.Errorf("%d closings, want one", r.out.Status.Closings)
	}
}

// TestOneBadSampleAfterALateCycle: a guard that was late does not blame the line for the whole time.
func TestOneBadSampleAfterALateCycle(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.now = r.now.Add(200 * time.Millisecond)
	r.vehicle = term.StateB
	r.step()
	if !r.out.Close {
		t.Error("opened by one sample")
	}
	r.vehicle = term.StateC
	r.run(time.Second)
	if r.out.Status.Closings != 1 {
		t.Errorf("%d closings, want one", r.out.Status.Closings)
	}
}

func TestNoPermitNoOffer(t *testing.T) {
	r := newRig(t, nil)
	r.check = func() {
		if r.out.Close || r.out.Duty != unit.DutyHigh {
			t.Fatalf("%v without a permit", r.out)
		}
	}
	for _, s := range []term.PilotState{term.StateB, term.StateC, term.StateD} {
		r.plug(s)
		r.run(5 * time.Second)
	}
	r.in.Permit = term.Permit{Close: true, Lock: true, Max: 5999}
	r.run(5 * time.Second)
}

func TestLockBeforePowerAndUnlockAfter(t *testing.T) {
	r := newRig(t, nil)
	r.jammed = true
	r.plug(term.StateC)
	r.permit(16)
	r.check = func() {
		if r.out.Close || r.out.Status.Offered > 0 {
			t.Fatal("offered or closed without the lock's feedback")
		}
	}
	r.run(900 * time.Millisecond)
	r.check, r.in.Locked = nil, true
	r.until("power", 3*time.Second, func() bool { return r.out.Status.Closed })
	r.run(time.Second)
	r.stuck = true
	r.permit(0)
	r.vehicle = term.StateB
	r.wantOpen(time.Second, OpenedByVehicle)
	r.run(50 * time.Millisecond)
	if !r.out.Lock {
		t.Error("unlocks before the contactor is open")
	}
	r.stuck = false
	r.run(50 * time.Millisecond)
	if r.out.Lock {
		t.Error("does not unlock once the contactor is open")
	}
}

func TestLockStaysAsFoundUntilTheFirstPermit(t *testing.T) {
	r := newRig(t, nil)
	r.m = New(r.m.cfg)
	r.in.Locked, r.in.PermitKnown = true, false
	r.plug(term.StateB)
	r.run(10 * time.Second)
	if !r.out.Lock || r.pulses > 0 {
		t.Errorf("lock %v after %d pulses", r.out.Lock, r.pulses)
	}
	r.in.PermitKnown = true
	r.run(time.Second)
	if r.out.Lock || r.pulses != 1 {
		t.Errorf("lock %v after %d pulses", r.out.Lock, r.pulses)
	}
}

func TestLockFails(t *testing.T) {
	r := newRig(t, nil)
	r.jammed = true
	r.plug(term.StateC)
	r.permit(16)
	took := r.until("lock failure", 10*time.Second, func() bool { return r.out.Status.LockFailed })
	if took < LockTries*LockTravel || took > LockTries*LockTravel+time.Second || r.pulses != LockTries {
		t.Errorf("failed after %v and %d pulses", took, r.pulses)
	}
	r.wantFault(term.FaultConnectorLock, true)
	r.jammed = false
	r.until("retry", LockRetry+time.Second, func() bool { return r.in.Locked })
	r.run(6 * time.Second)
	r.wantFault(term.FaultConnectorLock, false)
	r.until("power", 6*time.Second, func() bool { return r.out.Status.Closed })
}

func TestLockIsNotDrivenWithoutPlug(t *testing.T) {
	r := newRig(t, nil)
	r.permit(16)
	r.run(5 * time.Second)
	if r.pulses != 0 {
		t.Errorf("%d pulses into an empty socket", r.pulses)
	}
}

func TestWithdrawnPermit(t *testing.T) {
	for _, tc := range []struct {
		name     string
		then     func(*rig)
		from, to time.Duration
		reason   OpenReason
	}{
		{"vehicle leaves C", func(r *rig) { r.vehicle = term.StateB }, 0, 25 * time.Millisecond, OpenedByVehicle},
		{"vehicle stops drawing", func(r *rig) { r.amps = 0 }, 0, 510 * time.Millisecond, OpenedByPermit},
		{"vehicle ignores it", func(*rig) {}, OffLimit, OffLimit + 2*cycle, OpenedUnderLoad},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.charge()
			r.permit(0)
			r.step()
			if r.out.Duty != unit.DutyHigh {
				t.Fatalf("duty %v after the permit is gone", r.out.Duty)
			}
			tc.then(r)
			if took := r.until("opening", 6*time.Second, func() bool { return !r.out.Close }); took < tc.from || took > tc.to {
				t.Errorf("opened after %v, want %v to %v", took, tc.from, tc.to)
			}
			if r.out.Status.Opened != tc.reason {
				t.Errorf("opened by %v, want %v", r.out.Status.Opened, tc.reason)
			}
		})
	}
}

func TestFailShowsStateF(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.in.Permit.Fail = true
	r.step()
	if r.out.Close || r.out.Duty != unit.DutyLow {
		t.Fatalf("close %v, duty %v", r.out.Close, r.out.Duty)
	}
	r.run(time.Second)
	if r.out.Status.Pilot != term.StateF || r.out.Status.Faults != 0 {
		t.Errorf("pilot %v, faults %b", r.out.Status.Pilot, r.out.Status.Faults)
	}
	r.in.Permit.Fail = false
	r.run(time.Second)
	if r.out.Status.Pilot != term.StateC || r.out.Status.Faults != 0 {
		t.Errorf("after: pilot %v, faults %b", r.out.Status.Pilot, r.out.Status.Faults)
	}
	r.until("power again", 10*time.Second, func() bool { return r.out.Status.Closed })
}

func TestOfferPacing(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.run(10 * time.Second)
	r.permit(10)
	r.step()
	if want, _ := CurrentForDuty(DutyForCurrent(10 * unit.Ampere)); r.out.Status.Offered != want {
		t.Fatalf("offers %v right after a lower limit", r.out.Status.Offered)
	}
	r.amps = 10 * unit.Ampere
	r.permit(20)
	if took := r.until("raise", time.Minute, func() bool { return r.out.Status.Offered > 15*unit.Ampere }); took < 5*time.Second-cycle {
		t.Errorf("raised after %v", took)
	}
	r.permit(8)
	r.step()
	r.permit(7)
	r.step()
	if r.out.Status.Offered > 7*unit.Ampere {
		t.Errorf("a second lowering waits: %v", r.out.Status.Offered)
	}
}

func TestOfferIsTheLeastOfPermitCableAndBoard(t *testing.T) {
	for _, tc := range []struct {
		board, permit unit.Current
		ohms          unit.Resistance
		want          unit.Current
	}{
		{32, 40, 220 * unit.Ohm, 32}, {32, 40, 1500 * unit.Ohm, 13}, {63, 40, 680 * unit.Ohm, 20}, {16, 40, 220 * unit.Ohm, 16},
		{80, 80, 100 * unit.Ohm, 63}, {32, 8, 220 * unit.Ohm, 8},
	} {
		r := newRig(t, func(c *Config) { c.MaxCurrent = tc.board * unit.Ampere })
		r.plug(term.StateB)
		r.in.Proximity = tc.ohms
		r.permit(tc.permit)
		r.run(6 * time.Second)
		if got := r.out.Status.Offered; got > tc.want*unit.Ampere || got < tc.want*unit.Ampere-30 {
			t.Errorf("%+v: offers %v", tc, got)
		}
	}
}

func TestRecloseDelay(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.vehicle = term.StateB
	r.wantOpen(time.Second, OpenedByVehicle)
	r.vehicle = term.StateC
	took := r.until("power", 3*time.Second, func() bool { return r.out.Close })
	if took < 1400*time.Millisecond || took > 3*time.Second {
		t.Errorf("closed again after %v", took)
	}
}

func TestStateD(t *testing.T) {
	for _, vented := range []bool{true, false} {
		r := newRig(t, func(c *Config) { c.Ventilation = vented })
		r.charge()
		r.vehicle = term.StateD
		r.run(100 * time.Millisecond)
		if r.out.Close != vented {
			t.Errorf("ventilation %v: closed %v in state D", vented, r.out.Close)
		}
		if !vented && r.out.Status.Offered != 0 {
			t.Errorf("offers %v in a refused state D", r.out.Status.Offered)
		}
	}
}

func TestFewerPhasesNeedAnOpening(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.in.Permit.Phases = 1
	r.amps = 0
	r.wantOpen(time.Second, OpenedByPermit)
	r.run(100 * time.Millisecond)
	r.amps = 10 * unit.Ampere
	r.until("power", 10*time.Second, func() bool { return r.out.Status.Closed })
	if r.out.Phases != 1 {
		t.Errorf("closed %d lines", r.out.Phases)
	}
}

func TestInterlock(t *testing.T) {
	r := newRig(t, nil)
	r.in.Interlock = true
	r.plug(term.StateC)
	r.permit(16)
	r.run(10 * time.Second)
	if r.out.Close {
		t.Fatal("closed beside a live connector")
	}
	r.in.Interlock = false
	r.until("power", time.Second, func() bool { return r.out.Close })
}

// TestDeadlineIsKept: a machine that is stepped only at its deadlines and at changes does the same as one that is
// stepped every cycle, within the cycle.
func TestDeadlineIsKept(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	r.permit(0)
	r.step()
	start := r.now
	for n := 0; r.out.Close; n++ {
		if n > 100 || r.out.Deadline.IsZero() {
			t.Fatalf("no progress by deadlines: %v", r.out.Deadline)
		}
		r.now = r.out.Deadline
		r.in.Pilot = r.sample()
		r.m.Step(r.now, &r.in, &r.out)
	}
	if took := r.now.Sub(start); took > OffLimit {
		t.Errorf("opened after %v", took)
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	r := newRig(t, nil)
	r.charge()
	if n := testing.AllocsPerRun(1000, r.step); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

func BenchmarkStep(b *testing.B) {
	r := newRig(nil, nil)
	r.plug(term.StateC)
	r.permit(16)
	r.run(10 * time.Second)
	b.ReportAllocs()
	for b.Loop() {
		r.m.Step(r.now, &r.in, &r.out)
		r.now = r.now.Add(cycle)
	}
}

func ExampleDutyForCurrent() {
	fmt.Println(DutyForCurrent(16*unit.Ampere), DutyForCurrent(63*unit.Ampere), DutyForCurrent(5*unit.Ampere))
	// Output: 26.66 % 89.2 % 100 %
}
