package diag

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Status is how an upload is (UploadLogStatusEnumType).
type Status string

// Statuses.
const (
	Idle                  Status = "Idle"
	Uploading             Status = "Uploading"
	Uploaded              Status = "Uploaded"
	UploadFailure         Status = "UploadFailure"
	BadMessage            Status = "BadMessage"
	PermissionDenied      Status = "PermissionDenied"
	NotSupportedOperation Status = "NotSupportedOperation"
	AcceptedCanceled      Status = "AcceptedCanceled"
)

// Asker is who asked for an upload: the CSMS knows it by a number, but for the diagnostics of 1.6, which have none.
type Asker struct {
	RequestID int
	Has       bool
}

// Upload is one that was asked for.
type Upload struct {
	Number         uint64 // ours; Begin gives it
	Asker          Asker
	URL            string // may hold credentials
	Log            string // which
	File           string
	Oldest, Latest time.Time     // of the lines; zero: no bound
	Retries        int           // after the first attempt; below 0: as the station likes
	Interval       time.Duration // between attempts; 0 or less: as the station likes
}

// Outcome is how one attempt went. A Reason says that another one would go no better; it is a reason code of the appendix.
type Outcome struct {
	Status Status
	Reason string
}

// Notice is what the CSMS is to hear.
type Notice struct {
	Asker Asker
	Outcome
}

// Turn is what follows: first the upload of number Cancel ends, unless that is 0; then the current one starts, if Start.
type Turn struct {
	Cancel  uint64
	Start   bool
	Notices []Notice
}

// What the station does where the CSMS leaves it open, and bounds of what a CSMS may ask.
const (
	defaultRetries  = 2
	maxRetries      = 20
	defaultInterval = 30 * time.Second
	minInterval     = 5 * time.Second
	maxInterval     = time.Hour

	// Burst is how many uploads in a row a CSMS may have, and Every how long it takes until it may have one more: each
	// puts the whole log on a wire that may be paid for by the byte.
	Burst = 16
	Every = time.Minute
)

// Uploads is the state. The zero value is one in which nothing has been asked for.
type Uploads struct {
	upload  Upload // the current one; valid while active
	active  bool
	running bool      // an attempt is under way outside
	next    time.Time // of the next attempt, while none is
	left    int       // attempts that may follow
	number  uint64
	ration  term.Ration
}

// Begin makes u the current upload, whose number it sets, and ends an older one (N01.FR.12). false: the CSMS asks too often,
// and nothing has changed.
func (s *Uploads) Begin(now time.Time, u Upload) (Turn, bool) {
	if !s.ration.Take(now, Burst, Every) {
		return Turn{}, false
	}
	t := Turn{Start: true}
	if s.active {
		if s.running {
			t.Cancel = s.upload.Number
		}
		t.Notices = append(t.Notices, s.notice(Outcome{Status: AcceptedCanceled})) // N01.FR.20
	}
	s.number++
	u.Number = s.number
	u.Retries, u.Interval = retriesOf(u.Retries), intervalOf(u.Interval)
	s.upload, s.active, s.running, s.left, s.next = u, true, true, u.Retries, time.Time{}
	t.Notices = append(t.Notices, s.notice(Outcome{Status: Uploading})) // N01.FR.08
	return t, true
}

func retriesOf(n int) int {
	if n < 0 {
		return defaultRetries
	}
	return min(n, maxRetries)
}

func intervalOf(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultInterval
	}
	return min(max(d, minInterval), maxInterval)
}

// Ended tells how an attempt of upload number went. One that was cancelled before has no say any more.
func (s *Uploads) Ended(now time.Time, number uint64, o Outcome) Turn {
	if !s.running || number != s.upload.Number {
		return Turn{}
	}
	s.running = false
	if o.Status == UploadFailure && o.Reason == "" && s.left > 0 {
		s.left--
		s.next = now.Add(s.upload.Interval)
		return Turn{}
	}
	s.active = false
	return Turn{Notices: []Notice{s.notice(o)}} // N01.FR.09, N01.FR.10
}

// Due starts the next attempt when its time has come.
func (s *Uploads) Due(now time.Time) Turn {
	if s.next.IsZero() || now.Before(s.next) {
		return Turn{}
	}
	s.next, s.running = time.Time{}, true
	return Turn{Start: true}
}

// Deadline is when Due has something to do; zero for never.
func (s *Uploads) Deadline() time.Time { return s.next }

// Current is the upload that was begun last.
func (s *Uploads) Current() Upload { return s.upload }

// Now is how things stand, for a CSMS that asks: an upload that waits for its next attempt is under way (N01.FR.13).
func (s *Uploads) Now() Notice {
	if !s.active {
		return Notice{Outcome: Outcome{Status: Idle}}
	}
	return s.notice(Outcome{Status: Uploading})
}

// notice tells o of the current upload (N01.FR.07).
func (s *Uploads) notice(o Outcome) Notice { return Notice{s.upload.Asker, o} }
