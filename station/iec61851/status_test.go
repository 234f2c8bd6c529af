package iec61851

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// tell writes notices in short.
func tell(notices []Notice) string {
	var words []string
	for _, n := range notices {
		switch n.Kind {
		case PilotChanged:
			words = append(words, "pilot "+n.Pilot.String())
		case CableChanged:
			words = append(words, fmt.Sprintf("cable %v %v", n.Present, n.Rating))
		case PowerChanged:
			words = append(words, fmt.Sprintf("power %v %v", n.Closed, n.Reason))
		case LockChanged:
			words = append(words, fmt.Sprintf("lock %v %v", n.Locked, n.Failed))
		case FaultChanged:
			words = append(words, fmt.Sprintf("%v %v", n.Fault, n.Active))
		case OfferChanged:
			words = append(words, fmt.Sprintf("offer %v", n.Offered))
		}
	}
	return strings.Join(words, ", ")
}

func TestAppendNotices(t *testing.T) {
	idle := Status{Pilot: term.StateA, Duty: unit.DutyHigh}
	live := Status{Pilot: term.StateC, Duty: 2666, Offered: 15996, Cable: CablePresent, Rating: 32000, Locked: true, Closed: true, Closings: 1}
	ground := FaultsOf(term.FaultGround)
	for _, tc := range []struct {
		name     string
		old, new Status
		want     string
	}{
		{"nothing", live, live, ""},
		{"first", Status{}, idle, "pilot A, offer 0 A"},
		{"charge begins", idle, live, "cable true 32 A, lock true false, pilot C, offer 15.996 A, power true never"},
		{"fault ends it", live, func(s Status) Status {
			s.Closed, s.Faults, s.Seen, s.Opened = false, ground, ground, OpenedByFault
			return s
		}(live),
			"power false fault, groundFailure true"},
		{"fault missed", live, func(s Status) Status { s.Seen = ground; return s }(live), "groundFailure true, groundFailure false"},
		{"fault still there", func(s Status) Status { s.Faults = ground; return s }(live),
			func(s Status) Status { s.Faults, s.Seen = ground, ground; return s }(live), ""},
		{"opening missed", live, func(s Status) Status { s.Closings, s.Opened = 2, OpenedByVehicle; return s }(live),
			"power false vehicle, power true never"},
		{"whole charge missed", idle, func(s Status) Status { s.Closings, s.Opened = 1, OpenedByPermit; return s }(idle),
			"power true never, power false permit"},
	} {
		if got := tell(AppendNotices(nil, &tc.old, &tc.new)); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestNoticesAreBounded: the worst difference fits, and writing it does not allocate.
func TestNoticesAreBounded(t *testing.T) {
	all := FaultsOf()
	for f := term.FaultNone + 1; f <= lastFault; f++ {
		all = all.With(f)
	}
	worst := Status{Pilot: term.StateC, Cable: CablePresent, Locked: true, Offered: 1, Closings: 1, Seen: all}
	buf := make([]Notice, 0, MaxNotices)
	if n := testing.AllocsPerRun(100, func() { buf = AppendNotices(buf[:0], &Status{}, &worst) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(buf) != MaxNotices {
		t.Errorf("%d notices, MaxNotices says %d", len(buf), MaxNotices)
	}
}

// TestSeenUntilPassed: a fault that came and went is in Seen until somebody has taken the status.
func TestSeenUntilPassed(t *testing.T) {
	r := newRig(t, nil)
	r.in.Tripped = true
	r.run(50 * time.Millisecond)
	r.in.Tripped = false
	r.run(time.Minute)
	if s := r.out.Status; s.Faults != 0 || !s.Seen.Has(term.FaultGround) {
		t.Errorf("%v %v", s.Faults, s.Seen)
	}
	r.m.Passed()
	r.step()
	if s := r.out.Status; s.Seen != 0 {
		t.Errorf("%v after it was passed on", s.Seen)
	}
}

func TestTetheredWithoutLockAndFeedback(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Tethered, c.HasLock, c.HasFeedback = true, false, false })
	r.stuck = true
	r.vehicle = term.StateC
	r.permit(16)
	r.run(time.Second)
	if s := r.out.Status; !s.Closed || s.Faults != 0 || s.HasLock || s.Locked || s.Rating != 32*unit.Ampere {
		t.Errorf("%+v", s)
	}
	r.vehicle = term.StateA
	r.wantOpen(25*time.Millisecond, OpenedByVehicle)
	r.run(time.Second)
	if s := r.out.Status; s.Closed || s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}
