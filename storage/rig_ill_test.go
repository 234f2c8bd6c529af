package storage_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// ill makes every write to the device fail, the databases' too; nil heals it.
func (w *world) ill(why error) {
	w.disk.files.Always(why)
	w.disk.why = why
}

// full lets no file grow. The databases still find room once the reserve has been given up, unless somebody else took it.
func (w *world) full(takesReserve bool) {
	w.disk.files.Room(0)
	w.disk.packed, w.disk.robbed = true, takesReserve
}

func (w *world) roomy() {
	w.disk.files.Room(-1)
	w.disk.packed, w.disk.robbed = false, false
}

// charging is a world in which ALICE charges at EVSE 1.
func charging(t *testing.T, seed uint64) *world {
	w := newWorld(t, seed)
	w.disk.arm(0, func() bool { return false })
	w.line.wanted = true
	w.boot()
	for _, l := range []string{"advance 2s", "set SampledDataCtrlr/TxUpdatedInterval=10", "set AuthCtrlr/OfflineTxForUnknownIdEnabled=true", "plug 1", "swipe ALICE", "advance 20s"} {
		w.tell(l)
	}
	w.want(t, w.post(1).closed, "the car charges")
	return w
}

func (w *world) want(t *testing.T, ok bool, what string) {
	t.Helper()
	if w.err != nil {
		t.Fatal(w.err)
	}
	if !ok {
		t.Fatalf("at %v: want: %s (state %q, lights %v)", w.now, what, w.state, w.lights)
	}
}

// refuses checks that no session begins at EVSE 2, and what is said of it.
func (w *world) refuses(t *testing.T, code string) {
	t.Helper()
	w.want(t, w.state == code, "the core knows of "+code)
	id := w.ask(station.RequestStart{EVSE: 2, RemoteStartID: 1, Token: term.IdToken{Value: "BOB", Type: term.TokenCentral}}, true)
	w.tell("plug 2")
	w.tell("swipe BOB")
	w.advance(5 * time.Second)
	w.want(t, !w.post(2).permit.Close, "no session begins")
	got, _ := w.said[id].Body.(station.StartStatus)
	if got.Status.Status != "Rejected" || got.Status.Reason != "OutOfStorage" || got.Status.Info != code {
		t.Errorf("remote start is answered with %+v", got.Status)
	}
	problem, _ := w.csms.problem()
	w.want(t, problem.Problem && problem.Code == term.FaultStorage.String() && problem.Info == code || w.line.up == false, "the CSMS hears of the problem")
	told := w.csms.latest["status/2.1"]
	if s, ok := told.(station.StatusNotification); w.line.up && (!ok || s.Status == station.StatusAvailable) {
		t.Errorf("the CSMS was told %+v", told)
	}
	local := w.ask(station.GetDiagnosticState{}, false)
	if d := w.said[local].Body.(station.DiagnosticState); !slices.Contains(d.Faults, term.FaultStorage) {
		t.Errorf("a local interface sees the faults %v", d.Faults)
	}
	w.tell("unplug 2")
}

// recovers waits for the storage to be well by itself, and begins a session.
func (w *world) recovers(t *testing.T) {
	t.Helper()
	w.advance(3 * time.Minute)
	w.want(t, w.state == "", "well again")
	for _, l := range []string{"up", "advance 5s", "plug 2", "swipe CAROL", "advance 5s"} {
		w.tell(l)
	}
	w.want(t, w.post(2).closed, "a session begins")
}

func (w *world) books(t *testing.T) {
	t.Helper()
	w.audit()
	w.want(t, true, "")
}

// TestFullDevice: the reserve is given up, no session begins, the running one ends from what is left and is billed behind
// a power cut; the CSMS hears why.
func TestFullDevice(t *testing.T) {
	for _, offline := range []bool{false, true} {
		w := charging(t, 1)
		w.full(false)
		if offline {
			w.tell("down")
		}
		w.advance(11 * time.Minute) // the next checkpoint finds out
		w.refuses(t, storage.CodeFull)
		w.want(t, w.post(1).closed, "who charges goes on charging")
		w.tell("swipe ALICE")
		w.advance(time.Second)
		w.want(t, !w.post(1).closed, "the session ends")
		w.cut() // with nothing of what was not synced
		w.advance(3 * time.Second)
		w.boot()
		w.tell("up")
		w.tell("advance 5s")
		w.refuses(t, storage.CodeFull) // from the start on: there is no room for a reserve
		w.roomy()
		w.recovers(t)
		w.want(t, slices.ContainsFunc(w.csms.security, func(e station.SecurityEvent) bool {
			return e.Type == station.MemoryExhaustion && e.Info == storage.CodeFull
		}), "a security event with the code")
		w.want(t, len(w.csms.events["T1"]) > 3, "the session is told")
		w.books(t)
		w.remove()
	}
}

