package update

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Machine is the state. The zero value is one that was never asked for an update.
type Machine struct {
	status   Status // "": none yet
	u        Update
	running  bool      // a step is under way outside
	resume   bool      // an attempt to download has been made
	trial    bool      // the new image runs and has to prove itself
	next     time.Time // of the next attempt, monotonic
	patience time.Time // when the step under way is given up, monotonic
	ration   term.Ration
	slot     string // where what runs lies
}

// Kept is what survives.
type Kept struct {
	Status Status `json:"st"`
	Update Update `json:"u"`
}

// Kept returns what must be on flash before anything of the turn happens.
func (m *Machine) Kept() Kept { return Kept{m.Status(), m.u} }

// Restore takes what was kept, before Start.
func (m *Machine) Restore(k Kept) error {
	switch {
	case !k.Status.Known():
		return fmt.Errorf("update: status %q is unknown", k.Status)
	case k.Update.Number == 0 && k.Status != Idle:
		return errors.New("update: it has no number")
	case k.Update.Activations < 0:
		return errors.New("update: negative count of activations")
	}
	k.Update.Retries, k.Update.Interval = retriesOf(k.Update.Retries), intervalOf(k.Update.Interval)
	m.status, m.u, m.resume = k.Status, k.Update, true
	return nil
}

// Status is the state as it was last told.
func (m *Machine) Status() Status {
	if m.status == "" {
		return Idle
	}
	return m.status
}

// Current is the update that was begun last.
func (m *Machine) Current() Update { return m.u }

// Waiting reports whether an image waits for sessions to end: its time has come (L01.FR.06).
func (m *Machine) Waiting(w World) bool { return m.status == InstallScheduled && m.installDue(w) }

// Installing reports whether an image is being checked or activated: no session may begin, for the station restarts soon.
func (m *Machine) Installing() bool {
	return m.status == Installing || m.status == InstallRebooting && !m.trial && m.running
}

// Can says whether a newer update can be begun: not while an image is installed or proves itself (L01.FR.27).
func (m *Machine) Can() bool { return m.status != Installing && m.status != InstallRebooting }

// Begin makes u the current update, whose number it sets, and ends an older one: canceled says that there was one
// (L01.FR.24). ok is false where the CSMS asks too often, and where Can is; nothing has changed then.
func (m *Machine) Begin(w World, u Update) (t Turn, canceled, ok bool) {
	if !m.Can() || !m.ration.Take(w.Now, Burst, Every) {
		return Turn{}, false, false
	}
	canceled = !m.Status().Over()
	if m.running {
		t.Cancel = m.u.Number
	}
	u.Number = m.u.Number + 1
	u.Retries, u.Interval = retriesOf(u.Retries), intervalOf(u.Interval)
	m.u, m.running, m.resume, m.trial, m.next, m.patience = u, false, false, false, time.Time{}, time.Time{}
	if w.Wall.Before(u.Retrieve) { // L01.FR.13
		m.enter(&t, DownloadScheduled, "")
	} else {
		m.enter(&t, Downloading, "")
	}
	m.settle(w, &t)
	return t, canceled, true
}

// enter goes to a state and has it told.
func (m *Machine) enter(t *Turn, s Status, reason string) {
	m.status = s
	if s.Over() {
		m.running, m.next, m.patience, m.trial = false, time.Time{}, time.Time{}, false
		m.u.URL, m.u.Certificate, m.u.Signature = "", nil, nil
	}
	t.Keep = true
	t.Notices = append(t.Notices, Notice{Status: s, RequestID: m.u.RequestID, HasRequestID: m.u.HasRequestID, Reason: reason})
}

// Settle goes on as far as time and the world allow.
func (m *Machine) Settle(w World) Turn {
	var t Turn
	m.settle(w, &t)
	return t
}

