package link

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// planOf returns a plan over slots that never adds chance.
func planOf(attempts int, slots ...int) *plan {
	p := &plan{jitter: func(time.Duration) time.Duration { return 0 }}
	p.configure(configOf(attempts, slots...))
	return p
}

func configOf(attempts int, slots ...int) Config {
	c := Config{ConnectionAttempts: attempts, BackOffMinimum: time.Second, BackOffRepeat: 2}
	for _, s := range slots {
		c.Profiles = append(c.Profiles, profileOf(s, fmt.Sprintf("ws://csms%d.test", s)))
	}
	return c
}

// tried lists the slots of the next n attempts, all of which fail.
func tried(p *plan, n int) string {
	var slots []string
	for range n {
		pr, ok := p.profile()
		if !ok {
			return "none"
		}
		slots = append(slots, fmt.Sprint(pr.Slot))
		p.failed()
	}
	return strings.Join(slots, " ")
}

func TestProfilesAreTriedInOrder(t *testing.T) {
	p := planOf(2, 5, 3)
	if got, want := tried(p, 6), "5 5 3 3 5 5"; got != want { // B10.FR.03
		t.Errorf("tried %s, want %s", got, want)
	}
}

func TestLastGoodProfileIsTriedWhenAllHaveFailed(t *testing.T) {
	p := planOf(2, 1)
	good, _ := p.profile()
	p.worked(good)
	p.configure(configOf(2, 7, 8))
	// B10.FR.07, and then the list again: no profile is given up for ever
	if got, want := tried(p, 8), "7 7 8 8 1 1 7 7"; got != want {
		t.Errorf("tried %s, want %s", got, want)
	}
}

func TestLastGoodProfileAsItWasThen(t *testing.T) {
	p := planOf(1, 1)
	good, _ := p.profile()
	p.worked(good)
	broken := configOf(1, 1)
	broken.Profiles[0].URL = "ws://typo.test"
	p.configure(broken)
	var urls []string
	for range 3 {
		pr, _ := p.profile()
		urls = append(urls, pr.URL)
		p.failed()
	}
	if want := []string{"ws://typo.test", "ws://csms1.test", "ws://typo.test"}; !slices.Equal(urls, want) {
		t.Errorf("tried %q, want %q", urls, want)
	}
}

// The security profile never falls, not even to come back.
func TestLastGoodProfileThatIsLessSecureIsNotTried(t *testing.T) {
	p := planOf(1, 1)
	good, _ := p.profile()
	p.worked(good)
	secure := configOf(1, 2)
	secure.Profiles[0].SecurityProfile = 1
	secure.Level = 1
	p.configure(secure)
	if got, want := tried(p, 3), "2 2 2"; got != want {
		t.Errorf("tried %s, want %s", got, want)
	}
}

func TestConfigureStaysWithTheSlot(t *testing.T) {
	p := planOf(2, 1, 2, 3)
	p.failed()
	p.failed()
	p.configure(configOf(2, 3, 2))
	if got, want := tried(p, 3), "2 2 3"; got != want {
		t.Errorf("tried %s, want %s", got, want)
	}
	p.configure(Config{})
	if got := tried(p, 1); got != "none" {
		t.Errorf("tried %s without profiles", got)
	}
}

func TestBackOff(t *testing.T) {
	second := func(n ...int) (d []time.Duration) {
		for _, s := range n {
			d = append(d, time.Duration(s)*time.Second)
		}
		return d
	}
	for _, c := range []struct {
		name            string
		minimum, spread time.Duration
		repeat          int
		want            []time.Duration
	}{
		{"doubles", 10 * time.Second, 0, 2, second(10, 20, 40, 40, 40)},
		{"constant", 10 * time.Second, 0, 0, second(10, 10, 10)},
		{"adds chance each time", 10 * time.Second, 3 * time.Second, 2, second(13, 29, 61, 61)},
		{"never at once", 0, 0, 3, second(1, 2, 4, 8, 8)},
		{"negative", -5 * time.Second, -time.Second, -1, second(1, 1)},
		{"never for ever", time.Hour, 0, 1000, second(3600, 7200, 14400, 28800, 57600, 86400, 86400)},
		{"huge", 1 << 62, 1 << 62, 1000, second(86400, 86400)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &plan{jitter: func(d time.Duration) time.Duration { return d }}
			p.configure(Config{BackOffMinimum: c.minimum, BackOffRange: c.spread, BackOffRepeat: c.repeat})
			var got []time.Duration
			for range c.want {
				got = append(got, p.failed())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("waits %v, want %v", got, c.want)
			}
			if again := p.lost(); again != c.want[0] {
				t.Errorf("wait %v after a connection that worked, want %v", again, c.want[0])
			}
		})
	}
}

// TestReturnIsSpread: ten thousand stations lose their CSMS in the same moment. However long it is away, in no stretch of
// time do more than twice as many of them come back as would if they were spread evenly over the random range.
func TestReturnIsSpread(t *testing.T) {
	const (
		stations, parts = 10_000, 20
		minimum, span   = 30 * time.Second, 60 * time.Second
	)
	for _, away := range []time.Duration{0, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
		rng := rand.New(rand.NewPCG(uint64(away), 0x666c656574))
		var at []time.Duration
		for range stations {
			p := &plan{jitter: func(longest time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(longest) + 1)) }}
			p.configure(Config{Profiles: []Profile{profileOf(1, "ws://csms.test")}, BackOffMinimum: minimum, BackOffRange: span, BackOffRepeat: 4})
			now, wait := time.Duration(0), p.lost()
			for now += wait; now < away; now += wait {
				if wait = p.failed(); wait < minimum {
					t.Fatalf("away %v: wait %v", away, wait)
				}
			}
			at = append(at, now)
		}
		slices.Sort(at)
		even, window := float64(stations)/parts, span/parts
		peak, first := 0, 0
		for i := range at {
			for at[i]-at[first] >= window {
				first++
			}
			peak = max(peak, i-first+1)
		}
		t.Logf("away %v: at most %d stations within %v, %.2f of the even rate", away, peak, window, float64(peak)/even)
		if float64(peak) > 2*even {
			t.Errorf("away %v: %d stations within %v: more than twice the even %.0f", away, peak, window, even)
		}
		if away == 0 {
			evenly(t, at, minimum, span)
		}
	}
}

// evenly compares arrivals with the even distribution: chi square with 59 degrees of freedom, one in ten thousand.
func evenly(t *testing.T, at []time.Duration, from, span time.Duration) {
	t.Helper()
	const parts, limit = 60, 107
	var n [parts]int
	for _, a := range at {
		n[min(int((a-from)*parts/span), parts-1)]++
	}
	want, chi := float64(len(at))/parts, 0.0
	for _, k := range n {
		chi += (float64(k) - want) * (float64(k) - want) / want
	}
	if chi > limit {
		t.Errorf("chi square %.0f: %v", chi, n)
	}
}

// TestChanceIsSeeded: two links do not wait the same.
func TestChanceIsSeeded(t *testing.T) {
	o := Options{Dialects: plainDialects, Events: make(chan<- stationEvent)}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	seen := map[time.Duration]bool{}
	for range 100 {
		d := o.Jitter(time.Hour)
		if d < 0 || d > time.Hour {
			t.Fatalf("wait %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 90 {
		t.Errorf("%d different waits of 100", len(seen))
	}
}
