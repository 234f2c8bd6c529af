package update

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// rig drives a machine: hours pass, sessions come and go.
type rig struct {
	*testing.T
	m     Machine
	w     World
	valid bool
	told  []Status
}

func newRig(t *testing.T) *rig {
	return &rig{T: t, w: World{Now: time.Unix(1000, 0), Wall: someday}, valid: true}
}

func (r *rig) take(t Turn) Turn {
	for _, n := range t.Notices {
		r.told = append(r.told, n.Status)
		if n.RequestID != 7 || !n.HasRequestID {
			r.Errorf("%s is told of request %d", n.Status, n.RequestID)
		}
		if !t.Keep {
			r.Errorf("%s is told and not kept", n.Status)
		}
	}
	return t
}

func (r *rig) pass(d time.Duration) Turn {
	r.w.Now, r.w.Wall = r.w.Now.Add(d), r.w.Wall.Add(d)
	return r.take(r.m.Settle(r.w))
}

func (r *rig) begin(change func(*Update)) (Turn, bool, bool) {
	u := Update{RequestID: 7, HasRequestID: true, URL: "u", Retries: 1, Interval: 10 * time.Second, Signature: []byte{1}}
	if change != nil {
		change(&u)
	}
	t, canceled, ok := r.m.Begin(r.w, u)
	return r.take(t), canceled, ok
}

// restart begins anew with what was kept.
func (r *rig) restart(runs Running) Turn {
	k := r.m.Kept()
	r.m = Machine{}
	if err := r.m.Restore(k); err != nil && k.Status != Idle {
		r.Fatal(err)
	}
	return r.take(r.m.Start(r.w, runs))
}

// number is that of the update under way.
func (r *rig) number() uint64 { return r.m.Current().Number }

// to brings a fresh machine to a state.
func (r *rig) to(s Status) {
	r.Helper()
	later := func(u *Update) { u.Install = r.w.Wall.Add(time.Hour) }
	switch s {
	case Idle:
		return
	case DownloadScheduled:
		r.begin(func(u *Update) { u.Retrieve = r.w.Wall.Add(time.Hour) })
	case DownloadPaused:
		r.begin(nil)
		r.w.Ill = true
		r.pass(0)
	case Downloading:
		r.begin(nil)
	case DownloadFailed:
		r.begin(nil)
		r.take(r.m.FetchFailed(r.w, r.number(), "x", true))
	case InvalidSignature:
		r.begin(nil)
		r.take(r.m.Fetched(r.w, r.number(), []byte{1}, func(Update) bool { return false }))
	case InstallScheduled:
		r.begin(later)
		r.take(r.m.Fetched(r.w, r.number(), []byte{1}, func(Update) bool { return true }))
	case Installing:
		r.begin(nil)
		r.take(r.m.Fetched(r.w, r.number(), []byte{1}, func(Update) bool { return true }))
	case InstallRebooting:
		r.to(Installing)
		r.take(r.m.Checked(r.w, r.number(), "2"))
	case Installed:
		r.to(InstallRebooting)
		r.take(r.m.Enabled(r.number(), true))
	case InstallationFailed:
		r.to(Installing)
		r.take(r.m.InstallFailed(r.number(), "x", false))
	case InstallVerificationFailed:
		r.to(Installing)
		r.take(r.m.InstallFailed(r.number(), "x", true))
	}
	if r.m.Status() != s {
		r.Fatalf("%s, want %s", r.m.Status(), s)
	}
}