func (m *Machine) settle(w World, t *Turn) {
	m.giveUp(w, t)
	switch m.status {
	case DownloadScheduled:
		if !w.Wall.Before(m.u.Retrieve) {
			m.enter(t, Downloading, "")
			m.fetch(w, t)
		}
	case Downloading, DownloadPaused:
		m.fetch(w, t)
	case Downloaded, SignatureVerified, InstallScheduled:
		m.install(w, t)
	case Installing:
		if !m.running {
			m.install(w, t)
		}
	case InstallRebooting:
		m.enable(w, t)
	}
}

// fetch begins an attempt whose time has come, and pauses one while the station has to look after its own flash (L01.FR.14).
func (m *Machine) fetch(w World, t *Turn) {
	switch {
	case w.Ill && m.status == Downloading:
		if m.running {
			t.Cancel = m.u.Number
		}
		m.running, m.patience = false, time.Time{}
		m.enter(t, DownloadPaused, "")
		return
	case w.Ill, m.running, w.Now.Before(m.next):
		return
	case m.status == DownloadPaused:
		m.enter(t, Downloading, "")
	}
	m.begin(w, FetchPatience)
	t.Fetch, t.Resume = true, m.resume
	m.resume, m.next = true, time.Time{}
}

func (m *Machine) begin(w World, patience time.Duration) {
	m.running, m.patience = true, w.Now.Add(patience)
}

func (m *Machine) installDue(w World) bool { return !w.Wall.Before(m.u.Install) }

// install begins to install an image, or has it wait: for its time (L01.FR.16) or for the end of sessions (L01.FR.06, L01.FR.34).
func (m *Machine) install(w World, t *Turn) {
	if m.status != Installing {
		if w.Busy || w.Ill || !m.installDue(w) {
			if m.status != InstallScheduled {
				m.enter(t, InstallScheduled, "")
			}
			return
		}
		m.enter(t, Installing, "") // L01.FR.05
	}
	m.begin(w, InstallPatience)
	t.Install = true
}

// enable has the image run from the next start on, once no session runs (L01.FR.33).
func (m *Machine) enable(w World, t *Turn) {
	if m.running || m.trial || w.Busy || m.u.Activations >= MaxActivations {
		return
	}
	m.u.Activations++
	m.u.From = m.slot
	t.Keep, t.Enable = true, true
	m.begin(w, EnablePatience)
}

// giveUp ends a step of which nothing is heard.
func (m *Machine) giveUp(w World, t *Turn) {
	if !m.running || m.patience.IsZero() || w.Now.Before(m.patience) {
		return
	}
	t.Cancel = m.u.Number
	m.running, m.patience = false, time.Time{}
	if m.status == Downloading {
		m.again(w, t, ReasonSilent)
		return
	}
	m.enter(t, InstallationFailed, ReasonSilent)
}

// again plans the next attempt to download; without one left the update has failed (L01.FR.30).
func (m *Machine) again(w World, t *Turn, reason string) {
	if m.u.Retries == 0 {
		m.enter(t, DownloadFailed, reason)
		return
	}
	m.u.Retries--
	t.Keep = true
	m.next = w.Now.Add(m.u.Interval)
}

// mine reports whether an answer is to the step that is under way.
func (m *Machine) mine(number uint64, in Status) bool {
	return m.running && m.status == in && m.u.Number == number
}

// Progress tells that a download moves.
func (m *Machine) Progress(w World, number uint64) {
	if m.mine(number, Downloading) {
		m.patience = w.Now.Add(FetchPatience)
	}
}

// Fetched tells that the file is here: whether its signature is right is what valid says, for an update that has one.
func (m *Machine) Fetched(w World, number uint64, digest []byte, valid func(Update) bool) Turn {
	var t Turn
	if !m.mine(number, Downloading) {
		return t
	}
	m.running, m.patience = false, time.Time{}
	m.u.Digest = digest
	signed := m.u.Signature != nil
	ok := !signed || valid(m.u)
	m.u.URL = ""
	m.enter(&t, Downloaded, "")
	switch {
	case !ok: // L01.FR.03
		m.enter(&t, InvalidSignature, ReasonSignature)
		return t
	case signed:
		m.enter(&t, SignatureVerified, "")
	}
	m.u.Certificate, m.u.Signature = nil, nil
	m.settle(w, &t)
	return t
}

