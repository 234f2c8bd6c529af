package virtual

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// bubble is a station in a bubble of virtual time: it has no CSMS, and whatever card comes charges.
type bubble struct {
	t       *testing.T
	station *Station
	events  watched
}

// watched keeps what the core heard and said.
type watched struct {
	mu       sync.Mutex // everything below
	events   []station.Event
	security []station.SecurityEvent
	tx       []station.TransactionEvent
}

func (w *watched) Event(ev station.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, ev)
}

func (w *watched) Output(o *station.Output) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range o.Reports {
		switch b := r.Body.(type) {
		case station.SecurityEvent:
			w.security = append(w.security, b)
		case *station.TransactionEvent:
			w.tx = append(w.tx, *b)
		}
	}
}

func newBubble(t *testing.T, edit func(*Options)) *bubble {
	t.Helper()
	b := &bubble{t: t}
	o := Options{
		Station: station.Config{Name: "cs", Identity: station.Identity{Vendor: "V", Model: "M"}, EVSEs: []station.EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}}}},
		Settings: []Setting{setting("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true"), setting("TxCtrlr", "TxBeforeAcceptedEnabled", "true")},
		Dir:      t.TempDir(), Watch: &b.events,
	}
	if edit != nil {
		edit(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.station = s
	return b
}

// start lives until the test ends.
func (b *bubble) start() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.station.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	})
	b.after(time.Second)
}

// after lets virtual time pass.
func (b *bubble) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bubble) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bubble) charge() {
	b.t.Helper()
	b.must(b.station.World().Plug(1, 1, halsim.PlugOptions{}))
	b.must(b.station.World().Swipe(halsim.Swipe{Token: term.IdToken{Value: "A", Type: term.TokenISO14443}, EVSEs: []term.EVSEID{1}}))
	b.after(10 * time.Second)
	b.wantRelay(true, "after card and car")
}

func (b *bubble) relay() bool { return b.station.World().State().EVSEs[0].Relay }

func (b *bubble) wantRelay(want bool, when string) {
	b.t.Helper()
	if b.relay() != want {
		b.t.Fatalf("%s: contactor closed is %v; %+v", when, !want, b.station.Status())
	}
}

func setting(component, variable, value string) Setting {
	var s Setting
	s.Component.Name, s.Variable.Name, s.Value = component, variable, value
	return s
}

func TestPowerPlans(t *testing.T) {
	off := func(ups time.Duration) func(*Station) error { return func(s *Station) error { return s.PowerOff(ups) } }
	cycle := func(d time.Duration) func(*Station) error { return func(s *Station) error { return s.PowerCycle(d) } }
	on := (*Station).PowerOn
	for _, test := range []struct {
		name  string
		acts  []func(*Station) error // one a second
		alive string                 // at the end of each second, from the first act on: "1" a station lives, "0" none
		boots int
	}{
		{"off and on", []func(*Station) error{off(0), on}, "01111", 2},
		{"a buffer runs out", []func(*Station) error{off(2500 * time.Millisecond)}, "11000", 1},
		{"on before the buffer runs out", []func(*Station) error{off(2500 * time.Millisecond), on}, "11111", 1},
		{"off while the buffer runs", []func(*Station) error{off(2500 * time.Millisecond), off(0)}, "10000", 1},
		{"a longer buffer", []func(*Station) error{off(2500 * time.Millisecond), off(3500 * time.Millisecond)}, "1111000", 1},
		{"cycle", []func(*Station) error{cycle(2500 * time.Millisecond)}, "00111", 2},
		{"off during a cycle", []func(*Station) error{cycle(2500 * time.Millisecond), off(0)}, "000000", 1},
		{"on during a cycle, then off", []func(*Station) error{cycle(2500 * time.Millisecond), on, off(0)}, "010000", 2},
		{"cycle while the buffer runs", []func(*Station) error{off(1500 * time.Millisecond), cycle(1500 * time.Millisecond)}, "1011111", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, nil)
				b.start()
				got := ""
				for i := range test.alive {
					if i < len(test.acts) {
						b.must(test.acts[i](b.station))
					}
					b.after(time.Second)
					if b.station.Status().Uptime > 0 {
						got += "1"
					} else {
						got += "0"
					}
				}
				if st := b.station.Status(); got != test.alive || st.Boots != test.boots {
					t.Errorf("alive %s in %d boots, want %s in %d", got, st.Boots, test.alive, test.boots)
				}
			})
		})
	}
}

func TestPowerBackBeforeTheBufferIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, func(o *Options) { o.Settings = append(o.Settings, setting("TxCtrlr", "ResumptionTimeout", "900")) })
		b.start()
		b.charge()
		b.must(b.station.PowerOff(5 * time.Second))
		if b.station.Status().Powered {
			t.Error("the mains are there")
		}
		b.after(2 * time.Second)
		b.wantRelay(false, "on the buffer")
		b.must(b.station.PowerOn())
		b.after(20 * time.Second)
		b.wantRelay(true, "with the mains back")
		if st := b.station.Status(); st.Boots != 1 || !st.Powered {
			t.Errorf("%+v", st)
		}
	})
}

func TestPlanFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, nil)
		b.start()
		b.must(b.station.PowerCycle(time.Hour))
		b.after(time.Second)
		b.must(b.station.SetRate(60))
		b.after(58 * time.Second)
		if b.station.Status().Uptime != 0 {
			t.Error("back too early")
		}
		b.after(3 * time.Second)
		if b.station.Status().Uptime == 0 {
			t.Error("an hour in a minute is over")
		}
	})
}

func TestNoPowerNoVoltage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, nil)
		b.start()
		if v := b.station.World().State().EVSEs[0].Voltage[0]; v < 220*unit.Volt {
			t.Errorf("%v with the mains on", v)
		}
		b.must(b.station.PowerOff(0))
		b.after(time.Second)
		if v := b.station.World().State().EVSEs[0].Voltage; v != [3]unit.Voltage{} {
			t.Errorf("%v with the mains off", v)
		}
	})
}

func TestStationFaultKeepsItsInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, nil)
		b.must(b.station.World().SetFault(halsim.FaultOptions{Code: term.FaultTamper, Active: true, Info: "door is open"}))
		b.start()
		b.events.mu.Lock()
		defer b.events.mu.Unlock()
		found := false
		for _, ev := range b.events.security {
			found = found || ev.Type == station.TamperDetectionActivated && strings.Contains(ev.Info, "door is open")
		}
		if !found {
			t.Errorf("security events %+v", b.events.security)
		}
	})
}
