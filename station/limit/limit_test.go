package limit

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

var t0 = time.Unix(1000, 0)

func at(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }

func amps(a int) Value { return Value{Max: unit.Current(a) * unit.Ampere} }

func board() *Arbiter { return New(Value{32 * unit.Ampere, 3}, "rating") }

func wantLimit(t *testing.T, a *Arbiter, now time.Time, v string, o Owner, deadline time.Time) {
	t.Helper()
	got, d := a.Limit(now)
	if got.Value.String() != v || got.Owner != o || !d.Equal(deadline) {
		t.Errorf("at %v: %v of %v until %v, want %v of %v until %v", now.Unix(), got.Value, got.Owner, d, v, o, deadline)
	}
}

func TestLowestWins(t *testing.T) {
	a := board()
	never := time.Time{}
	wantLimit(t, a, at(0), "32 A, 3 phases", Board, never)
	a.Set(at(0), Cable, Claim{Value: amps(20), Reason: "cable"})
	a.Set(at(1), CSMS, Claim{Value: Value{16 * unit.Ampere, 1}, Reason: "TxProfile", Until: at(60)})
	wantLimit(t, a, at(1), "16 A, 1 phase", CSMS, at(60))
	a.Set(at(2), EMS, Claim{Value: Value{Unlimited, 2}, Reason: "surplus"})
	wantLimit(t, a, at(2), "16 A, 1 phase", CSMS, at(60))
	wantLimit(t, a, at(59), "16 A, 1 phase", CSMS, at(60))
	wantLimit(t, a, at(60), "20 A, 2 phases", Cable, never)
	a.Drop(EMS)
	a.Drop(Cable)
	a.Drop(Board)
	wantLimit(t, a, at(61), "32 A, 3 phases", Board, never)
	a.Set(at(62), User, Claim{Value: amps(-3)})
	wantLimit(t, a, at(62), "0 A, 3 phases", User, never)
}

func TestSilentOwner(t *testing.T) {
	a := board()
	a.Set(at(0), EMS, Claim{Value: amps(25), Reason: "ems", Silence: 30 * time.Second, FailSafe: amps(6)})
	wantLimit(t, a, at(0), "25 A, 3 phases", EMS, at(30))
	a.Heard(at(20), EMS)
	wantLimit(t, a, at(49), "25 A, 3 phases", EMS, at(50))
	wantLimit(t, a, at(50), "6 A, 3 phases", EMS, time.Time{})
	if v, _ := a.Limit(at(50)); !v.Silent {
		t.Error("a silent owner is not called silent")
	}
	a.Heard(at(55), EMS)
	wantLimit(t, a, at(55), "25 A, 3 phases", EMS, at(85))
	a.Set(at(60), EMS, Claim{Value: amps(25), Reason: "ems", Silence: 30 * time.Second, FailSafe: amps(32), Until: at(300)})
	wantLimit(t, a, at(60), "25 A, 3 phases", EMS, at(90))
	wantLimit(t, a, at(100), "32 A, 3 phases", Board, at(300))
	wantLimit(t, a, at(300), "32 A, 3 phases", Board, time.Time{})
	a.Heard(at(301), EMS)
	wantLimit(t, a, at(301), "32 A, 3 phases", Board, time.Time{})
}

func TestClockGoesBack(t *testing.T) {
	a := board()
	a.Set(at(0), CSMS, Claim{Value: amps(10), Silence: 10 * time.Second, FailSafe: amps(6)})
	wantLimit(t, a, at(20), "6 A, 3 phases", CSMS, time.Time{})
	wantLimit(t, a, at(5), "10 A, 3 phases", CSMS, at(10))
}

func TestBoardHasNoEnd(t *testing.T) {
	a := board()
	a.Set(at(0), Board, Claim{Value: amps(16), Reason: "dip switch", Until: at(1), Silence: time.Second})
	wantLimit(t, a, at(100), "16 A", Board, time.Time{})
}