// FetchFailed tells that an attempt to download failed; final: another one would go no better.
func (m *Machine) FetchFailed(w World, number uint64, reason string, final bool) Turn {
	var t Turn
	if !m.mine(number, Downloading) {
		return t
	}
	m.running, m.patience = false, time.Time{}
	if final {
		m.enter(&t, DownloadFailed, reason)
		return t
	}
	m.again(w, &t, reason)
	return t
}

// Checked tells that the image of the update is whole, is the manufacturer's, and fits.
func (m *Machine) Checked(w World, number uint64, version string) Turn {
	var t Turn
	if !m.mine(number, Installing) {
		return t
	}
	m.running, m.patience = false, time.Time{}
	m.u.Version = version
	m.enter(&t, InstallRebooting, "") // L01.FR.32
	m.settle(w, &t)
	return t
}

// InstallFailed tells that an image could not be installed; unfit: the image itself is to blame (L01.FR.29).
func (m *Machine) InstallFailed(number uint64, reason string, unfit bool) Turn {
	var t Turn
	if !m.mine(number, Installing) {
		return t
	}
	s := InstallationFailed
	if unfit {
		s = InstallVerificationFailed
	}
	m.enter(&t, s, reason)
	return t
}

// Enabled tells that the next start runs the image; live: that it runs already.
func (m *Machine) Enabled(number uint64, live bool) Turn {
	var t Turn
	if !m.mine(number, InstallRebooting) {
		return t
	}
	m.patience = time.Time{} // the restart has its own
	if live {
		m.enter(&t, Installed, "")
		return t
	}
	t.Reboot = true
	return t
}

// EnableFailed tells that an image could not be activated.
func (m *Machine) EnableFailed(number uint64, reason string) Turn {
	var t Turn
	if m.mine(number, InstallRebooting) {
		m.enter(&t, InstallationFailed, reason)
	}
	return t
}

// NotRebooted tells that a restart that was ordered does not happen: the image runs whenever the next one comes.
func (m *Machine) NotRebooted() {
	if m.status == InstallRebooting {
		m.running, m.u.Activations = false, MaxActivations
	}
}

// Start goes on after a restart, with the firmware that runs now (L01.FR.32): an image that was activated is installed once it
// has proved itself, has failed where it was taken back, and is activated again where the power went away in between.
func (m *Machine) Start(w World, r Running) Turn {
	var t Turn
	m.slot = r.Slot
	if m.status == InstallRebooting {
		m.started(&t, r)
	}
	m.settle(w, &t)
	return t
}

func (m *Machine) started(t *Turn, r Running) {
	ours := m.u.Activations > 0 && r.Version == m.u.Version && (r.Slot != m.u.From || r.Slot == "")
	switch {
	case ours && r.Trial:
		m.trial = true
	case ours:
		m.enter(t, Installed, "")
	case r.GaveUp != "" && r.GaveUp == m.u.Version && m.u.Activations > 0:
		m.enter(t, InstallationFailed, ReasonGaveUp)
		t.Notices[len(t.Notices)-1].Info = r.Why
	case m.u.Activations >= MaxActivations:
		m.enter(t, InstallationFailed, ReasonIgnored)
	}
}

// Proved tells that the image that ran on trial is kept.
func (m *Machine) Proved() Turn {
	var t Turn
	if m.trial {
		m.enter(&t, Installed, "")
	}
	return t
}

// Deadline is when Settle has something to do; zero for never.
func (m *Machine) Deadline(w World) time.Time {
	switch {
	case m.running:
		return m.patience
	case m.status == DownloadScheduled:
		return w.Now.Add(m.u.Retrieve.Sub(w.Wall))
	case m.status == Downloading && !w.Ill:
		return m.next
	case m.status == InstallScheduled && !m.installDue(w):
		return w.Now.Add(m.u.Install.Sub(w.Wall))
	}
	return time.Time{}
}
