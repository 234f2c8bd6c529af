package parts

import (
	"errors"
	"fmt"

	"github.com/evsed/evsed/hal"
)

// Open makes the device of a line table's parts: which one, says the role of the first. The result has the methods of the roles of
// hal that it can play. Lines are requested in the state in which nothing is driven, and stay so where the device cannot be made.
func Open(k Kernel, ps []hal.Part) (any, error) {
	d, err := build(k, ps)
	if m, ok := k.(interface{ made(bool) }); ok {
		m.made(err == nil)
	}
	return d, err
}

// build makes it.
func build(k Kernel, ps []hal.Part) (any, error) {
	if len(ps) == 0 {
		return nil, errors.New("a device of no parts: want at least one")
	}
	d := roleOf(&ps[0]).device
	for i := range ps {
		if err := check(&ps[i]); err != nil {
			return nil, err
		}
		if of := roleOf(&ps[i]).device; of != d {
			return nil, fmt.Errorf("%s in a %s: it is a part of a %s", name(&ps[i]), d, of)
		}
	}
	b := builder{k: k, parts: ps}
	switch d {
	case devicePilot:
		return b.pilot()
	case deviceProximity:
		return b.proximity()
	case deviceContactor:
		return b.contactor()
	case deviceLock:
		return b.lock()
	case deviceRCD:
		return b.rcd()
	case deviceInputs:
		return b.inputs()
	case deviceDiagnosis:
		return b.diagnosis()
	case deviceThermometer:
		return b.thermometer()
	case deviceMCU:
		return b.mcu()
	case deviceWatchdog:
		return b.watchdog()
	}
	return nil, fmt.Errorf("%s: this build makes nothing of it", name(&ps[0]))
}

// builder makes one device.
type builder struct {
	k     Kernel
	parts []hal.Part
}

// one returns the only part of a role; nil: there is none.
func (b *builder) one(r hal.PartRole) (*hal.Part, error) {
	var found *hal.Part
	for i := range b.parts {
		if b.parts[i].Role != r {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s: there is %s already", name(&b.parts[i]), name(found))
		}
		found = &b.parts[i]
	}
	return found, nil
}

// need returns the only part of a role that a device cannot do without.
func (b *builder) need(r hal.PartRole) (*hal.Part, error) {
	p, err := b.one(r)
	if err == nil && p == nil {
		err = fmt.Errorf("a %s without a %s", roles[r].device, roles[r].name)
	}
	return p, err
}

// each calls do with each part of a role, in the table's order.
func (b *builder) each(r hal.PartRole, do func(*hal.Part) error) error {
	for i := range b.parts {
		if b.parts[i].Role == r {
			if err := do(&b.parts[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
