package schedule_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// env is a number of the environment, or what counts without it.
func env(t *testing.T, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// sets is how many worlds a test looks at: EVSED_SETS, or long in a soak, or short.
func sets(t *testing.T, short, long int) int {
	t.Helper()
	if os.Getenv("EVSED_SOAK") == "" {
		return short
	}
	return env(t, "EVSED_SETS", long)
}

// question is what is asked of a world.
type question struct {
	evse    int
	from    time.Time
	seconds int
	unit    schedule.Unit
	sparse  int // 0: look at every second; else at one of so many, and at those around a change
}

// skips reports whether the oracle is not asked about second n, which is so far from a change.
func (q question) skips(n, far int) bool { return q.sparse > 0 && far > 1 && n%q.sparse != 0 }

func (q question) String() string {
	return fmt.Sprintf("EVSE %d from %s for %d s in %s", q.evse, q.from.Format("2006-01-02T15:04:05.999"), q.seconds, q.unit)
}

// composeDiffers says where a composite schedule is not what the oracle says; "" if nowhere.
func composeDiffers(s *schedule.Set, w *world, q question, buf []schedule.Period) string {
	c, r := s.Compose(term.EVSEID(q.evse), q.from, time.Duration(q.seconds)*time.Second, q.unit, buf)
	if r != nil {
		return r.Text
	}
	from := q.from.Unix()
	if c.Start.Unix() != from || c.Duration != time.Duration(q.seconds)*time.Second || c.Unit != q.unit || c.EVSE != term.EVSEID(q.evse) {
		return fmt.Sprintf("the schedule is %+v", c)
	}
	i := 0
	for n := range q.seconds {
		begins := i+1 < len(c.Periods) && int(c.Periods[i+1].Start/time.Second) == n
		if begins {
			i++
		}
		far := n - int(c.Periods[i].Start/time.Second)
		if i+1 < len(c.Periods) {
			far = min(far, int(c.Periods[i+1].Start/time.Second)-1-n)
		}
		if q.skips(n, far) {
			continue
		}
		got, want := c.Periods[i], w.composite(q.evse, from+int64(n), from, q.unit)
		if got.Limit != want.Limit || got.Phases != want.Phases || got.PhaseToUse != want.PhaseToUse {
			return fmt.Sprintf("second %d: got %d x%d@%d, want %d x%d@%d", n, got.Limit, got.Phases, got.PhaseToUse, want.Limit, want.Phases, want.PhaseToUse)
		}
		if begins {
			if b := c.Periods[i-1]; b.Limit == got.Limit && b.Phases == got.Phases && b.PhaseToUse == got.PhaseToUse {
				return fmt.Sprintf("second %d: a period begins that says the same as the one before", n)
			}
		}
	}
	if i != len(c.Periods)-1 || c.Periods[0].Start != 0 {
		return fmt.Sprintf("the periods are %v", c.Periods)
	}
	return ""
}

// limitDiffers says where Limit, asked when it says that it may change and not before, is not what the oracle says.
func limitDiffers(s *schedule.Set, w *world, q question) string {
	from := q.from.Unix()
	l, until := s.Limit(term.EVSEID(q.evse), q.from)
	asked, changed := 1, from
	for t := from; t < from+int64(q.seconds); t++ {
		if !until.IsZero() && t >= until.Unix() {
			next, u := s.Limit(term.EVSEID(q.evse), time.Unix(t, 0))
			if !u.IsZero() && u.Unix() <= t {
				return fmt.Sprintf("second %d: a limit until %v", t-from, u.Unix()-from)
			}
			l, until = next, u
			changed = t
			asked++
		}
		far := t - changed
		if !until.IsZero() {
			far = min(far, until.Unix()-1-t)
		}
		if q.skips(int(t-from), int(far)) {
			continue
		}
		max, phases, line := w.limit(q.evse, t)
		if l.Max != max || l.Phases != phases || l.PhaseToUse != line {
			return fmt.Sprintf("second %d: got limit %v x%d@%d, want %v x%d@%d", t-from, l.Max, l.Phases, l.PhaseToUse, max, phases, line)
		}
	}
	if asked > q.seconds {
		return fmt.Sprintf("asked %d times in %d seconds", asked, q.seconds)
	}
	return ""
}

// differs asks one set everything, the schedule first of another place and time, and again at the end: what was asked
// before has no say in an answer.
func differs(w *world, q question, buf []schedule.Period) string {
	s := w.set()
	other := q
	other.evse, other.seconds = (q.evse+1)%(len(w.txs)+1), 600
	other.from = q.from.Add(time.Duration(q.seconds/2) * time.Second)
	for _, q := range []question{other, q} {
		if d := composeDiffers(s, w, q, buf); d != "" {
			return q.String() + ": " + d
		}
	}
	if d := limitDiffers(s, w, q); d != "" {
		return d
	}
	other.from = q.from
	if d := composeDiffers(s, w, other, buf); d != "" {
		return "asked again: " + other.String() + ": " + d
	}
	return ""
}

// exploration is a kind of worlds, and how long they are looked at.
type exploration struct {
	least, most, periods int // profiles, and periods of each
	reach                int // seconds in which most happens
	seconds              func(*gen) int
	sparse               int
}

// explore compares n worlds and tells a difference as small as it gets.
func explore(t *testing.T, n int, x exploration) {
	t.Helper()
	seed := uint64(env(t, "SEED", 1))
	buf := make([]schedule.Period, 0, 20000)
	held := 0
	for i := range n {
		g := newGen(seed, uint64(i), x.reach)
		w := g.world(x.least, x.most, x.periods)
		held += len(w.installed)
		q := g.question(w, x.seconds(g))
		q.sparse = x.sparse
		if differs(w, q, buf) != "" {
			small := shrink(w, func(w *world) bool { return differs(w, q, buf) != "" })
			t.Fatalf("SEED=%d, set %d: %v: %s\n%v", seed, i, q, differs(small, q, buf), small)
		}
	}
	t.Logf("SEED=%d: %d sets of %d profiles on average, no second of disagreement", seed, n, held/max(n, 1))
}

// TestProfilesAgainstSeconds: sets of up to 8 profiles over one to two hours around their edges.
func TestProfilesAgainstSeconds(t *testing.T) {
	explore(t, sets(t, 1000, 1_000_000), exploration{
		least: 1, most: 8, periods: 6, reach: 3600, seconds: func(g *gen) int { return 3600 + g.IntN(3601) },
	})
}

// TestProfilesAgainstSecondsOfADay: sets of 64 profiles over 24 hours.
func TestProfilesAgainstSecondsOfADay(t *testing.T) {
	explore(t, sets(t, 2, 100), exploration{
		least: 64, most: 64, periods: 24, reach: 24 * 3600, seconds: func(*gen) int { return 24 * 3600 },
	})
}

// TestProfilesAgainstSomeSecondsOfWeeks: sets of up to 8 profiles over three weeks, at changes and every now and then.
func TestProfilesAgainstSomeSecondsOfWeeks(t *testing.T) {
	explore(t, sets(t, 50, 5000), exploration{
		least: 1, most: 8, periods: 6, reach: 12 * 24 * 3600, seconds: func(*gen) int { return 21 * 24 * 3600 }, sparse: 997,
	})
}
