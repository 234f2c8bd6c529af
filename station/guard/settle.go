package guard

import "time"

// Settler is a device that needs a moment after its start before it can answer: one behind a wire to another processor.
type Settler interface {
	Settle(limit time.Duration) error
}

// Acknowledger is a device that keeps faults by itself until a fitter says that they are repaired.
type Acknowledger interface{ Acknowledge() }

// Settle gives devices that need it time to answer, at most limit for all together, so that a start is no fault. It is
// called after New, when everything is open, and before the first cycle. The errors are those of devices that do not answer
// yet, each once.
func (g *Guard) Settle(limit time.Duration) (errs []error) {
	said := map[string]bool{}
	for end, i := g.cfg.Clock().Add(limit), 0; i < len(g.ports); i++ {
		s, ok := g.ports[i].dev.Pilot.(Settler)
		if !ok {
			continue
		}
		if err := s.Settle(max(end.Sub(g.cfg.Clock()), 0)); err != nil && !said[err.Error()] {
			said[err.Error()] = true
			errs = append(errs, err)
		}
	}
	return errs
}

// acknowledge passes a fitter's word on to what keeps faults by itself.
func (p *port) acknowledge() {
	if a, ok := p.dev.Diagnosis.(Acknowledger); ok {
		a.Acknowledge()
	}
}
