package station

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// rebooted is a station that comes up with what those before it have recorded.
type rebooted struct {
	t       *testing.T
	records map[string]Record
	s       *Station
	now     time.Time
}

func (r *rebooted) keep(o Output) Output {
	for _, rec := range o.Records {
		r.records[rec.Bucket.String()+"/"+rec.Key] = rec
	}
	return o
}

func (r *rebooted) start() {
	r.t.Helper()
	s, err := New(Config{Name: "cp", EVSEs: []EVSE{{ID: 1, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []Connector{{ID: 1, Type: "cType2", Tethered: true}}}},
		NewID: func() string { return "tx" }})
	if err != nil {
		r.t.Fatal(err)
	}
	if rec, ok := r.records[BucketMeta.String()+"/"+metaResets]; ok {
		if err := s.Restore(rec); err != nil {
			r.t.Fatal(err)
		}
	}
	r.s, r.now = s, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.keep(s.Start(r.now, r.now))
}

// reset asks for a reset after so much time, and tells the answer and whether the station reboots.
func (r *rebooted) reset(after time.Duration) (answer Status, reboots bool) {
	r.t.Helper()
	r.now = r.now.Add(after)
	o := r.keep(r.s.Step(r.now, RequestReceived{ID: 1, Request: Reset{Kind: ResetImmediate}}))
	if len(o.Responses) != 1 {
		r.t.Fatalf("responses %+v", o.Responses)
	}
	for _, c := range o.Commands {
		_, is := c.(Reboot)
		reboots = reboots || is
	}
	return o.Responses[0].Body.(Status), reboots
}

// A CSMS that resets the station as soon as it is there is told to wait; the station stays up.
func TestResetStorm(t *testing.T) {
	r := &rebooted{t: t, records: map[string]Record{}}
	for i := range resetBurst {
		r.start()
		if answer, reboots := r.reset(time.Second); answer.Status != "Accepted" || !reboots {
			t.Fatalf("reset %d: %+v, reboots: %v", i, answer, reboots)
		}
	}
	r.start()
	if answer, reboots := r.reset(time.Second); answer.Status != "Rejected" || answer.Reason != "Unspecified" || reboots {
		t.Errorf("one too many: %+v, reboots: %v", answer, reboots)
	}
	if answer, reboots := r.reset(resetEvery); answer.Status != "Accepted" || !reboots {
		t.Errorf("after a while: %+v, reboots: %v", answer, reboots)
	}
	r.start()
	if answer, _ := r.reset(resetEvery - time.Second); answer.Status != "Rejected" {
		t.Errorf("and again at once: %+v", answer)
	}
	r.start()
	for i := range 4 {
		if answer, _ := r.reset(time.Hour); answer.Status != "Accepted" {
			t.Errorf("reset %d of a quiet CSMS: %+v", i, answer)
		}
		r.start()
	}
}
