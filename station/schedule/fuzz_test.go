package schedule

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// drawer takes numbers out of the bytes of a fuzzer; after the last there are zeros.
type drawer struct{ b []byte }

func (d *drawer) int64() int64 {
	var x [8]byte
	d.b = d.b[copy(x[:], d.b):]
	return int64(binary.LittleEndian.Uint64(x[:]))
}

// small is 0 to n-1, and now and then anything.
func (d *drawer) small(n int64) int64 {
	var x byte
	if len(d.b) > 0 {
		x, d.b = d.b[0], d.b[1:]
	}
	if x == 255 {
		return d.int64()
	}
	return int64(x) % n
}

// instant is near t0, or anywhere, or not given.
func (d *drawer) instant() time.Time {
	switch d.small(4) {
	case 0:
		return time.Time{}
	case 1:
		return time.Unix(d.int64()>>16, d.small(1e9)) // some 4 million years both ways
	}
	return at(int(d.small(250)) * 60)
}

func (d *drawer) profile() Profile {
	p := Profile{
		ID: int(d.small(8)), StackLevel: int(d.small(4)), ValidFrom: d.instant(), ValidTo: d.instant(),
		Purpose:    []Purpose{PurposeDefault, PurposeTx, PurposeStation, PurposeExternal}[d.small(4)&3],
		Kind:       []Kind{Absolute, Recurring, Relative, ""}[d.small(4)&3],
		Recurrency: []Recurrency{"", Daily, Weekly, ""}[d.small(4)&3],
	}
	if p.Purpose == PurposeTx {
		p.Transaction = []term.TransactionID{"T", "", "U"}[uint64(d.small(3))%3]
	}
	for range 1 + uint64(d.small(2))%3 {
		c := Schedule{
			Start: d.instant(), Duration: time.Duration(d.small(200)) * time.Minute, Unit: []Unit{Amperes, Watts}[d.small(2)&1],
			MinRate: d.small(2),
		}
		for range uint64(d.small(5)) % 20 {
			e := Period{Limit: d.small(64) * 1000, Phases: int8(d.small(4)), PhaseToUse: int8(d.small(2))}
			if n := len(c.Periods); n > 0 {
				e.Start = c.Periods[n-1].Start + time.Duration(d.small(100))*time.Minute
			}
			c.Periods = append(c.Periods, e)
		}
		p.Schedules = append(p.Schedules, c)
	}
	return p
}

// FuzzProfiles offers profiles, sound and not, and composes what was taken: no panic, and nothing out of bounds.
func FuzzProfiles(f *testing.F) {
	f.Add([]byte{}, int64(0), int32(3600))
	f.Add([]byte("\x00\x01\x00\x00\x00\x00\x02\x02\x00\x0a\x01\x01\x00\x03\x10\x03\x00\x08\x02\x01\x05"), int64(60), int32(86400))
	f.Add([]byte("\x01\x02\x02\x05\x02\x50\x01\x01\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f\x05\x05"), int64(-1), int32(1<<31-1))
	f.Fuzz(func(t *testing.T, b []byte, from int64, seconds int32) {
		d := &drawer{b}
		r := strict
		r.Loose, r.MaxStackLevel, r.MaxProfiles = len(b)%2 == 1, 1<<31-1, 6
		y := Supply{Phases: 3, Max: 32 * unit.Ampere, Switch: true}
		s := New(Config{Rules: r, EVSEs: []Supply{y, {Phases: 1, Max: 16 * unit.Ampere}}})
		s.Begin(1, "T", d.instant())
		for range 8 {
			o := Offer{Installed: Installed{EVSE: term.EVSEID(d.small(3)), Source: SourceCSO, Received: t0, Profile: d.profile()}, Negotiated: true}
			if o.Profile.Purpose == PurposeExternal {
				o.Source = SourceEMS
			}
			x := s.Check(o)
			in, replaced, y := s.Put(o)
			if (x == nil) != (y == nil) || x != nil && x.Code != y.Code {
				t.Fatalf("check says %v, put %v", x, y)
			}
			if got, ok := s.Get(in.Profile.ID); y == nil && (!ok || got.EVSE != o.EVSE || len(replaced) > s.cfg.Rules.MaxProfiles) {
				t.Fatalf("installed %+v, replaced %v", in, replaced)
			}
		}
		if s.Len() > r.MaxProfiles {
			t.Fatalf("%d profiles", s.Len())
		}
		start := time.Unix(from>>16, 0)
		if from>>16 == 0 {
			start = at(int(from))
		}
		for evse := range term.EVSEID(3) {
			fuzzed(t, s, evse, start, time.Duration(seconds)*time.Second)
		}
	})
}

// fuzzed looks at what a set says for what can never be.
func fuzzed(t *testing.T, s *Set, evse term.EVSEID, from time.Time, d time.Duration) {
	t.Helper()
	c, x := s.Compose(evse, from, d, Amperes, make([]Period, 0, 50))
	if x != nil || len(c.Periods) == 0 || len(c.Periods) > 50 || c.Duration > max(d, 0) || c.Periods[0].Start != 0 {
		t.Fatalf("composed %+v: %v", c, x)
	}
	most := int64(s.supply(evse).Max)
	for i, p := range c.Periods {
		if p.Limit < 0 || p.Limit > most || p.Phases < 1 || p.Phases > 3 || i > 0 && p.Start <= c.Periods[i-1].Start {
			t.Fatalf("period %d of %+v", i, c.Periods)
		}
	}
	l, until := s.Limit(evse, from)
	if l.Max < 0 || int64(l.Max) > most || l.Phases < 1 || l.Phases > 3 || !until.IsZero() && !until.After(from) {
		t.Fatalf("limit %+v until %v, asked at %v", l, until, from)
	}
}
