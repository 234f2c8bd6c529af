package diag

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var start = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// play is a dialogue with Uploads, each line of which shows what followed.
type play struct {
	*testing.T
	Uploads
	now time.Time
}

// Deadline is that of the uploads, not of the test.
func (p *play) Deadline() time.Time { return p.Uploads.Deadline() }

func newPlay(t *testing.T) *play { return &play{T: t, now: start} }

func (p *play) want(got Turn, want string) {
	p.Helper()
	var words []string
	if got.Cancel != 0 {
		words = append(words, fmt.Sprintf("cancel %d", got.Cancel))
	}
	if got.Start {
		words = append(words, fmt.Sprintf("start %d", p.Current().Number))
	}
	for _, n := range got.Notices {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s %s %s", asker(n.Asker), n.Status, n.Reason)))
	}
	if s := strings.Join(words, ", "); s != want {
		p.Errorf("%s: got %q, want %q", p.now.Sub(start), s, want)
	}
}

func asker(a Asker) string {
	if !a.Has {
		return "-"
	}
	return fmt.Sprint(a.RequestID)
}

func (p *play) begin(id, retries int, every time.Duration, want string) {
	p.Helper()
	t, ok := p.Begin(p.now, Upload{Asker: Asker{id, true}, Retries: retries, Interval: every})
	if !ok {
		p.Errorf("%s: refused", p.now.Sub(start))
	}
	p.want(t, want)
}

// wait lets time pass to the next deadline, which must be after d.
func (p *play) wait(d time.Duration, want string) {
	p.Helper()
	if got := p.Deadline().Sub(p.now); got != d {
		p.Errorf("deadline in %s, want %s", got, d)
	}
	p.want(p.Due(p.Deadline().Add(-time.Millisecond)), "")
	p.now = p.Deadline()
	p.want(p.Due(p.now), want)
	p.want(p.Due(p.now), "")
}

func failed() Outcome { return Outcome{Status: UploadFailure} }

// covers: N01.FR.07 N01.FR.08 N01.FR.09
func TestUpload(t *testing.T) {
	p := newPlay(t)
	if n := p.Now(); n.Status != Idle || n.Asker.Has {
		t.Errorf("in the beginning %v", n)
	}
	p.begin(7, 0, 0, "start 1, 7 Uploading")
	if n := p.Now(); n.Status != Uploading || n.Asker.RequestID != 7 {
		t.Errorf("while it runs %v", n)
	}
	p.want(p.Ended(p.now, 1, Outcome{Status: Uploaded}), "7 Uploaded")
	p.want(p.Ended(p.now, 1, Outcome{Status: Uploaded}), "") // said twice
	if n := p.Now(); n.Status != Idle || n.Asker.Has {
		t.Errorf("in the end %v", n)
	}
	if !p.Deadline().IsZero() {
		t.Error("a deadline is left")
	}
}

// covers: N01.FR.10
func TestUploadIsTriedAgain(t *testing.T) {
	p := newPlay(t)
	p.begin(7, 2, 10*time.Second, "start 1, 7 Uploading")
	p.want(p.Ended(p.now, 1, failed()), "")
	if n := p.Now(); n.Status != Uploading {
		t.Errorf("between attempts %v", n)
	}
	p.wait(10*time.Second, "start 1")
	p.want(p.Ended(p.now, 1, failed()), "")
	p.wait(10*time.Second, "start 1")
	p.want(p.Ended(p.now, 1, failed()), "7 UploadFailure")

	p.begin(8, 1, 10*time.Second, "start 2, 8 Uploading")
	p.want(p.Ended(p.now, 2, failed()), "")
	p.wait(10*time.Second, "start 2")
	p.want(p.Ended(p.now, 2, Outcome{Status: Uploaded}), "8 Uploaded")
}

// Nothing but a failure that may pass is tried again.
// covers: N01.FR.10
func TestUploadIsHopeless(t *testing.T) {
	for _, o := range []Outcome{{Status: BadMessage}, {Status: PermissionDenied}, {Status: NotSupportedOperation}, {UploadFailure, "RedirectNotAllowed"}} {
		p := newPlay(t)
		p.begin(7, 5, 0, "start 1, 7 Uploading")
		p.want(p.Ended(p.now, 1, o), strings.TrimSpace("7 "+string(o.Status)+" "+o.Reason))
		if !p.Deadline().IsZero() {
			t.Errorf("%v: tried again", o)
		}
	}
}

func TestRetriesAreBounded(t *testing.T) {
	for _, row := range []struct {
		name     string
		retries  int
		every    time.Duration
		want     int
		interval time.Duration
	}{
		{"left open", -1, 0, defaultRetries, defaultInterval},
		{"negative", -5, -time.Second, defaultRetries, defaultInterval},
		{"none", 0, time.Minute, 0, time.Minute},
		{"too many, too fast", 1 << 30, time.Nanosecond, maxRetries, minInterval},
		{"never again", 1, 1 << 62, 1, maxInterval},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlay(t)
			p.begin(7, row.retries, row.every, "start 1, 7 Uploading")
			for range row.want {
				p.want(p.Ended(p.now, 1, failed()), "")
				p.wait(row.interval, "start 1")
			}
			p.want(p.Ended(p.now, 1, failed()), "7 UploadFailure")
		})
	}
}

// covers: N01.FR.12 N01.FR.20
func TestNewUploadCancelsOlder(t *testing.T) {
	p := newPlay(t)
	p.begin(7, 1, 0, "start 1, 7 Uploading")
	p.begin(8, 1, 0, "cancel 1, start 2, 7 AcceptedCanceled, 8 Uploading")
	p.want(p.Ended(p.now, 1, Outcome{Status: Uploaded}), "") // it was too late to stop
	p.want(p.Ended(p.now, 2, failed()), "")
	p.begin(9, 1, 0, "start 3, 8 AcceptedCanceled, 9 Uploading") // while it waits there is nothing to stop
	if !p.Deadline().IsZero() {
		t.Error("the attempt of the older is still planned")
	}
	p.want(p.Ended(p.now, 3, Outcome{Status: Uploaded}), "9 Uploaded")
}

func TestDiagnosticsHaveNoNumber(t *testing.T) {
	p := newPlay(t)
	turn, _ := p.Begin(p.now, Upload{})
	p.want(turn, "start 1, - Uploading")
}

func TestUploadsAreRationed(t *testing.T) {
	p := newPlay(t)
	count := func() (n int) {
		for ; n <= 10*Burst; n++ {
			if _, ok := p.Begin(p.now, Upload{}); !ok {
				return n
			}
		}
		t.Fatal("without end")
		return n
	}
	if n := count(); n != Burst {
		t.Errorf("%d in a row, want %d", n, Burst)
	}
	current := p.Current().Number
	p.now = p.now.Add(Every - time.Second)
	if n := count(); n != 0 || p.Current().Number != current {
		t.Errorf("%d more before the time", n)
	}
	for range 3 {
		p.now = p.now.Add(Every)
		if n := count(); n != 1 {
			t.Errorf("%d more, want 1", n)
		}
	}
	p.now = p.now.Add(1000 * Every)
	if n := count(); n != Burst {
		t.Errorf("%d after a long while, want %d", n, Burst)
	}
}
