package virtual

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// truth is what the clocks of the world show in these tests, when they are right.
type truth struct {
	begin time.Time // wall time of the test's begin
	born  time.Time // the test's begin
}

func newTruth(begin time.Time) *truth { return &truth{begin: begin} }

func (u *truth) now() time.Time {
	if u.born.IsZero() {
		u.born = time.Now()
	}
	return u.begin.Add(time.Since(u.born))
}

// clockAt returns a clock that begins at a date.
func clockAt(wall time.Time) func(*Options) {
	return func(o *Options) {
		o.Clock = NewClock()
		o.Clock.SetOffset(wall.Sub(o.Clock.Wall()))
	}
}

// wantTimes checks what the CSMS was told of times, in the order in which it was: dates that can be read and lie between
// from and until, a charging time that never falls and is no longer than the time that has passed, and intervals of energy
// that are not negative.
func (w *town) wantTimes(from, until time.Time, passed time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	at := func(t time.Time) {
		if t.Before(from) || t.After(until) {
			w.t.Errorf("told %v, want from %v to %v", t, from, until)
		}
	}
	charging := map[string]int{}
	for _, ev := range w.events {
		at(ev.Timestamp)
		if spent := ev.TransactionInfo.TimeSpentCharging; spent.Has {
			id := ev.TransactionInfo.TransactionID
			if spent.V < charging[id] || time.Duration(spent.V)*time.Second > passed {
				w.t.Errorf("charging for %d s after %d s, of %v", spent.V, charging[id], passed)
			}
			charging[id] = spent.V
		}
		for _, m := range ev.MeterValue {
			at(m.Timestamp)
			for _, v := range m.SampledValue {
				if v.Value.Cmp(rpc.Decimal{}) < 0 {
					w.t.Errorf("%v is %v", v.Measurand, v.Value)
				}
			}
		}
	}
	if len(w.events) < 5 {
		w.t.Errorf("%d events", len(w.events))
	}
}

// jumps counts how often the station has told that its clock was set.
func (w *town) jumps() (n int) {
	w.bubble.events.mu.Lock()
	defer w.bubble.events.mu.Unlock()
	for _, s := range w.bubble.events.security {
		if s.Type == station.SettingSystemTime {
			n++
		}
	}
	return n
}

// centuries are the dates at which clocks have gone wrong, or may.
var centuries = map[string]time.Time{
	"no clock":             time.Date(1970, 1, 1, 0, 0, 5, 0, time.UTC),
	"33 bits in 2038":      time.Date(2038, 1, 19, 3, 12, 0, 0, time.UTC),
	"unsigned 2106":        time.Date(2106, 2, 7, 6, 26, 0, 0, time.UTC),
	"leap second of 2016":  time.Date(2016, 12, 31, 23, 58, 0, 0, time.UTC),
	"leap day":             time.Date(2028, 2, 28, 23, 58, 0, 0, time.UTC),
	"no leap day in 2100":  time.Date(2100, 2, 28, 23, 58, 0, 0, time.UTC),
	"summer time begins":   time.Date(2026, 3, 29, 0, 58, 0, 0, time.UTC),
	"summer time ends":     time.Date(2026, 10, 25, 0, 58, 0, 0, time.UTC),
	"new year":             time.Date(2026, 12, 31, 23, 58, 0, 0, time.UTC),
	"GPS week rolled over": time.Date(2019, 4, 6, 23, 58, 0, 0, time.UTC),
}

// dates plays f at some of them; at two in a short test.
func dates(t *testing.T, names []string, f func(t *testing.T, begin time.Time)) {
	for _, name := range names {
		if testing.Short() && name != "no clock" && name != "unsigned 2106" {
			continue
		}
		t.Run(name, func(t *testing.T) { f(t, centuries[name]) })
	}
}

// TestClockAtAnyDate: a session over each of these dates, with a CSMS that agrees, is as any other.
func TestClockAtAnyDate(t *testing.T) {
	dates(t, slices.Sorted(maps.Keys(centuries)), func(t *testing.T, begin time.Time) {
		u := newTruth(begin)
		inTown(t, clockAt(begin), u.now, func(w *town) {
			w.charge()
			w.charging(3*time.Minute, "over the date")
			w.leave()
			w.settled(1, time.Minute)
			w.wantTimes(begin.Add(-time.Second), begin.Add(10*time.Minute), 10*time.Minute)
			if n := w.jumps(); n != 0 {
				t.Errorf("the clock was set %d times", n)
			}
		})
	})
}

// TestClockIsWrongAtTheStart: a station that begins at a wrong date is set right by its CSMS, says so once, and begins at
// the wrong date again after a power cut without the CSMS. Its transaction ends all the same, with the right durations.
func TestClockIsWrongAtTheStart(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	dates(t, []string{"no clock", "GPS week rolled over", "33 bits in 2038", "unsigned 2106"}, func(t *testing.T, begin time.Time) {
		u := newTruth(now)
		edit := func(o *Options) {
			clockAt(begin)(o)
			o.Settings = append(o.Settings, setting("TxCtrlr", "ResumptionTimeout", "900"))
		}
		inTown(t, edit, u.now, func(w *town) {
			w.after(10 * time.Second)
			if n := w.jumps(); n != 1 || w.heard("SettingSystemTime") != 1 {
				t.Fatalf("the clock was set %d times, %d were told", n, w.heard("SettingSystemTime"))
			}
			w.charge()
			w.charging(2*time.Minute, "with the right time")
			w.must(w.station.SetNetwork(false, 0, 0))
			w.must(w.station.PowerCycle(time.Minute)) // the real-time clock goes on being wrong
			w.after(2 * time.Minute)
			if begin.Before(now) { // else nobody can know that years have not gone by, and the transaction ends
				w.wantRelay(true, "after the power cut")
			}
			w.after(2 * time.Minute)
			w.must(w.station.SetNetwork(true, 0, 0))
			w.after(time.Minute)
			w.leave()
			w.settled(1, time.Minute)
			early, late := now, now.Add(15*time.Minute)
			if begin.Before(early) {
				early = begin
			} else {
				late = begin.Add(15 * time.Minute)
			}
			w.wantTimes(early, late, 15*time.Minute)
			if n := w.heard("SettingSystemTime"); n != 2 {
				t.Errorf("told %d times that the clock was set", n)
			}
		})
	})
}

