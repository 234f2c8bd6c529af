package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// busy is a station with n profiles of 24 periods each for an EVSE. Apart: one after the other through a day, so that
// every period counts. Else they are of all purposes and kinds, anywhere in the day, each on a level of its own.
func busy(tb testing.TB, n int, apart bool) *Set {
	tb.Helper()
	r := strict
	r.MaxStackLevel, r.MaxProfiles = n, n
	y := Supply{Phases: 3, Max: 32 * unit.Ampere, Switch: true}
	s := New(Config{Rules: r, Station: Supply{Phases: 3, Max: 63 * unit.Ampere}, EVSEs: []Supply{y, y}})
	s.Begin(1, "T", t0.Add(-time.Hour))
	rnd := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range n {
		start, length := time.Duration(rnd.IntN(86400)), time.Duration(3600+rnd.IntN(6*3600))
		if apart {
			start, length = time.Duration(86400*i/n), time.Duration(86400/n)
		}
		c := Schedule{Unit: Amperes, Start: t0.Add(start * time.Second), Duration: length * time.Second}
		if i%3 == 0 {
			c.Unit = Watts
		}
		for j := range 24 {
			d := Period{Start: length * time.Duration(j) / 24 * time.Second, Limit: int64(6+(i+j)%26) * 1000}
			if c.Unit == Watts {
				d.Limit *= 690
			}
			c.Periods = append(c.Periods, d)
		}
		p := Profile{ID: i, StackLevel: i, Purpose: PurposeDefault, Kind: Absolute, Schedules: []Schedule{c}}
		in := Installed{EVSE: term.EVSEID(i % 2), Source: SourceCSO}
		if !apart {
			switch i % 8 {
			case 0, 1:
				p.Purpose, p.Transaction, in.EVSE = PurposeTx, "T", 1
			case 2:
				p.Purpose, in.EVSE = PurposeStation, 0
			case 3:
				p.Purpose, in.Source = PurposeExternal, SourceEMS
			}
			if i%5 == 0 {
				p.Kind, p.Recurrency = Recurring, Daily
				p.Schedules[0].Start = c.Start.AddDate(0, 0, -i)
			}
		}
		in.Profile = p
		if _, _, x := s.Put(Offer{Installed: in}); x != nil {
			tb.Fatal(x)
		}
	}
	return s
}

func TestComposeAllocatesNothing(t *testing.T) {
	s := busy(t, 64, false)
	buf := make([]Period, 0, 4096)
	for evse := range term.EVSEID(3) {
		if n := testing.AllocsPerRun(20, func() {
			if _, r := s.Compose(evse, t0, 24*time.Hour, Amperes, buf); r != nil {
				t.Fatal(r)
			}
		}); n != 0 {
			t.Errorf("EVSE %d: %v allocations", evse, n)
		}
	}
	i := 0
	if n := testing.AllocsPerRun(20, func() {
		i++
		s.Limit(1, at(600*i))
		s.Limit(0, at(600*i))
	}); n != 0 {
		t.Errorf("a limit: %v allocations", n)
	}
}

func BenchmarkCompose(b *testing.B) {
	for _, c := range []struct {
		n     int
		apart bool
		evse  term.EVSEID
	}{{64, false, 1}, {64, true, 1}, {64, false, 0}, {1000, false, 1}, {1000, true, 1}} {
		s := busy(b, c.n, c.apart)
		buf := make([]Period, 0, 30000)
		x, _ := s.Compose(c.evse, t0, 24*time.Hour, Amperes, buf)
		name := fmt.Sprintf("%d profiles of 24 periods/EVSE %d/%d periods", c.n, c.evse, len(x.Periods))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, r := s.Compose(c.evse, t0, 24*time.Hour, Amperes, buf); r != nil {
					b.Fatal(r)
				}
			}
		})
	}
}

func BenchmarkLimit(b *testing.B) {
	s := busy(b, 64, false)
	b.Run("standing", func(b *testing.B) {
		for b.Loop() {
			s.Limit(1, t0)
		}
	})
	for _, n := range []int{64, 1000} {
		s := busy(b, n, false)
		b.Run(fmt.Sprintf("after a change of %d profiles", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.changed()
				s.Limit(1, t0)
			}
		})
	}
}
