package guard_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
)

// TestPermitsOfALostStation: what a station that is gone had permitted holds for Hold and is then forgotten, although the
// next station's loop moves; what the next one permits itself goes on without a break.
func TestPermitsOfALostStation(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	for _, test := range []struct {
		name  string
		hold  time.Duration
		again bool // the next station permits anew
	}{{"no hold", 0, false}, {"hold", 4 * time.Second, false}, {"permitted anew", 4 * time.Second, true}} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, func(c *guard.Config) { c.Hold = test.hold })
			b.ok(b.w.Plug(1, 1, halsim.PlugOptions{}))
			b.permit(ref, 16)
			b.wantRelay(ref, true, 20*time.Second)
			b.g.Lost(b.now)
			b.g.Found()
			before := b.opened
			if test.again {
				b.permit(ref, 16)
				if b.run(30 * time.Second); b.opened != before {
					t.Fatalf("opened at %v", b.opened)
				}
				return
			}
			took := b.wantRelay(ref, false, test.hold+5*time.Second)
			if took < test.hold {
				t.Errorf("opened after %v, hold is %v", took, test.hold)
			}
			if b.run(30 * time.Second); b.relay(ref) {
				t.Error("a forgotten permit came to life")
			}
			b.permit(ref, 16)
			b.wantRelay(ref, true, 20*time.Second)
		})
	}
}