// TestClockJumpsWhileCharging: the clock is moved at random moments, by seconds, hours and years. Durations and energy do
// not notice; each correction that counts is told.
func TestClockJumpsWhileCharging(t *testing.T) {
	begin := time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC)
	jumps := []time.Duration{time.Hour, -time.Hour, 87600 * time.Hour, -87600 * time.Hour, time.Second, -time.Second, 25 * time.Second, -25 * time.Second}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0x6a756d70))
			edit := func(o *Options) {
				clockAt(begin)(o)
				o.Settings = append(o.Settings, setting("ClockCtrlr", "TimeSource", "NTP"), setting("AlignedDataCtrlr", "Interval", "60"))
			}
			inTown(t, edit, nil, func(w *town) {
				w.charge()
				offset := time.Until(w.station.Clock().Wall())
				told, passed := w.jumps(), 5*time.Minute
				for range 12 {
					d := time.Duration(rng.Int64N(int64(40 * time.Second)))
					w.after(d)
					passed += d
					jump := jumps[rng.IntN(len(jumps))]
					offset += jump
					w.must(w.station.SetOffset(offset))
					w.after(time.Millisecond)
					if jump.Abs() > 20*time.Second {
						told++
					}
					if n := w.jumps(); n != told {
						t.Fatalf("moved by %v: told %d times, want %d", jump, n, told)
					}
					w.wantRelay(true, "after a jump")
				}
				w.leave()
				w.settled(1, time.Minute)
				w.wantTimes(begin.AddDate(-130, 0, 0), begin.AddDate(130, 0, 0), passed)
				if n := w.heard("SettingSystemTime"); n != told {
					t.Errorf("%d of %d corrections came to the CSMS", n, told)
				}
			})
		})
	}
}

// TestWrongTimeOfCSMS: a CSMS tells dates that cannot be meant, or are none. The station charges on, believes no date in
// which it cannot live, and never tells one itself.
func TestWrongTimeOfCSMS(t *testing.T) {
	begin := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		date     string
		believed bool
	}{
		{"0000-01-01T00:00:00Z", false}, {"0001-01-01T00:00:00Z", false}, {"1970-01-01T00:00:00Z", false}, {"9999-12-31T23:59:59Z", false},
		{"222222017-01-01T00:00:00Z", false}, {"2026-13-01T00:00:00Z", false}, {"2026-02-30T00:00:00Z", false}, {"", false}, {"now", false},
		{"2026-07-01T12:30:00", false}, {"-2026-07-01T12:30:00Z", false}, {"2500-07-01T12:30:00Z", false},
		{"2026-12-31T23:59:60Z", true}, {"2026-07-01T14:30:00+14:00", true}, {"2038-01-19T03:14:08Z", true}, {"2106-02-07T06:28:16Z", true},
		{"2026-07-01T12:30:00.123456789Z", true},
	} {
		t.Run(test.date, func(t *testing.T) {
			u := newTruth(begin)
			inTown(t, clockAt(begin), u.now, func(w *town) {
				w.charge()
				w.csms.On("Heartbeat", func(csms.Request) csms.Answer {
					return csms.Answer{Raw: fmt.Appendf(nil, `{"currentTime":%q}`, test.date)}
				})
				w.excused = "currentTime"
				before := w.jumps()
				w.must(w.trigger(msg2.MessageTriggerHeartbeat))
				w.charging(time.Minute, "with a wrong time")
				if believed := w.jumps() > before; believed != test.believed {
					t.Errorf("believed is %v", believed)
				}
				w.csms.On("Heartbeat", nil)
				w.must(w.trigger(msg2.MessageTriggerHeartbeat))
				w.after(10 * time.Second)
				w.leave()
				w.settled(1, time.Minute)
				w.wantTimes(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), 10*time.Minute)
			})
		})
	}
}

// TestBootIntoAWrongTime: a CSMS whose answer to the BootNotification carries a date that is none does not keep the
// station from charging; when it comes to its senses it is told everything.
func TestBootIntoAWrongTime(t *testing.T) {
	for _, date := range []string{"222222017-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z"} {
		t.Run(date, func(t *testing.T) {
			begin := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
			u := newTruth(begin)
			inTown(t, clockAt(begin), u.now, func(w *town) {
				w.csms.On("BootNotification", func(csms.Request) csms.Answer {
					return csms.Answer{Raw: fmt.Appendf(nil, `{"currentTime":%q,"interval":300,"status":"Accepted"}`, date)}
				})
				w.excused = "currentTime"
				w.station.Restart(station.BootReason(""))
				w.after(30 * time.Second)
				w.charge()
				w.charging(3*time.Minute, "with a wrong time at boot")
				w.csms.On("BootNotification", nil)
				w.after(5 * time.Minute)
				w.leave()
				w.settled(1, 15*time.Minute)
				w.wantTimes(begin, begin.Add(time.Hour), 20*time.Minute)
			})
		})
	}
}

// trigger asks the station for a message.
func (w *town) trigger(m msg2.MessageTrigger) error {
	_, err := w.csms.Ask(w.t.Context(), "cs", &msg2.TriggerMessageRequest{RequestedMessage: m})
	return err
}
