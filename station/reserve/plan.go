package reserve

import (
	"slices"

	"github.com/evsed/evsed/station/term"
)

// Use says what an EVSE is good for.
type Use uint8

// Uses, from the worst to the best.
const (
	Taken Use = iota // in use, out of service or faulted: nothing can be promised there
	Kept             // held back, and a car of somebody who may not charge stands there (G01.FR.09)
	Free             // empty
)

// Place is an EVSE as a Planner sees it.
type Place struct {
	EVSE  term.EVSEID
	Use   Use
	Types []string // of the connectors that work
}

// Want is a claim to one EVSE.
type Want struct {
	EVSE  term.EVSEID   // this one; 0: any
	EVSEs []term.EVSEID // one of these; empty: any
	Type  string        // with a connector of this type; "": any
	Empty bool          // without a car
}

// Fits reports whether a place can serve the claim.
func (w *Want) Fits(p *Place) bool {
	switch {
	case p.Use == Taken || w.Empty && p.Use != Free:
		return false
	case w.EVSE != 0 && w.EVSE != p.EVSE:
		return false
	case len(w.EVSEs) > 0 && !slices.Contains(w.EVSEs, p.EVSE):
		return false
	}
	return w.Type == "" || slices.Contains(p.Types, w.Type)
}

// Planner gives each claim an EVSE of its own: a matching in a graph of claims and places, by augmenting paths. What it
// returns is valid until its next use.
type Planner struct {
	wants  []Want
	places []Place
	of     []int  // by place: the claim that has it, or none
	seen   []bool // by claim or by place: visited in this search
	served []bool // by claim: it can be kept
	lost   []int
	holds  []int
	queue  []int
}

const none = -1

// Serves reports whether every claim can have an EVSE of its own.
func (p *Planner) Serves(places []Place, wants []Want) bool {
	p.begin(places, wants)
	for i := range wants {
		if !p.serve(i) {
			return false
		}
	}
	return true
}

// Plan says which of the claims cannot be kept, the newest ones first to go, and for each place the claim that it is held
// back for, or -1. wants stand in the order in which they were made.
func (p *Planner) Plan(places []Place, wants []Want) (lost, holds []int) {
	p.begin(places, wants)
	p.lost, p.served = p.lost[:0], p.served[:0]
	for i := range wants {
		ok := p.serve(i)
		p.served = append(p.served, ok)
		if !ok {
			p.lost = append(p.lost, i)
		}
	}
	p.clear()
	p.prefer(Free)
	p.prefer(Kept)
	p.holds = append(p.holds[:0], p.of...)
	p.letGo()
	return p.lost, p.holds
}

func (p *Planner) begin(places []Place, wants []Want) {
	p.places, p.wants = places, wants
	p.clear()
}

func (p *Planner) clear() {
	p.of = p.of[:0]
	for range p.places {
		p.of = append(p.of, none)
	}
}

func (p *Planner) forget(n int) {
	p.seen = p.seen[:0]
	for range n {
		p.seen = append(p.seen, false)
	}
}

// serve gives claim i a place, moving others to other places if need be. Who has a place keeps having one.
func (p *Planner) serve(i int) bool {
	p.forget(len(p.places))
	return p.place(i)
}

func (p *Planner) place(i int) bool {
	for k := range p.places {
		if p.seen[k] || !p.wants[i].Fits(&p.places[k]) {
			continue
		}
		p.seen[k] = true
		if p.of[k] == none || p.place(p.of[k]) {
			p.of[k] = i
			return true
		}
	}
	return false
}

// prefer gives the claims that are served places of a use, as many as can be: empty EVSEs come before those on which
// somebody else's car stands.
func (p *Planner) prefer(u Use) {
	for k := range p.places {
		if p.places[k].Use == u {
			p.forget(len(p.wants))
			p.fill(k)
		}
	}
}

// fill finds a served claim for place k, at the cost of no other place.
func (p *Planner) fill(k int) bool {
	for i := range p.wants {
		if p.seen[i] || !p.served[i] || !p.wants[i].Fits(&p.places[k]) {
			continue
		}
		p.seen[i] = true
		if at := slices.Index(p.of, i); at == none || p.fill(at) {
			p.of[k] = i
			return true
		}
	}
	return false
}

// letGo gives back the empty places that another empty one can stand in for: no one needs them in particular.
func (p *Planner) letGo() {
	p.queue = p.queue[:0]
	for k := range p.places {
		if p.places[k].Use == Free && p.of[k] == none {
			p.queue = append(p.queue, k)
		}
	}
	p.forget(len(p.places))
	for n := 0; n < len(p.queue); n++ {
		spare := &p.places[p.queue[n]]
		for k := range p.places {
			i := p.of[k]
			if p.seen[k] || i == none || p.places[k].Use != Free || !p.wants[i].Fits(spare) {
				continue
			}
			p.seen[k] = true
			p.holds[k] = none
			p.queue = append(p.queue, k)
		}
	}
}
