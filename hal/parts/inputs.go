package parts

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/station/term"
)

// inputs are lines of which each one alone forbids energy.
type inputs struct{ lines []gpio.Input }

func (b *builder) inputs() (any, error) {
	d := &inputs{}
	err := b.each(hal.RoleEmergencyStop, func(p *hal.Part) error {
		in, err := b.input(p, true)
		d.lines = append(d.lines, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// EmergencyStop reports whether one of the lines is active. One that cannot be read counts as active.
func (d *inputs) EmergencyStop() (bool, error) {
	for _, in := range d.lines {
		if on, err := in.Get(); on || err != nil {
			return true, err
		}
	}
	return false, nil
}

// diagnosis are lines that report one fault each.
type diagnosis struct {
	lines []gpio.Input
	fault []term.Fault
}

func (b *builder) diagnosis() (any, error) {
	d := &diagnosis{}
	err := b.each(hal.RoleDiagnosis, func(p *hal.Part) error {
		f, err := faultOf(p)
		if err != nil {
			return err
		}
		in, err := b.input(p, false)
		d.lines, d.fault = append(d.lines, in), append(d.fault, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Active reports whether a line says that fault f is there.
func (d *diagnosis) Active(f term.Fault) (bool, error) {
	for i, in := range d.lines {
		if d.fault[i] != f {
			continue
		}
		if on, err := in.Get(); on || err != nil {
			return true, err
		}
	}
	return false, nil
}
