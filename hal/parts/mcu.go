package parts

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
)

// Spec says what a part of a safety controller says of it.
func mcuSpec(p *hal.Part) mcu.Spec {
	return mcu.Spec{Port: p.Name, Baud: int(p.A), Owns: mcu.Functions(p.B), Beat: time.Duration(uint16(p.C)) * time.Millisecond,
		Silence: time.Duration(uint32(p.C)>>16) * time.Millisecond, Connectors: uint8(p.D >> 16), Fallback: p.Flags&hal.PartHolds != 0}
}

// MCUPart returns the part that stands for what the controller of spec does as role at its connector n, from 1.
func MCUPart(role hal.PartRole, spec mcu.Spec, n int) hal.Part {
	p := hal.Part{Kind: hal.PartMCU, Role: role, Name: spec.Port, A: int32(spec.Baud), B: int32(spec.Owns),
		C: int32(uint32(spec.Silence/time.Millisecond)<<16 | uint32(uint16(spec.Beat/time.Millisecond))), D: int32(spec.Connectors)<<16 | int32(n-1)}
	if spec.Fallback {
		p.Flags = hal.PartHolds
	}
	return p
}

func (b *builder) mcu() (any, error) {
	if len(b.parts) != 1 {
		return nil, fmt.Errorf("%d parts of a safety controller in one device: want one", len(b.parts))
	}
	p := &b.parts[0]
	m, err := b.k.MCU(mcuSpec(p))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name(p), err)
	}
	c, err := m.Connector(int(uint16(p.D)) + 1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name(p), err)
	}
	if p.Role == hal.RoleMCUCable {
		return c.Cable(), nil
	}
	return c, nil
}

func (b *builder) watchdog() (any, error) {
	p, err := b.need(hal.RoleWatchdog)
	if err != nil {
		return nil, err
	}
	if p.A <= 0 {
		return nil, fmt.Errorf("%s: a timeout of %d ms", name(p), p.A)
	}
	w, err := b.k.Watchdog(p.Name, time.Duration(p.A)*time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name(p), err)
	}
	return w, nil
}
