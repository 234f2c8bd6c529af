package virtual

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
)

func TestClockWaitsForItsParties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		p := c.Party()
		since := func(t0 time.Time) time.Duration { return c.Now().Sub(t0).Round(time.Millisecond) }
		check := func(what string, got, want time.Duration) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		p.Real(time.Second)
		t0 := c.Now()
		time.Sleep(time.Minute)
		check("at real speed nobody is waited for", since(t0), time.Minute)

		c.SetRate(600)
		t0 = c.Now()
		check("sleep", p.Real(time.Second), time.Second/600)
		time.Sleep(100 * time.Millisecond)
		check("a party that is late", since(t0), time.Second+lateness)
		time.Sleep(100 * time.Millisecond)
		check("that is still late", since(t0), time.Second+lateness)
		p.Real(time.Hour)
		time.Sleep(time.Millisecond)
		check("time goes on, and does not catch up", since(t0), time.Second+lateness+600*time.Millisecond)

		p.Real(0)
		t0 = c.Now()
		time.Sleep(time.Hour)
		check("a machine that was suspended", since(t0), lateness)
		for range 2 * int(standstill/glance) {
			time.Sleep(glance)
			c.Now()
		}
		if got := since(t0); got < 600*(standstill-2*glance) {
			t.Errorf("a party that hangs held the clock at %v", got)
		}
		p.Real(0)
		t0 = c.Now()
		p.Leave()
		time.Sleep(100 * time.Millisecond)
		check("a party that left", since(t0), time.Minute)

		c.SetRate(0.001)
		t0 = c.Now()
		time.Sleep(time.Second)
		check("a slow clock", since(t0), time.Millisecond)
		check("is looked at in time for a change", c.Party().Real(time.Second), time.Second)
	})
}

// starving makes turns late: each share is how often those of one party are, in the order in which they come up.
func starving(seed uint64, shares ...float64) func(*Party) {
	var mu sync.Mutex // everything below
	rng := rand.New(rand.NewPCG(seed, 0x7374617276))
	known := map[*Party]float64{}
	return func(p *Party) {
		mu.Lock()
		share, ok := known[p]
		if !ok {
			share = shares[len(known)%len(shares)]
			known[p] = share
		}
		var d time.Duration
		if rng.Float64() < share {
			d = time.Duration(rng.Int64N(int64(300 * time.Millisecond)))
		}
		mu.Unlock()
		time.Sleep(d)
	}
}

// TestFastClockChargesWithoutFaults lets a car charge on a machine that has more to do than it can: goroutines wait for
// their turn for up to 300 ms, which are minutes of a fast clock, and the disk takes its time. Whatever is late then is the
// machine's fault, and no device's.
func TestFastClockChargesWithoutFaults(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("EVSED_SOAK") != "" {
		seeds = 30
	}
	// guard, loop and poller, in some order
	for _, shares := range [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.2, 0.2, 0.2}, {1, 1, 1}} {
		for _, rate := range []float64{60, MaxRate} {
			for seed := range seeds {
				t.Run(fmt.Sprintf("%g of the turns, rate %g, seed %d", shares, rate, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						clock := NewClock()
						clock.late = starving(seed, shares...)
						b := newBubble(t, func(o *Options) { o.Clock = clock })
						b.must(b.station.SetRate(rate))
						b.start()
						b.chargeFast(2 * time.Minute)
					})
				})
			}
		}
	}
}

// TestRateChangesWhileCharging: who sleeps at the old speed is waited for.
func TestRateChangesWhileCharging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, nil)
		b.start()
		b.charge()
		for _, rate := range []float64{MaxRate, 1, 60, 0.01, 600, 1, 10} {
			b.must(b.station.SetRate(rate))
			b.after(time.Second)
			b.wantRelay(true, fmt.Sprintf("at rate %g", rate))
		}
		b.wantNoFaults()
	})
}

// TestFastClockKeepsUp plays the same in real time, beside goroutines that take every processor. What it measures is the
// machine; that it runs without faults is the station's part.
func TestFastClockKeepsUp(t *testing.T) {
	if os.Getenv("EVSED_SOAK") == "" {
		t.Skip("takes real time: EVSED_SOAK=1 runs it")
	}
	for _, rate := range []float64{10, 60, 600, MaxRate} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			b := newBubble(t, nil) // without the bubble
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- b.station.Run(ctx) }()
			for range 2 * runtime.GOMAXPROCS(0) {
				go hog(ctx)
			}
			for b.station.alive() == nil {
				time.Sleep(time.Millisecond)
			}
			b.must(b.station.SetRate(rate))
			from, real := b.station.Clock().Now(), time.Now()
			b.chargeFast(10 * time.Minute)
			t.Logf("rate %g: %.0f was reached", rate, b.station.Clock().Now().Sub(from).Seconds()/time.Since(real).Seconds())
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// chargeFast lets a car charge for a while of its clock, and wants no fault of it.
func (b *bubble) chargeFast(d time.Duration) {
	b.t.Helper()
	b.must(b.station.World().Plug(1, 1, halsim.PlugOptions{}))
	b.swipe()
	for range patience {
		if b.relay() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for from := b.station.Clock().Now(); b.station.Clock().Now().Sub(from) < d; {
		time.Sleep(time.Millisecond)
	}
	b.wantRelay(true, "after card and car")
	b.wantNoFaults()
}

// patience is for how many milliseconds a car waits until it charges.
const patience = 120_000

func (b *bubble) wantNoFaults() {
	b.t.Helper()
	b.events.mu.Lock()
	defer b.events.mu.Unlock()
	for _, ev := range b.events.events {
		if f, ok := ev.(station.FaultChanged); ok {
			b.t.Errorf("%+v", f)
		}
	}
}

// hog keeps a processor busy.
func hog(ctx context.Context) {
	sum := []byte("x")
	for ctx.Err() == nil {
		next := sha256.Sum256(sum)
		sum = next[:]
	}
}