// events are all that can happen to a machine.
var events = []struct {
	name string
	do   func(*rig) Turn
}{
	{"request", func(r *rig) Turn { t, _, _ := r.begin(nil); return t }},
	{"fetched", func(r *rig) Turn {
		return r.take(r.m.Fetched(r.w, r.number(), []byte{2}, func(Update) bool { return true }))
	}},
	{"forged", func(r *rig) Turn {
		return r.take(r.m.Fetched(r.w, r.number(), []byte{2}, func(Update) bool { return false }))
	}},
	{"cut", func(r *rig) Turn { return r.take(r.m.FetchFailed(r.w, r.number(), "x", false)) }},
	{"gone", func(r *rig) Turn { return r.take(r.m.FetchFailed(r.w, r.number(), "x", true)) }},
	{"fetched before", func(r *rig) Turn {
		return r.take(r.m.Fetched(r.w, r.number()-1, []byte{2}, func(Update) bool { return true }))
	}},
	{"checked", func(r *rig) Turn { return r.take(r.m.Checked(r.w, r.number(), "2")) }},
	{"unfit", func(r *rig) Turn { return r.take(r.m.InstallFailed(r.number(), "x", true)) }},
	{"broken", func(r *rig) Turn { return r.take(r.m.InstallFailed(r.number(), "x", false)) }},
	{"enabled", func(r *rig) Turn { return r.take(r.m.Enabled(r.number(), false)) }},
	{"live", func(r *rig) Turn { return r.take(r.m.Enabled(r.number(), true)) }},
	{"not enabled", func(r *rig) Turn { return r.take(r.m.EnableFailed(r.number(), "x")) }},
	{"not rebooted", func(r *rig) Turn { r.m.NotRebooted(); return Turn{} }},
	{"proved", func(r *rig) Turn { return r.take(r.m.Proved()) }},
	{"silence", func(r *rig) Turn { return r.pass(InstallPatience) }},
	{"an hour", func(r *rig) Turn { return r.pass(time.Hour) }},
	{"storage", func(r *rig) Turn { r.w.Ill = !r.w.Ill; return r.pass(0) }},
	{"car", func(r *rig) Turn { r.w.Busy = !r.w.Busy; return r.pass(0) }},
	{"restart", func(r *rig) Turn { return r.restart(Running{Version: "1", Slot: "a"}) }},
}

// next is what may follow on each state in one step; what is not named stays as it is. A request may follow on all of them
// but while an image is installed.
var next = map[Status]map[string]Status{
	Idle:                      {},
	DownloadScheduled:         {"an hour": Downloading},
	Downloading:               {"fetched": Installing, "forged": InvalidSignature, "gone": DownloadFailed, "storage": DownloadPaused},
	DownloadPaused:            {"storage": Downloading, "request": DownloadPaused},
	DownloadFailed:            {},
	InvalidSignature:          {},
	InstallScheduled:          {"an hour": Installing},
	Installing:                {"checked": InstallRebooting, "unfit": InstallVerificationFailed, "broken": InstallationFailed, "silence": InstallationFailed, "an hour": InstallationFailed, "request": Installing},
	InstallRebooting:          {"live": Installed, "not enabled": InstallationFailed, "silence": InstallationFailed, "an hour": InstallationFailed, "request": InstallRebooting},
	InstallationFailed:        {},
	InstallVerificationFailed: {},
	Installed:                 {},
}

// TestEveryStateAndEvent: what each state makes of each event; whatever is told is kept, and survives a restart.
func TestEveryStateAndEvent(t *testing.T) {
	for state, rows := range next {
		for _, ev := range events {
			want, moves := rows[ev.name]
			switch {
			case moves:
			case ev.name == "request":
				want = Downloading
			default:
				want = state
			}
			t.Run(fmt.Sprintf("%s/%s", state, ev.name), func(t *testing.T) {
				r := newRig(t)
				r.to(state)
				before := len(r.told)
				turn := ev.do(r)
				if got := r.m.Status(); got != want {
					t.Errorf("%s, want %s (told %v)", got, want, r.told[before:])
				}
				if len(r.told) > 0 && r.told[len(r.told)-1] != r.m.Status() {
					t.Errorf("told %v, and it is %s", r.told, r.m.Status())
				}
				if turn.Install && r.w.Busy || turn.Enable && r.w.Busy {
					t.Error("it is installed while a session runs")
				}
				r.again()
			})
		}
	}
}

// again replays what was kept into a fresh machine: it is in the same state, and nothing is told twice.
func (r *rig) again() {
	r.Helper()
	data, err := json.Marshal(r.m.Kept())
	if err != nil {
		r.Fatal(err)
	}
	var k Kept
	var m Machine
	if err := json.Unmarshal(data, &k); err != nil {
		r.Fatal(err)
	}
	if err := m.Restore(k); err != nil {
		r.Fatal(err)
	}
	if m.Status() != r.m.Status() || m.Current().RequestID != r.m.Current().RequestID {
		r.Errorf("behind a restart: %s of %d, want %s of %d", m.Status(), m.Current().RequestID, r.m.Status(), r.m.Current().RequestID)
	}
	old := r.m.Status()
	t := m.Start(World{Now: time.Unix(5, 0), Wall: r.w.Wall, Busy: true}, Running{Version: "1", Slot: "a"})
	for _, n := range t.Notices {
		if n.Status == old {
			r.Errorf("%s is told twice", old)
		}
	}
}
