package guard

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// TestSilentGuard: a guard whose socket lives and who says nothing counts as gone.
func TestSilentGuard(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	l, conn := pair(t)
	r := NewRemote([]term.Ref{ref}, time.Now)
	r.patience = 20 * time.Millisecond
	if !l.Send(&iec61851.Status{Ref: ref, At: time.Now(), Pilot: term.StateC, Closed: true, Closings: 1}) {
		t.Fatal("not sent")
	}
	if err := r.Run(context.Background(), conn); !errors.Is(err, ErrSilent) {
		t.Errorf("got %v, want %v", err, ErrSilent)
	}
	if s, ok := r.Status(ref); !ok || s.Closed || !s.Faults.Has(term.FaultInternal) {
		t.Errorf("status %+v", s)
	}
	var c Command
	for end := time.Now().Add(10 * time.Second); l.Err() == nil && time.Now().Before(end); {
		l.Receive(&c)
	}
	if !errors.Is(l.Err(), ErrClosed) {
		t.Errorf("the guard's end: %v, want it closed", l.Err())
	}
}

// TestStationThatWasStopped finds its deadline passed, and what the guard has said meanwhile behind it.
func TestStationThatWasStopped(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	l, conn := pair(t)
	r := NewRemote([]term.Ref{ref}, time.Now)
	s := iec61851.Status{Ref: ref, At: time.Now(), Pilot: term.StateB}
	if !l.Send(&s) {
		t.Fatal("not sent")
	}
	r.patience = -time.Second // passed before the first reading
	var frame [StatusSize + 1]byte
	if n, err := r.read(conn, frame[:]); n != 0 || err == nil {
		t.Fatalf("read %d bytes, %v: want a deadline that has passed", n, err)
	}
	r.patience = patience
	if n, err := r.read(conn, frame[:]); n != StatusSize || err != nil {
		t.Errorf("read %d bytes, %v: want what lay there", n, err)
	}
}

// TestAssuranceWakesNobody: a status that says nothing new shows that the guard moves, and no more.
func TestAssuranceWakesNobody(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	p := NewPipe([]term.Ref{ref})
	s := iec61851.Status{Ref: ref, At: time.Now(), Pilot: term.StateC, Closed: true, Closings: 1}
	woken := func() bool {
		select {
		case <-p.Wake():
			return true
		default:
			return false
		}
	}
	p.arrived(&s)
	if !woken() || len(p.Take(nil)) == 0 {
		t.Error("the first status is no news")
	}
	s.At = s.At.Add(time.Second)
	p.arrived(&s)
	if got, _ := p.Status(ref); woken() || len(p.Take(nil)) != 0 || !got.At.Equal(s.At) {
		t.Errorf("the same again is news: %+v", got)
	}
	s.Seen = s.Seen.With(term.FaultGround) // came and went
	p.arrived(&s)
	if !woken() || len(p.Take(nil)) != 2 {
		t.Error("a fault that came and went is none")
	}
	s.Seen = 0
	p.restart()
	p.arrived(&s)
	if !woken() {
		t.Error("the first status of the next guard is no news")
	}
}

// TestOwnEndIsNoLoss: a reader that has not begun to wait yet when its own side closes the socket has lost no guard.
func TestOwnEndIsNoLoss(t *testing.T) {
	_, conn := pair(t)
	r := NewRemote([]term.Ref{{EVSE: 1, Connector: 1}}, time.Now)
	conn.Close()
	if err := ignoreClosed(r.receive(conn)); err != nil {
		t.Error(err)
	}
}
