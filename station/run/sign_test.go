package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
)

// bubble is the clock of a synctest bubble.
type bubble struct{}

func (bubble) Now() time.Time                     { return time.Now() }
func (bubble) Real(d time.Duration) time.Duration { return d }
func (bubble) Wall() time.Time                    { return time.Now() }

// slowSigner is a meter that signs and takes its time. It may not be asked two things at once.
type slowSigner struct {
	takes atomic.Int64 // a time.Duration
	keys  int          // how often it was asked for its key before it tells it
	busy  bool
}

func slow(takes time.Duration, keys int) *slowSigner {
	m := &slowSigner{keys: keys}
	m.takes.Store(int64(takes))
	return m
}

func (m *slowSigner) work(ctx context.Context, d time.Duration) error {
	if m.busy {
		panic("asked while it works")
	}
	m.busy = true
	defer func() { m.busy = false }()
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *slowSigner) Read(ctx context.Context) (hal.MeterReading, error) {
	return hal.MeterReading{At: time.Now()}, m.work(ctx, 10*time.Millisecond)
}

func (m *slowSigner) Start(ctx context.Context, s hal.MeterSession) error {
	if s.Transaction == "bad" {
		return errors.New("it refuses")
	}
	return m.work(ctx, time.Duration(m.takes.Load()))
}

func (m *slowSigner) Stop(ctx context.Context, s hal.MeterSession) (hal.SignedReading, error) {
	return hal.SignedReading{Data: []byte("whole " + s.Transaction)}, m.work(ctx, time.Duration(m.takes.Load()))
}

func (m *slowSigner) PublicKey(ctx context.Context) ([]byte, error) {
	if m.keys--; m.keys >= 0 {
		return nil, errors.New("not yet")
	}
	return []byte("key"), m.work(ctx, time.Millisecond)
}

// anytime signs a transaction as far as it goes, too.
type anytime struct{ *slowSigner }

func (m *anytime) ReadSigned(ctx context.Context, tx string) (hal.SignedReading, error) {
	return hal.SignedReading{Data: []byte("part of " + tx)}, m.work(ctx, time.Duration(m.takes.Load()))
}

// signs lets pollers run over meters, and returns what they tell of signing, each with the time that has passed.
func signs(t *testing.T, meters map[term.EVSEID]hal.Meter, play func(*run.Meters)) []string {
	var told []string
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		m := run.NewMeters(bubble{}, meters, func(context.Context, term.EVSEID, hal.MeterReading) {}, func(_ context.Context, ev station.Event) {
			text := fmt.Sprintf("%v", ev)
			if s, ok := ev.(station.MeterSigned); ok {
				text = fmt.Sprintf("%d %s %d", s.EVSE, s.Transaction, s.Step)
				if s.Signed != nil {
					text += " " + string(s.Signed.Data)
				}
				text += strings.TrimRight(" "+s.Err, " ")
			}
			told = append(told, fmt.Sprintf("%v: %s", time.Since(start), text))
		})
		go m.Run(ctx)
		synctest.Wait()
		play(m)
		time.Sleep(5 * time.Minute)
		cancel()
		synctest.Wait()
	})
	return told
}

func wantTold(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func begin(e term.EVSEID, tx string) station.SignBegin {
	return station.SignBegin{EVSE: e, Session: hal.MeterSession{Transaction: tx}}
}

// Each step is carried out between two readings and answered once, with what the meter can.
func TestMetersSign(t *testing.T) {
	meters := map[term.EVSEID]hal.Meter{1: slow(7*time.Second, 100)}
	got := signs(t, meters, func(m *run.Meters) {
		m.MeterRate(1, time.Second) // it is read meanwhile, never during a step
		for _, c := range []station.Command{begin(1, "a"), station.SignNow{EVSE: 1, Transaction: "a"}, station.SignEnd{EVSE: 1, Session: hal.MeterSession{Transaction: "a"}}, begin(1, "bad")} {
			if !m.Sign(c) {
				t.Errorf("%T is not taken", c)
			}
		}
	})
	slices.Sort(got)
	if len(got) != 4 || !strings.Contains(strings.Join(got, "\n"), "1 a 1\n") {
		t.Errorf("told\n%s", strings.Join(got, "\n"))
	}
	for _, want := range []string{": 1 a 1", ": 1 a 2 it signs whole transactions only", ": 1 a 3 whole a", ": 1 bad 1 it refuses"} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, want) }) {
			t.Errorf("%q is not told:\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestMeterThatSignsAtAnyTime(t *testing.T) {
	got := signs(t, map[term.EVSEID]hal.Meter{1: &anytime{slow(time.Second, 1)}}, func(m *run.Meters) {
		m.Sign(begin(1, "a"))
		time.Sleep(10 * time.Second)
		m.Sign(station.SignNow{EVSE: 1, Transaction: "a"})
		time.Sleep(10 * time.Second)
		m.PollMeter(1)
		time.Sleep(time.Minute)
		m.PollMeter(1)
	})
	wantTold(t, got, "2s: 1 a 1 part of a", "11s: 1 a 2 part of a", "1m20.011s: {1 [107 101 121]}")
}

// A meter that does not come back is given up, and the next step is for the next one.
func TestMeterThatHangsWhileItSigns(t *testing.T) {
	hangs := slow(time.Hour, 0)
	got := signs(t, map[term.EVSEID]hal.Meter{1: hangs, 2: idle{}}, func(m *run.Meters) {
		m.Sign(begin(1, "a"))
		synctest.Wait()
		for i := range 5 {
			if took := m.Sign(begin(1, fmt.Sprint(i))); took != (i < 4) {
				t.Errorf("step %d taken: %v", i, took)
			}
		}
		for _, e := range []term.EVSEID{2, 3} {
			if m.Sign(begin(e, "x")) {
				t.Errorf("the meter of EVSE %d signs nothing", e)
			}
		}
		time.Sleep(31 * time.Second)
		hangs.takes.Store(int64(time.Second))
	})
	wantTold(t, got, "30s: 1 a 1 context deadline exceeded", "1m0s: 1 0 1 context deadline exceeded", "1m1s: 1 1 1", "1m2s: 1 2 1", "1m3s: 1 3 1")
}

// idle is a meter that only measures.
type idle struct{}

func (idle) Read(context.Context) (hal.MeterReading, error) { return hal.MeterReading{}, nil }
