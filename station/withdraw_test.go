package station_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/stationtest"
)

// permutations calls f with every order of acts.
func permutations(acts []string, f func([]string)) {
	var place func(int)
	place = func(n int) {
		if n == len(acts) {
			f(acts)
			return
		}
		for i := n; i < len(acts); i++ {
			acts[n], acts[i] = acts[i], acts[n]
			place(n + 1)
			acts[n], acts[i] = acts[i], acts[n]
		}
	}
	place(0)
}

// TestWithdrawalInAnyOrder: the car is plugged, the card comes, the connection goes and comes and the CSMS changes its mind
// about the card, in every order and at every pace. Once the CSMS has refused the card in an answer, no energy may flow two
// seconds later, whatever had begun before; the guard hears it from the last permit that it was given.
func TestWithdrawalInAnyOrder(t *testing.T) {
	refused, charged := 0, 0
	for _, set := range []string{"TxCtrlr/TxStartPoint=PowerPathClosed", "TxCtrlr/TxStartPoint=EVConnected", "TxCtrlr/TxStartPoint=Authorized", "TxCtrlr/TxStartPoint=EnergyTransfer"} {
		for _, pace := range []string{"20ms", "110ms", "3s"} {
			for _, known := range []bool{false, true} {
				permutations([]string{"plug 2.1", "swipe ALICE evses=2", "csms token ALICE Blocked", "link down", "link up"}, func(acts []string) {
					b := stationtest.New(stationtest.Options{})
					story := []string{"boot", "set AuthCtrlr/LocalPreAuthorize=true " + set, "link up", "advance 2s"}
					if known {
						story = append(story, "cacheput ALICE Accepted")
					}
					for _, a := range acts {
						story = append(story, a, "advance "+pace)
					}
					story = append(story, "link up", "advance 90s", "advance 2s")
					told := tellAll(t, b, story)
					permits := strings.LastIndex(told, "permit 2.1 close") > max(strings.LastIndex(told, "permit 2.1 open"), strings.LastIndex(told, "cut 2.1 open"))
					no := strings.LastIndex(told, ": Blocked")
					switch {
					case no >= 0 && permits:
						t.Fatalf("energy for a refused card: %s\n%s", strings.Join(story, "; "), told)
					case no >= 0:
						refused++
					case strings.Contains(told, "permit 2.1 close"):
						charged++
					}
				})
			}
		}
	}
	if refused < 500 || charged < 50 {
		t.Errorf("%d stories with a refusal, %d with a charge", refused, charged)
	}
	t.Logf("%d stories with a refusal, %d with a charge", refused, charged)
}

// tellAll plays a story and returns all that was said.
func tellAll(t *testing.T, b *stationtest.Bench, story []string) string {
	t.Helper()
	for _, l := range story {
		if err := b.Do(l); err != nil && !strings.Contains(err.Error(), "already") {
			t.Fatalf("%s: %s: %v", strings.Join(story, "; "), l, err)
		}
	}
	return fmt.Sprint(b.Output())
}
