package guard

import "time"

// Settler is a device that needs a moment after its start before it can answer: one behind a wire to another processor.
type Settler interface {
	Settle(limit time.Duration) error
}

// Acknowledger is a device that keeps faults by itself until a fitter says that they are repaired.
type Acknowledger interface{ Acknowledge() }

// Settle gives devices that need it time to answer, at most limit each, so that a start is no fault. It is called after
// New, when everything is open, and before the first cycle. The errors are those of devices that do not answer yet.
func (g *Guard) Settle(limit time.Duration) (errs []error) {
	for i := range g.ports {
		if s, ok := g.ports[i].dev.Pilot.(Settler); ok {
			if err := s.Settle(limit); err != nil {
				errs = append(errs, err)
			}
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
