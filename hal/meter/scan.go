package meter

import (
	"context"
	"errors"
	"slices"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
)

// Found is what a scan knows of one address.
type Found struct {
	Answers bool             // something is there
	Models  []*Model         // that fit: whose probe and whose registers are as they should be, the most telling first
	Reading hal.MeterReading // by the first of them
}

// Scan asks one unit with the probes of models. Nothing that answers is no error; a bus that does not work is.
func Scan(ctx context.Context, c modbus.Client, unit uint8, models []*Model) (Found, error) {
	var f Found
	most := 0
	for _, m := range models {
		if m.Driver != DriverModbus {
			continue
		}
		r, err := try(ctx, c, unit, m)
		var refused modbus.Exception
		switch {
		case err == nil:
			f.Answers = true
			f.Models = append(f.Models, m)
			if n := telling(m); n > most {
				most, f.Reading = n, r
			}
		case errors.Is(err, modbus.GatewayNoAnswer), errors.Is(err, modbus.GatewayPath):
			return f, nil
		case errors.As(err, &refused), errors.Is(err, ErrOther), errors.Is(err, ErrNoModel), errors.Is(err, errNumber):
			f.Answers = true
		case errors.Is(err, modbus.ErrNoAnswer) && !f.Answers:
			return f, nil // nobody there: the other models need not be asked
		case errors.Is(err, modbus.ErrNoAnswer):
			// it does not answer what it does not know
		case answered(err):
			f.Answers = true
		default:
			return f, err
		}
	}
	slices.SortStableFunc(f.Models, func(a, b *Model) int { return telling(b) - telling(a) })
	return f, nil
}

// answered tells errors that somebody made from those of a line.
func answered(err error) bool {
	for _, e := range []error{modbus.ErrCRC, modbus.ErrShort, modbus.ErrForeign, modbus.ErrAnswer} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// telling is how much a model says about a meter that it fits: one that is known by its name before one that measures
// something plausible, and then the one that reads more.
func telling(m *Model) int {
	n := len(m.values)
	if len(m.probe.oneOf) > 0 {
		n += 100
	}
	return n
}

// try reads a unit as a meter of the model.
func try(ctx context.Context, c modbus.Client, unit uint8, m *Model) (hal.MeterReading, error) {
	base, err := m.locate(ctx, c, unit)
	if err != nil {
		return hal.MeterReading{}, err
	}
	_, fits, err := m.probe.try(ctx, c, unit, base)
	if err != nil {
		return hal.MeterReading{}, err
	}
	if !fits {
		return hal.MeterReading{}, ErrOther
	}
	meter, err := New(m, c, unit, Options{})
	if err != nil {
		return hal.MeterReading{}, err
	}
	return meter.Read(ctx)
}