func TestWhy(t *testing.T) {
	a := board()
	a.Set(at(1), User, Claim{Value: amps(10), Reason: "console"})
	a.Set(at(2), EMS, Claim{Value: amps(20), Reason: "surplus", Silence: time.Minute, FailSafe: amps(8)})
	a.Set(at(3), CSMS, Claim{Value: Value{Unlimited, 1}, Reason: "TxProfile 4"})
	a.Set(at(9), User, Claim{Value: amps(10), Reason: "console"})
	show := func(now time.Time) string {
		var b strings.Builder
		for _, r := range a.Why(now, nil) {
			b.WriteString(r.String() + "\n")
		}
		return b.String()
	}
	want := `  board 32 A, 3 phases: rating
> CSMS any current, 1 phase: TxProfile 4
  EMS 20 A: surplus
> user 10 A: console
`
	if got := show(at(10)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	want = `  board 32 A, 3 phases: rating
> CSMS any current, 1 phase: TxProfile 4
> EMS 8 A: surplus (silent)
  user 10 A: console
`
	if got := show(at(62)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, r := range a.Why(at(62), nil) {
		if r.Owner == User && !r.Claim.Since.Equal(at(1)) {
			t.Errorf("a claim said again is since %v, want %v", r.Claim.Since, at(1))
		}
	}
}

func TestAtMost(t *testing.T) {
	have, want := Value{16 * unit.Ampere, 1}, Value{10 * unit.Ampere, 3}
	if got := want.AtMost(have); got != (Value{10 * unit.Ampere, 1}) {
		t.Errorf("got %v", got)
	}
}

// TestArbiterAgainstScan compares with looking at every claim anew at every second, written without the arbiter's
// shortcuts.
func TestArbiterAgainstScan(t *testing.T) {
	type entry struct {
		c     Claim
		heard int
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := board()
		have := map[Owner]entry{}
		var due time.Time
		var last Verdict
		for now := range 200 {
			touched := now == 0
			if r.IntN(8) == 0 {
				touched = true
				o := Owner(1 + r.IntN(int(Owners)-1))
				switch r.IntN(4) {
				case 0:
					a.Drop(o)
					delete(have, o)
				case 1:
					a.Heard(at(now), o)
					if e, ok := have[o]; ok {
						e.heard = now
						have[o] = e
					}
				default:
					c := Claim{Value: Value{unit.Current(r.IntN(40)) * unit.Ampere, uint8(r.IntN(4))}}
					if r.IntN(2) == 0 {
						c.Until = at(now + 1 + r.IntN(30))
					}
					if r.IntN(2) == 0 {
						c.Silence = time.Duration(1+r.IntN(20)) * time.Second
						c.FailSafe = Value{unit.Current(r.IntN(40)) * unit.Ampere, uint8(r.IntN(4))}
					}
					a.Set(at(now), o, c)
					have[o] = entry{c, now}
				}
			}
			want := Value{32 * unit.Ampere, 3}
			for o, e := range have {
				if !e.c.Until.IsZero() && at(now).Compare(e.c.Until) >= 0 {
					delete(have, o)
					continue
				}
				v := e.c.Value
				if e.c.Silence > 0 && now-e.heard >= int(e.c.Silence/time.Second) {
					v = e.c.FailSafe
				}
				if v.Max < want.Max {
					want.Max = v.Max
				}
				if v.Phases > 0 && v.Phases < want.Phases {
					want.Phases = v.Phases
				}
			}
			got, d := a.Limit(at(now))
			if got.Value != want {
				t.Fatalf("seed %d, second %d: got %v, want %v", seed, now, got.Value, want)
			}
			if !touched && got != last && (due.IsZero() || at(now).Before(due)) {
				t.Fatalf("seed %d, second %d: changed before the deadline %v", seed, now, due)
			}
			last, due = got, d
		}
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		name        string
		total       unit.Current
		want, share []unit.Current
	}{
		{"enough for all", 64, []unit.Current{32, 16}, []unit.Current{32, 16}},
		{"the same for all", 24, []unit.Current{32, 32}, []unit.Current{12, 12}},
		{"what one does not want is for the others", 30, []unit.Current{32, 8, 32}, []unit.Current{11, 8, 11}},
		{"the last gets nothing", 17, []unit.Current{32, 32, 32}, []unit.Current{8, 8, 0}},
		{"too little for one", 5, []unit.Current{32, 32}, []unit.Current{0, 0}},
		{"who wants nothing gets nothing", 12, []unit.Current{0, 32}, []unit.Current{0, 12}},
		{"who wants less than the least gets nothing", 12, []unit.Current{5, 32}, []unit.Current{0, 12}},
		{"nothing to share", -1, []unit.Current{32}, []unit.Current{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := make([]unit.Current, len(c.want))
			want := make([]unit.Current, len(c.want))
			for i := range c.want {
				want[i] = c.want[i] * unit.Ampere
			}
			Share(c.total*unit.Ampere, 6*unit.Ampere, want, got)
			for i := range got {
				if got[i]/unit.Ampere != c.share[i] {
					t.Errorf("got %v, want %v", got, c.share)
					break
				}
			}
		})
	}
}

// TestShareBounds: never more than there is, than is wanted, or between nothing and the least.
func TestShareBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		n := 1 + r.IntN(6)
		want, got := make([]unit.Current, n), make([]unit.Current, n)
		for i := range want {
			want[i] = unit.Current(r.IntN(40000))
		}
		total, least := unit.Current(r.IntN(100000)), unit.Current(1+r.IntN(8000))
		Share(total, least, want, got)
		var sum unit.Current
		for i := range got {
			sum += got[i]
			if got[i] > want[i] || got[i] != 0 && got[i] < least {
				t.Fatalf("share %v of want %v, least %v", got, want, least)
			}
		}
		if sum > total {
			t.Fatalf("share %v is more than %v", got, total)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	a := board()
	c := Claim{Value: amps(10), Reason: "x", Silence: time.Minute, FailSafe: amps(6)}
	rows := make([]Row, 0, Owners)
	i := 0
	if n := testing.AllocsPerRun(100, func() {
		i++
		a.Set(at(i), CSMS, c)
		a.Heard(at(i), CSMS)
		a.Limit(at(i))
		rows = a.Why(at(i), rows[:0])
		a.Drop(CSMS)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLimit(b *testing.B) {
	a := board()
	for o := Board + 1; o < Owners; o++ {
		a.Set(t0, o, Claim{Value: amps(10 + int(o)), Until: at(1000)})
	}
	for b.Loop() {
		a.Limit(t0)
	}
}
