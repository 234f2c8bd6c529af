package update

import (
	"encoding/json"
	"testing"
	"time"
)

// A CSMS may not ask without end: each update moves an image and is written to flash.
func TestBurst(t *testing.T) {
	r := newRig(t)
	for i := range Burst {
		if _, _, ok := r.begin(nil); !ok {
			t.Fatalf("update %d of %d is refused", i+1, Burst)
		}
	}
	kept := r.number()
	if _, _, ok := r.begin(nil); ok || r.number() != kept {
		t.Errorf("update %d is begun", Burst+1)
	}
	r.pass(Every)
	if _, canceled, ok := r.begin(nil); !ok || !canceled {
		t.Errorf("a minute later: %v, %v", canceled, ok)
	}
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		retries  int
		interval time.Duration
		attempts int
		every    time.Duration
	}{
		{0, time.Minute, 1, time.Minute},
		{2, time.Minute, 3, time.Minute},
		{-1, 0, 1 + defaultRetries, defaultInterval},
		{1000, time.Second, 1 + maxRetries, minInterval},
		{1, 1000 * time.Hour, 2, maxInterval},
	} {
		r := newRig(t)
		turn, _, _ := r.begin(func(u *Update) { u.Retries, u.Interval = c.retries, c.interval })
		attempts := 0
		for turn.Fetch {
			if attempts++; turn.Resume != (attempts > 1) {
				t.Errorf("attempt %d resumes: %v", attempts, turn.Resume)
			}
			r.take(r.m.FetchFailed(r.w, r.number(), "x", false))
			if d := r.m.Deadline(r.w); !d.IsZero() && d.Sub(r.w.Now) != c.every {
				t.Errorf("the next attempt is in %v, want %v", d.Sub(r.w.Now), c.every)
			}
			if turn = r.pass(c.every - 1); turn.Fetch {
				t.Error("an attempt is early")
			}
			turn = r.pass(1)
		}
		if attempts != c.attempts || r.m.Status() != DownloadFailed {
			t.Errorf("%d retries: %d attempts, %s", c.retries, attempts, r.m.Status())
		}
	}
}

// An image that was activated and does not come up is activated again, but not without end.
func TestActivations(t *testing.T) {
	r := newRig(t)
	r.to(InstallRebooting)
	for i := 1; ; i++ {
		if i > MaxActivations+1 {
			t.Fatal("it goes on for ever")
		}
		if turn := r.take(r.m.Enabled(r.number(), false)); !turn.Reboot {
			t.Fatal("no restart")
		}
		if turn := r.restart(Running{Version: "1", Slot: "a"}); turn.Enable {
			continue
		}
		break
	}
	if r.m.Status() != InstallationFailed {
		t.Error(r.m.Status())
	}
}

// What runs behind a restart says what became of an image.
func TestStarted(t *testing.T) {
	for name, c := range map[string]struct {
		runs  Running
		want  Status
		trial bool
	}{
		"it runs":                           {Running{Version: "2", Slot: "b"}, Installed, false},
		"it runs where there are no slots":  {Running{Version: "2"}, Installed, false},
		"it runs on trial":                  {Running{Version: "2", Slot: "b", Trial: true}, InstallRebooting, true},
		"it was taken back":                 {Running{Version: "1", Slot: "a", GaveUp: "2", Why: "no CSMS"}, InstallationFailed, false},
		"another was taken back before":     {Running{Version: "1", Slot: "a", GaveUp: "1.5"}, InstallRebooting, false},
		"the same version ran here already": {Running{Version: "2", Slot: "a"}, InstallRebooting, false},
	} {
		r := newRig(t)
		r.m.Start(r.w, Running{Version: "1", Slot: "a"})
		r.to(InstallRebooting)
		turn := r.restart(c.runs)
		if r.m.Status() != c.want || turn.Enable != (c.want == InstallRebooting && !c.trial) {
			t.Errorf("%s: %s, %+v", name, r.m.Status(), turn)
		}
		if proved := r.take(r.m.Proved()); c.trial != (len(proved.Notices) == 1 && r.m.Status() == Installed) {
			t.Errorf("%s: proved: %+v, %s", name, proved, r.m.Status())
		}
	}
}

// The wall clock moves: what waits for a time heeds it.
func TestClockMoves(t *testing.T) {
	r := newRig(t)
	r.to(DownloadScheduled)
	if d := r.m.Deadline(r.w).Sub(r.w.Now); d != time.Hour {
		t.Errorf("the download is in %v", d)
	}
	r.w.Wall = r.w.Wall.Add(-time.Hour)
	if d := r.m.Deadline(r.w).Sub(r.w.Now); d != 2*time.Hour || r.pass(time.Hour).Fetch {
		t.Errorf("behind a step back it is in %v", d)
	}
	r.w.Wall = r.w.Wall.Add(time.Hour)
	if !r.pass(0).Fetch {
		t.Error("a step forward does not begin it")
	}
}

// FuzzRestore: whatever lies on flash, the machine comes to an end or waits for somebody.
func FuzzRestore(f *testing.F) {
	for s := range next {
		k, _ := json.Marshal(Kept{Status: s, Update: Update{Number: 3, RequestID: 7, HasRequestID: true, Version: "2", Activations: 1}})
		f.Add(k, "2", true)
	}
	f.Add([]byte(`{"st":"Installing","u":{"n":1,"left":-5,"act":-1}}`), "", false)
	f.Fuzz(func(t *testing.T, data []byte, version string, trial bool) {
		var k Kept
		if json.Unmarshal(data, &k) != nil {
			return
		}
		var m Machine
		if m.Restore(k) != nil {
			return
		}
		w := World{Now: time.Unix(1, 0), Wall: someday}
		m.Start(w, Running{Version: version, Slot: "a", Trial: trial})
		for range 100 {
			d := m.Deadline(w)
			if d.IsZero() {
				break
			}
			if d.After(w.Now) {
				w.Wall = w.Wall.Add(d.Sub(w.Now))
				w.Now = d
			}
			m.Settle(w)
		}
		if !m.Status().Known() {
			t.Fatalf("status %q", m.Status())
		}
		if again := (&Machine{}).Restore(m.Kept()); again != nil && m.Status() != Idle {
			t.Fatalf("what is kept cannot be restored: %v", again)
		}
	})
}
