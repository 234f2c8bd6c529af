package cert16_test

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// Keys of which another value is another behaviour, where no case of the certification compares the two.

// TestMessageRetries: how often a message about a transaction is sent, and what lies between (1.6, 3.7.1): the interval as many
// times as it has been sent.
func TestMessageRetries(t *testing.T) {
	for _, tt := range []struct {
		name, attempts, interval string
		gaps                     []time.Duration
	}{
		{"once", "1", "10", nil},
		{"three times", "3", "10", []time.Duration{10 * time.Second, 20 * time.Second}},
		{"three times, slowly", "3", "30", []time.Duration{30 * time.Second, time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("TransactionMessageAttempts", tt.attempts, "TransactionMessageRetryInterval", tt.interval)
				b.Says("StartTransaction", errors.New("InternalError"))
				b.Plug(2)
				b.Swipe(2, "TAG1")
				b.After(10 * time.Minute)
				b.Skip()
				var gaps []time.Duration
				var last time.Time
				for _, h := range b.Heard("StartTransaction") {
					if !last.IsZero() {
						gaps = append(gaps, h.At.Sub(last).Round(time.Second))
					}
					last = h.At
				}
				if last.IsZero() || !slices.Equal(gaps, tt.gaps) {
					t.Errorf("StartTransaction was sent again after %v, want %v", gaps, tt.gaps)
				}
			})
		})
	}
}

// TestShortStatus: a pause of five seconds is told, unless a status has to hold for longer.
func TestShortStatus(t *testing.T) {
	for value, told := range map[string]bool{"0": true, "20": false} {
		t.Run("MinimumStatusDuration "+value, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("MinimumStatusDuration", value)
				b.charging(2, "TAG1")
				b.After(time.Minute)
				b.Post("evses/2/ev", obj{"ready": false})
				b.After(5 * time.Second)
				b.Post("evses/2/ev", obj{"ready": true})
				if told {
					b.statuses(2, "SuspendedEV", "Charging")
				}
				b.None(time.Minute, "StatusNotification", nil)
			})
		})
	}
}

// TestUnknownIdOffline: whether somebody whom nobody knows may charge while nobody can be asked (1.6, 3.5.3).
func TestUnknownIdOffline(t *testing.T) {
	for value, charges := range map[string]bool{"true": true, "false": false} {
		t.Run("AllowOfflineTxForUnknownId "+value, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("AllowOfflineTxForUnknownId", value)
				b.network(false)
				b.Plug(2)
				b.After(5 * time.Second)
				b.knows(2, "NOBODY", charges)
				b.network(true)
				if charges {
					b.Want("StartTransaction", obj{"idTag": "NOBODY"})
				} else {
					b.None(time.Minute, "StartTransaction", nil)
				}
				b.Skip()
			})
		})
	}
}
