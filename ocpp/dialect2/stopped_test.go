package dialect2

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// 2.x has one word for both kinds of reset.
func TestAHardResetIsAnImmediateOne(t *testing.T) {
	for _, v := range versions {
		for _, r := range []term.StopReason{term.StopImmediateReset, term.StopHardReset} {
			calls, err := New(v).Encode(station.Report{Body: &station.TransactionEvent{Phase: station.PhaseEnded, At: at, Trigger: term.TriggerResetCommand,
				Transaction: "A", ChargingTime: -1, PhasesUsed: -1, StoppedReason: r}}, nil)
			if err != nil || !strings.Contains(string(calls[0].Payload), `"stoppedReason":"ImmediateReset"`) {
				t.Errorf("%v %s: %v, %v", v, r, calls, err)
			}
		}
	}
}
