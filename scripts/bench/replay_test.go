package main

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// A replay in virtual time, in which the agent's own work takes none: the only wait is for the answer, and every event is
// told once, in its order. EVSED_SOAK makes it 100,000 events, EVSED_REPLAY as many as it says.
func TestReplayWaitsForAnswersOnly(t *testing.T) {
	events := 2000
	if os.Getenv("EVSED_SOAK") != "" {
		events = queueSize
	}
	if text := os.Getenv("EVSED_REPLAY"); text != "" {
		var err error
		if events, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, roundTrip := range []time.Duration{replayRoundTrip, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			g, err := replay(t.TempDir(), events, newLaggedNet(roundTrip, 0), &turns{})
			if err != nil {
				t.Fatal(err)
			}
			limit := 1 / roundTrip.Seconds()
			if share := g.pace().rate() / limit; share < goalReplay || share > 1.0001 {
				t.Errorf("round trip %v: %.2f events a second, %.1f %% of the limit", roundTrip, g.pace().rate(), 100*share)
			} else {
				t.Logf("round trip %v: %d events, %.3f %% of the limit", roundTrip, events, 100*share)
			}
		})
	}
}
