package link

import (
	"fmt"
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

// Ten thousand stations that lose their CSMS in the same moment come back spread over the random range.
func TestReturnIsSpread(t *testing.T) {
	const stations, buckets = 10000, 10
	var o Options
	o.Dialects, o.Events = plainDialects, make(chan<- stationEvent)
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	var arrivals [buckets]int
	for range stations {
		p := &plan{jitter: o.Jitter}
		p.configure(Config{BackOffMinimum: 10 * time.Second, BackOffRange: 60 * time.Second})
		wait := p.lost()
		if wait < 10*time.Second || wait > 70*time.Second {
			t.Fatalf("wait %v", wait)
		}
		arrivals[min(int((wait-10*time.Second)*buckets/(60*time.Second)), buckets-1)]++
	}
	for _, n := range arrivals {
		if n > 2*stations/buckets {
			t.Errorf("arrivals %v: a peak of more than twice the mean", arrivals)
		}
	}
}
