package virtual

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
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
		time.Sleep(2 * standstill)
		if got := since(t0); got < 600*(standstill-10*time.Millisecond) {
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

// TestFastClockChargesWithoutFaults lets a car charge while the machine has more to do than it can: whatever is late then
// is the machine's fault, and no device's.
func TestFastClockChargesWithoutFaults(t *testing.T) {
	rates := []float64{10, 60}
	if os.Getenv("EVSED_SOAK") != "" {
		rates = append(rates, 600, MaxRate) // what a machine with nothing else to do keeps up with
	}
	for _, rate := range rates {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			b := newBubble(t, nil) // without the bubble
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- b.station.Run(ctx) }()
			for range 4 {
				go hog(ctx)
			}
			b.must(b.station.SetRate(rate))
			b.must(b.station.World().Plug(1, 1, halsim.PlugOptions{}))
			b.must(b.station.World().Swipe(halsim.Swipe{Token: term.IdToken{Value: "A", Type: term.TokenISO14443}, EVSEs: []term.EVSEID{1}}))
			deadline := time.Now().Add(patient)
			for !b.relay() && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			from := b.station.Clock().Now()
			time.Sleep(700 * time.Millisecond) // of a real process
			span, closed := b.station.Clock().Now().Sub(from), b.relay()
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if !closed {
				t.Error("the car does not charge")
			}
			for _, ev := range b.events.events {
				if f, ok := ev.(station.FaultChanged); ok {
					t.Errorf("%+v", f)
				}
			}
			t.Logf("rate %g: %.0f was reached", rate, span.Seconds()/0.7)
		})
	}
}

const patient = 20 * time.Second

// hog keeps a processor busy.
func hog(ctx context.Context) {
	sum := []byte("x")
	for ctx.Err() == nil {
		next := sha256.Sum256(sum)
		sum = next[:]
	}
}
