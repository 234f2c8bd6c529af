package meter

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/evsed/evsed/hal/modbus"
)

// try reads the probe of a model. shown is what it shows, in thousandths, where that is a quantity.
func (p probe) try(ctx context.Context, c modbus.Client, unit uint8, base uint16) (shown int64, fits bool, err error) {
	words, err := c.Read(ctx, unit, p.kind, base+p.address, uint16(p.words))
	if err != nil {
		return 0, false, err
	}
	if len(p.oneOf) > 0 {
		return 0, slices.Contains(p.oneOf, join(words, p.little)), nil
	}
	one := p.register
	one.powered = false // a range needs no exponent of its own
	t, there, err := one.thousandths(image{[]block{{p.kind, p.address, uint16(p.words)}}, [][]uint16{words}})
	if err != nil || !there {
		return 0, false, nil // it shows something else there
	}
	return t, t >= p.expect[0] && t <= p.expect[1], nil
}

// SunSpec: where a device's models begin, what stands there, and what stands behind the last one (SunSpec Information
// Model Specification, Modbus mapping).
const (
	sunsHigh, sunsLow = 0x5375, 0x6e53 // "SunS"
	sunsEnd           = 0xffff
	maxSunsModels     = 64
)

var sunsBases = []uint16{40000, 50000, 0}

// ErrNoModel is a SunSpec device without the model that is looked for.
var ErrNoModel = errors.New("SunSpec model is not there")

// locate returns what the addresses of a model count from in this unit: 0, or where its SunSpec model begins.
func (m *Model) locate(ctx context.Context, c modbus.Client, unit uint8) (uint16, error) {
	if m.sunspec == 0 {
		return 0, nil
	}
	for _, base := range sunsBases {
		mark, err := c.Read(ctx, unit, modbus.Holding, base, 2)
		var refused modbus.Exception
		if errors.As(err, &refused) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if mark[0] == sunsHigh && mark[1] == sunsLow {
			return m.walk(ctx, c, unit, base+2)
		}
	}
	return 0, fmt.Errorf("%w: unit %d does not speak SunSpec", ErrNoModel, unit)
}

// walk follows the chain of a device's models.
func (m *Model) walk(ctx context.Context, c modbus.Client, unit uint8, at uint16) (uint16, error) {
	for range maxSunsModels {
		head, err := c.Read(ctx, unit, modbus.Holding, at, 2)
		if err != nil {
			return 0, err
		}
		switch {
		case head[0] == m.sunspec:
			return at, nil
		case head[0] == sunsEnd, int(at)+2+int(head[1]) >= 1<<16:
			return 0, fmt.Errorf("%w: unit %d has no model %d", ErrNoModel, unit, m.sunspec)
		}
		at += 2 + head[1]
	}
	return 0, fmt.Errorf("%w: unit %d has more than %d models", ErrNoModel, unit, maxSunsModels)
}
