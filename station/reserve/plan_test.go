package reserve

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evsed/evsed/station/term"
)

// places reads "free:A,B kept:A taken".
func places(words ...string) []Place {
	var ps []Place
	for i, w := range words {
		p := Place{EVSE: term.EVSEID(i + 1), Types: []string{"A"}}
		switch w[0] {
		case 'f':
			p.Use = Free
		case 'k':
			p.Use = Kept
		}
		if len(w) > 1 {
			p.Types = []string{w[1:2]}
			if len(w) > 2 {
				p.Types = append(p.Types, w[2:])
			}
		}
		ps = append(ps, p)
	}
	return ps
}

func TestPlan(t *testing.T) {
	any, one, two, typeA, typeB := Want{}, Want{EVSE: 1}, Want{EVSE: 2}, Want{Type: "A"}, Want{Type: "B"}
	for _, row := range []struct {
		name   string
		places []Place
		wants  []Want
		lost   []int
		held   []term.EVSEID
	}{
		{"nothing reserved", places("f", "f"), nil, nil, nil},
		{"one of them, by name", places("f", "f"), []Want{two}, nil, []term.EVSEID{2}},
		{"any of two", places("f", "f"), []Want{any}, nil, nil},
		{"as many as there are", places("f", "f"), []Want{any, any}, nil, []term.EVSEID{1, 2}},
		{"any beside one by name", places("f", "f"), []Want{any, one}, nil, []term.EVSEID{1, 2}},
		{"any beside one by name of three", places("f", "f", "f"), []Want{any, two}, nil, []term.EVSEID{2}},
		{"the other is taken", places("t", "f"), []Want{any}, nil, []term.EVSEID{2}},
		{"a stranger's car on the one held back", places("t", "k"), []Want{any}, nil, []term.EVSEID{2}},
		{"the other has become free", places("f", "k"), []Want{any}, nil, []term.EVSEID{1}},
		{"two held, one given back", places("k", "k"), []Want{any}, nil, []term.EVSEID{1}},
		{"a type that one has", places("fA", "fB"), []Want{typeB}, nil, []term.EVSEID{2}},
		{"a type that both have", places("fA", "fBA"), []Want{typeA}, nil, nil},
		{"types that cross", places("fA", "fAB"), []Want{typeA, typeB}, nil, []term.EVSEID{1, 2}},
		{"any gives way to a type", places("fA", "fB", "fB"), []Want{any, typeA}, nil, []term.EVSEID{1}},
		{"the newest cannot be kept", places("f", "t"), []Want{any, any}, []int{1}, []term.EVSEID{1}},
		{"the oldest is kept where it can", places("t", "f"), []Want{one, any, any}, []int{0, 2}, []term.EVSEID{2}},
		{"an EVSE that is gone", places("f"), []Want{two}, []int{0}, nil},
		{"all in use", places("t", "t"), []Want{any}, []int{0}, nil},
	} {
		var p Planner
		lost, holds := p.Plan(row.places, row.wants)
		var held []term.EVSEID
		for k, i := range holds {
			if i != none {
				held = append(held, row.places[k].EVSE)
			}
		}
		if !slices.Equal(lost, row.lost) || !slices.Equal(held, row.held) {
			t.Errorf("%s: lost %v, held %v; want %v, %v", row.name, lost, held, row.lost, row.held)
		}
	}
}

func TestServes(t *testing.T) {
	var p Planner
	waiting := Want{Empty: true}
	for _, row := range []struct {
		name   string
		places []Place
		wants  []Want
		want   bool
	}{
		{"nobody", nil, nil, true},
		{"a driver who waits and a reservation", places("f", "f"), []Want{waiting, {}}, true},
		{"no room for both", places("f", "t"), []Want{waiting, {}}, false},
		{"who waits cannot have a place with a car", places("k", "t"), []Want{waiting}, false},
		{"a reservation can", places("k", "f"), []Want{waiting, {}}, true},
		{"a reader of one EVSE", places("f", "f"), []Want{{EVSEs: []term.EVSEID{2}}, {EVSE: 2}}, false},
		{"a reader of two", places("f", "f"), []Want{{EVSEs: []term.EVSEID{1, 2}}, {EVSE: 2}}, true},
	} {
		if got := p.Serves(row.places, row.wants); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// TestPlanAgainstEveryChoice compares the Planner with trying everything.
func TestPlanAgainstEveryChoice(t *testing.T) {
	var p Planner
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 3))
		ps, ws := random(r)
		lost, holds := p.Plan(ps, ws)
		lost, holds = slices.Clone(lost), slices.Clone(holds)
		where := fmt.Sprintf("seed %d: places %v wants %v: lost %v holds %v", seed, ps, ws, lost, holds)
		var kept []Want
		for i := range ws {
			can := possible(ps, append(slices.Clone(kept), ws[i]))
			if can == slices.Contains(lost, i) {
				t.Fatalf("%s: claim %d can be kept: %v", where, i, can)
			}
			if can {
				kept = append(kept, ws[i])
			}
		}
		if !p.Serves(ps, kept) {
			t.Fatalf("%s: what is kept is not served", where)
		}
		for k := range ps {
			if ps[k].Use != Free {
				continue
			}
			without := slices.Clone(ps)
			without[k].Use = Taken
			for j, i := range holds { // a car on an EVSE that nobody is promised is no help
				if without[j].Use == Kept && i == none {
					without[j].Use = Taken
				}
			}
			if needed := !possible(without, kept); needed != (holds[k] != none) {
				t.Fatalf("%s: place %d needed: %v", where, k, needed)
			}
		}
		stays := slices.Clone(ps)
		for k, i := range holds {
			if stays[k].Use == Kept && i == none {
				stays[k].Use = Taken
			}
		}
		if !possible(stays, kept) {
			t.Fatalf("%s: without the cars that were let go it is too little", where)
		}
	}
}

func random(r *rand.Rand) ([]Place, []Want) {
	var ps []Place
	for i := range 1 + r.IntN(5) {
		p := Place{EVSE: term.EVSEID(i + 1), Use: Use(r.IntN(3))}
		for _, c := range []string{"A", "B"} {
			if r.IntN(3) > 0 {
				p.Types = append(p.Types, c)
			}
		}
		ps = append(ps, p)
	}
	var ws []Want
	for range r.IntN(len(ps) + 2) {
		w := Want{}
		switch r.IntN(3) {
		case 0:
			w.EVSE = term.EVSEID(1 + r.IntN(len(ps)+1))
		case 1:
			w.Type = string("AB"[r.IntN(2)])
		}
		ws = append(ws, w)
	}
	return ps, ws
}

// possible tries every assignment.
func possible(ps []Place, ws []Want) bool {
	if len(ws) == 0 {
		return true
	}
	for k := range ps {
		if ws[0].Fits(&ps[k]) {
			rest := slices.Clone(ps)
			rest[k].Use = Taken
			if possible(rest, ws[1:]) {
				return true
			}
		}
	}
	return false
}

// BenchmarkPlan is a large site with every EVSE promised.
func BenchmarkPlan(b *testing.B) {
	var ps []Place
	var ws []Want
	for i := range 32 {
		ps = append(ps, Place{EVSE: term.EVSEID(i + 1), Use: Free, Types: []string{"A"}})
		ws = append(ws, Want{Type: "A"})
	}
	var p Planner
	b.ReportAllocs()
	for b.Loop() {
		p.Plan(ps, ws)
	}
}
