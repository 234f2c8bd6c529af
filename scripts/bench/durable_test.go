package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/evsed/evsed/storage"
)

// The checkpoints that are measured apart come when the product's own come.
func TestCheckpointsComeAsInTheProduct(t *testing.T) {
	for _, waiting := range []int{0, backlogLap} {
		dir := t.TempDir()
		o, err := openOurs(dir, waiting, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		database := func() []byte {
			text, err := os.ReadFile(filepath.Join(dir, "state.db"))
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		checkpoints := 0
		for n, before := 0, database(); checkpoints < 3; n++ {
			if err := o.keep(n); err != nil {
				t.Fatal(err)
			}
			now := database()
			if changed := !bytes.Equal(now, before); changed != o.due() {
				t.Fatalf("%d waiting: after %d events the database changed: %v", waiting, n+1, changed)
			}
			if o.due() {
				checkpoints++
				o.rows, o.settled = 0, o.next // the product has done it
			}
			before = now
		}
		if err := o.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Every writer keeps what it was told to, in whatever order they have their turns.
func TestRivalsKeep(t *testing.T) {
	rs := rivals()[:3]
	o := options{work: t.TempDir()}
	if err := contest(o, rs, nil, 300); err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		if r.n != eventsWarm+300 || len(r.took) != 300 {
			t.Errorf("%s: %d events, %d timed", r.name, r.n, len(r.took))
		}
	}
	s, rep, err := storage.Open(filepath.Join(o.work, "online"), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.OutboxLen() != 1 || rep.Damaged() {
		t.Errorf("%d events left of the one that was not acknowledged, %+v", s.OutboxLen(), rep.Findings)
	}
	s.Abandon()
}

// Offline samples are all kept, a window of them at a time, and survive a power cut between two windows.
func TestSamplesShareASync(t *testing.T) {
	dir := t.TempDir()
	m, err := newSampler(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.span(); err != nil {
		t.Fatal(err)
	}
	if err := m.sample(); err != nil { // waits in memory
		t.Fatal(err)
	}
	m.s.Abandon()
	s, rep, err := storage.Open(filepath.Join(dir, "store"), storage.Options{})
	if err != nil || rep.Damaged() {
		t.Fatal(err, rep.Findings)
	}
	defer s.Abandon()
	windows := int(checkpointEvery / sampledWindow)
	if got, want := s.OutboxLen(), int(checkpointEvery/sampledInterval)*sampledEVSEs; got != want {
		t.Errorf("%d events of %d", got, want)
	}
	if want := windows * (int(sampledWindow/sampledInterval) + 1) * sampledEVSEs; rep.Replayed != want {
		t.Errorf("%d rows replayed, want %d: each event, and each transaction once a window", rep.Replayed, want)
	}
}
