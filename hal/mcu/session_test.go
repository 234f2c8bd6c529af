package mcu_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// TestChargeBehindController: a whole session on both connectors, without a fault.
func TestChargeBehindController(t *testing.T) {
	b := newBench(t, options{})
	for i, ref := range places {
		b.charge(ref)
		s, ok := b.pipe.Status(ref)
		if !ok || s.Offered != 15996*unit.Milliampere || !s.Closed || ref == socket && !s.Locked {
			t.Errorf("%v: %+v", ref, s)
		}
		if st, _ := b.connector(i + 1).Status(); st.Duty != 2666 || !st.Main || !st.Extra || st.Phases != 3 {
			t.Errorf("controller says %+v", st)
		}
		b.permit(ref, 0)
		b.wantLive(ref, false, 4*time.Second)
		b.run(2 * time.Second)
		b.wantFaults(ref)
	}
	if h, board := b.drv.Hello(); string(h.Firmware[:11]) != "reference 1" || board.Uptime == 0 || board.Reset != mcu.ResetPower {
		t.Errorf("%+v %+v", h, board)
	}
	if f := b.drv.Figures(); f.Bad != 0 || f.Foreign != 0 || f.Sessions != 1 || f.Losses != 0 {
		t.Errorf("%+v", f)
	}
}

// TestControllerOpensWhenVehicleLeavesC: the controller is quicker than the guard, and the guard sees no fault in that.
func TestControllerOpensWhenVehicleLeavesC(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.hung = true // the guard has no part in it
	_, err := b.world.Unplug(cable.EVSE, cable.Connector, halsim.UnplugOptions{})
	b.ok(err)
	if took := b.wantLive(cable, false, 100*time.Millisecond); took > 40*time.Millisecond {
		t.Errorf("opened after %v", took)
	}
	b.hung = false
	b.run(time.Second)
	b.wantFaults(cable)
	if s, _ := b.pipe.Status(cable); s.Closed || s.Pilot != term.StateA {
		t.Errorf("%+v", s)
	}
	if s, _ := b.connector(1).Status(); s.Opened != mcu.OpenedByVehicle || s.Held {
		t.Errorf("%+v", s)
	}
}

// TestAgentSilent: a guard that hangs is a contactor that opens within the agreed silence, and charging goes on when it
// is back, after the guard itself has said open.
func TestAgentSilent(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.hung = true
	if took := b.wantLive(cable, false, time.Second); took < 200*time.Millisecond || took > 330*time.Millisecond {
		t.Errorf("opened after %v, want the silence of 300 ms", took)
	}
	b.run(5 * time.Second)
	b.hung = false
	b.run(100 * time.Millisecond)
	if b.live(cable) {
		t.Error("closed again without a command to open in between")
	}
	b.wantLive(cable, true, 10*time.Second)
	b.wantFaults(cable, "pilotFault true", "pilotFault false")
}

// TestFallback: on silence a controller goes on at its own limit where both sides agreed on that.
func TestFallback(t *testing.T) {
	b := newBench(t, options{spec: func(s *mcu.Spec) { s.Fallback = true }, sim: func(c *mcusim.Config) { c.Fallback = 6 * unit.Ampere }})
	b.charge(cable)
	b.hung = true
	b.run(5 * time.Second)
	if s := b.world.State().EVSEs[0].Connectors[0]; !b.live(cable) || s.Duty != 10*unit.DutyPercent {
		t.Errorf("live %v, duty %v, want the 6 A of the fallback", b.live(cable), s.Duty)
	}
}

// TestSilentController: the guard opens what it cannot see, tells one fault once, and goes on by itself.
func TestSilentController(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.wire.Up = func([]byte) []byte { return nil } // it hears, and is not heard
	if took := b.wantLive(cable, false, time.Second); took > 500*time.Millisecond {
		t.Errorf("opened after %v", took)
	}
	b.run(30 * time.Second)
	b.wantFaults(cable, "pilotFault true")
	b.wantFaults(socket)
	b.wire.Up = nil
	b.wantLive(cable, true, 5*time.Second)
	b.run(5 * time.Second)
	b.wantFaults(cable, "pilotFault false")
	if f := b.drv.Figures(); f.Sessions != 1 {
		t.Errorf("%+v: want the session to outlive the silence", f)
	}
}

// TestDeafController: it is heard and hears nothing. It says so, and the guard believes it.
func TestDeafController(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.wire.Down = func([]byte) []byte { return nil }
	b.wantLive(cable, false, 400*time.Millisecond)
	b.run(10 * time.Second)
	b.wantFaults(cable, "pilotFault true")
	b.wire.Down = nil
	b.wantLive(cable, true, 5*time.Second)
}

// TestResetInSession: a controller that starts anew has forgotten everything and says so.
func TestResetInSession(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.sim.Reset(mcu.ResetWatchdog)
	b.wantLive(cable, false, 40*time.Millisecond)
	b.run(900 * time.Millisecond)
	if b.live(cable) {
		t.Error("closed again at once")
	}
	b.wantLive(cable, true, 5*time.Second)
	b.run(2 * time.Second)
	b.wantFaults(cable, "pilotFault true", "pilotFault false")
	_, board := b.drv.Hello()
	if f := b.drv.Figures(); f.Sessions != 2 || f.Losses != 1 || board.Reset != mcu.ResetWatchdog {
		t.Errorf("%+v %+v", f, board)
	}
}

// TestNewAgent: what an agent had permitted ends with the first word of the next.
func TestNewAgent(t *testing.T) {
	b := newBench(t, options{})
	b.charge(cable)
	b.now = b.now.Add(time.Millisecond)
	b.drive(options{}) // the old one is gone without a word, well within the silence
	b.run(50 * time.Millisecond)
	if b.live(cable) {
		t.Error("a permit of the old agent still counts")
	}
	if s, _ := b.connector(1).Status(); s.Opened != mcu.OpenedBySession {
		t.Errorf("opened by %v", s.Opened)
	}
	b.permit(cable, 16)
	b.wantLive(cable, true, 5*time.Second)
	b.wantFaults(cable)
}

// TestPulledPlug: the port of the agent is gone, and comes back.
func TestPulledPlug(t *testing.T) {
	b := newBench(t, options{})
	b.charge(socket)
	b.wire.Pulled = true
	b.wantLive(socket, false, 500*time.Millisecond)
	b.run(10 * time.Second)
	b.wantFaults(socket, "pilotFault true")
	b.wire.Pulled = false
	b.wantLive(socket, true, 5*time.Second)
	b.run(5 * time.Second)
	b.wantFaults(socket, "pilotFault false")
}