// TestFullDeviceForDays: not even the reserve helps, for two days of one session with power cuts; it is ended and billed.
func TestFullDeviceForDays(t *testing.T) {
	w := charging(t, 2)
	w.tell("down")
	w.full(true)
	w.advance(24 * time.Hour)
	w.refuses(t, storage.CodeFull)
	w.cut()
	w.advance(time.Minute)
	w.boot()
	w.advance(24 * time.Hour)
	w.tell("swipe ALICE")
	w.tell("unplug 1")
	w.advance(time.Minute)
	w.cut()
	w.advance(time.Minute)
	w.boot()
	w.advance(time.Hour)
	w.roomy()
	w.recovers(t)
	w.books(t)
	w.want(t, len(w.csms.events) == 2, "two sessions in all")
	w.remove()
}

// TestFailingDevice: nothing can be written at all. Who charges goes on, may stop, and is billed afterwards; with a power
// cut before the device is back the station ends the session when it starts.
func TestFailingDevice(t *testing.T) {
	for _, tt := range []struct {
		why  error
		code string
	}{{syscall.EIO, storage.CodeIO}, {syscall.EROFS, storage.CodeRO}, {syscall.ENOSPC, storage.CodeFull}} {
		for _, cut := range []bool{false, true} {
			w := charging(t, 3)
			w.ill(tt.why)
			w.advance(15 * time.Second)
			w.refuses(t, tt.code)
			w.want(t, w.post(1).closed, "who charges goes on charging")
			w.advance(2 * time.Hour)
			if n := w.runner.Waiting(); n > 8 {
				t.Errorf("%d reports wait in memory after two hours", n)
			}
			w.tell("swipe ALICE")
			w.tell("unplug 1")
			w.want(t, !w.post(1).closed, "power is taken away without the disk")
			w.advance(time.Hour)
			if cut {
				w.ill(nil)
				w.cut()
				w.advance(time.Minute)
				w.boot()
			}
			w.ill(nil)
			w.recovers(t)
			problem, ok := w.csms.problem()
			if !cut && (!ok || problem.Problem) { // a restart tells no problem that it does not know
				t.Errorf("%v: the CSMS was told last of %+v", tt.why, problem)
			}
			w.books(t)
			w.remove()
		}
	}
}

// TestSlowDevice: each sync takes 5 s. A start waits, and says so; power is taken away at once, and the CSMS is answered.
func TestSlowDevice(t *testing.T) {
	w := newWorld(t, 4)
	w.disk.arm(0, func() bool { return false })
	w.line.wanted = true
	w.boot()
	w.advance(5 * time.Second)
	w.keeper.slow = true
	w.tell("plug 1")
	w.tell("swipe ALICE")
	w.advance(2 * time.Second)
	w.want(t, !w.post(1).permit.Close && w.lights[0] == "authorizing" && w.slow == storage.CodeSlow, "the start waits and says so")
	id := w.ask(station.GetVariables{Items: []model.GetItem{{Component: model.Component{Name: "OCPPCommCtrlr"}, Variable: model.Variable{Name: "HeartbeatInterval"}}}}, true)
	w.advance(100 * time.Millisecond)
	w.want(t, w.said[id].Body != nil, "the CSMS is answered meanwhile")
	w.advance(10 * time.Second)
	w.want(t, w.post(1).closed && w.slow == "", "the start has come")
	w.tell("swipe ALICE")
	w.advance(100 * time.Millisecond)
	w.want(t, !w.post(1).closed, "power is taken away at once")
	for range 200 {
		w.tell(w.random())
		w.boot()
		if n := w.runner.Waiting(); n > 64 {
			t.Fatalf("%d reports wait in memory", n)
		}
	}
	w.keeper.slow = false
	w.books(t)
	w.remove()
}
