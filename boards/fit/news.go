package fit

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/term"
)

// news is what the core shall know of the devices: which of them fail, and what they allow. It keeps the state and no queue: a
// core that is slow, or begins anew, hears how things are and not how they came to be so.
type news struct {
	mu      sync.Mutex // of all below
	failing []failing  // in the order of their beginning
	claims  map[claimant]station.LimitClaimed
	order   []claimant
	presses int           // of stop buttons; several before the core looks are one
	changed chan struct{} // holds one at most
}

// failing is a device that does not work.
type failing struct {
	device string
	at     place
	why    string
}

// place is where a fault is, and which.
type place struct {
	ref   term.Ref
	fault term.Fault
}

// claimant is who limits what.
type claimant struct {
	evse  term.EVSEID
	owner limit.Owner
}

func newNews() *news {
	return &news{claims: map[claimant]station.LimitClaimed{}, changed: make(chan struct{}, 1)}
}

// fail notes that a device does not work, or with nil that it does. It reports whether that is news.
func (n *news) fail(device string, at place, err error) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.failing, func(f failing) bool { return f.device == device })
	switch {
	case (i >= 0) == (err != nil): // the first cause stays: another one for the same silence is no news
		return false
	case err == nil:
		n.failing = slices.Delete(n.failing, i, i+1)
	default:
		n.failing = append(n.failing, failing{device, at, device + ": " + strings.TrimPrefix(err.Error(), device+": ")})
	}
	n.wake()
	return true
}

// claim sets what an owner allows, or ends it.
func (n *news) claim(c station.LimitClaimed) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	who := claimant{c.EVSE, c.Owner}
	was, known := n.claims[who]
	if was == c || !known && c.Off {
		return false
	}
	if !known {
		n.order = append(n.order, who)
	}
	n.claims[who] = c
	n.wake()
	return true
}

// press notes that a stop button was pressed.
func (n *news) press() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.presses++
	n.wake()
}

// pressed returns how often that was.
func (n *news) pressed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.presses
}

func (n *news) wake() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// faults gathers which places have a fault and what is said of it, in the order of the devices that failed first.
func (n *news) faults() (at []place, why map[place]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[place][]string{}
	for _, f := range n.failing {
		if all[f.at] == nil {
			at = append(at, f.at)
		}
		all[f.at] = append(all[f.at], f.why)
	}
	why = map[place]string{}
	for p, words := range all {
		why[p] = strings.Join(words, "; ")
	}
	return at, why
}

func (n *news) allowed() (all []station.LimitClaimed) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, who := range n.order {
		all = append(all, n.claims[who])
	}
	return all
}

// run tells it until ctx ends.
func (n *news) run(ctx context.Context, post func(station.Event)) {
	told := map[place]string{}
	var order []place // of told
	claims := map[claimant]station.LimitClaimed{}
	presses := n.pressed() // what was pressed before nobody waits for
	for {
		if now := n.pressed(); now != presses {
			presses = now
			post(station.StopPressed{})
		}
		for _, c := range n.allowed() {
			who := claimant{c.EVSE, c.Owner}
			if was, known := claims[who]; was != c && (known || !c.Off) {
				claims[who] = c
				post(c)
			}
		}
		at, why := n.faults()
		for _, p := range order {
			if why[p] == "" {
				delete(told, p)
				post(station.FaultChanged{Ref: p.ref, Fault: p.fault})
			}
		}
		for _, p := range at {
			if told[p] != why[p] {
				told[p] = why[p]
				post(station.FaultChanged{Ref: p.ref, Fault: p.fault, Active: true, Info: why[p]})
			}
		}
		order = at
		select {
		case <-n.changed:
		case <-ctx.Done():
			return
		}
	}
}
