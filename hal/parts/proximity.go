package parts

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// proximity is a converter at a divider.
type proximity struct{ divider }

func (b *builder) proximity() (any, error) {
	p, err := b.need(hal.RoleProximity)
	if err != nil {
		return nil, err
	}
	d, err := b.divider(p)
	if err != nil {
		return nil, err
	}
	return &proximity{d}, nil
}

// Resistance measures. An error of the converter reads as a short, which is no cable.
func (p *proximity) Resistance() (unit.Resistance, error) { return p.resistance() }
