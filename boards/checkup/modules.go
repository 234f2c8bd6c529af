package checkup

import (
	"context"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/rectifier"
	"github.com/evsed/evsed/hal/unit"
)

// source looks for the power modules of an EVSE: told to be off, each must be heard, without alarms and able to give what the
// board says of it.
func (c *checkup) source(ctx context.Context, e *boards.EVSE) {
	groups := map[string][]*boards.Module{}
	var order []string
	for _, id := range e.Source.Modules {
		m := c.b.Module(id)
		k := m.Bus + " " + m.Model
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], m)
	}
	for _, k := range order {
		c.modules(ctx, e, groups[k])
	}
}

// modules of one model at one bus.
func (c *checkup) modules(ctx context.Context, e *boards.EVSE, ms []*boards.Module) {
	all := func(err error) {
		for _, m := range ms {
			c.say(modulePath(m), moduleName(m), "", err)
		}
	}
	bus, err := c.k.CAN(*c.b.Bus(ms[0].Bus))
	if err != nil {
		all(err)
		return
	}
	defer bus.Close()
	spec := rectifier.Spec{Model: ms[0].Model, MinVoltage: e.Connector.Voltage.Least, MaxVoltage: e.Connector.Voltage.Most, MaxCurrent: e.Connector.MaxCurrent}
	for _, m := range ms {
		spec.Addresses = append(spec.Addresses, m.Address)
	}
	s, err := rectifier.Open(bus, spec)
	if err != nil {
		all(err)
		return
	}
	defer s.Close()
	heard := listen(ctx, s)
	for i, m := range ms {
		c.say(modulePath(m), moduleName(m), moduleText(&heard[i]), judge(&heard[i], m))
	}
}

func modulePath(m *boards.Module) string { return fmt.Sprintf("power_modules[%s]", m.ID) }

func moduleName(m *boards.Module) string {
	return fmt.Sprintf("%s at bus %s, address %d", m.Model, m.Bus, m.Address)
}

// listen waits until every module has told what it is, or is silent.
func listen(ctx context.Context, s *rectifier.Supply) []rectifier.Module {
	ctx, cancel := context.WithTimeout(ctx, moduleLimit)
	defer cancel()
	tick := time.NewTicker(moduleLook)
	defer tick.Stop()
	for {
		ms := s.Modules()
		known := true
		for i := range ms {
			known = known && ms[i].MaxPower > 0 && !ms[i].Heard.IsZero()
		}
		if known {
			return ms
		}
		select {
		case <-ctx.Done():
			return ms
		case <-tick.C:
		}
	}
}

func moduleText(m *rectifier.Module) string {
	return fmt.Sprintf("%s, %s, %s; gives %s to %s, %s, %s", m.Voltage, m.Current, m.Temperature, m.MinVoltage, m.MaxVoltage, m.MaxCurrent, m.MaxPower)
}

// judge holds what a module tells of itself against what the board says of it.
func judge(m *rectifier.Module, want *boards.Module) error {
	switch {
	case m.Heard.IsZero() || m.Silent:
		return rectifier.ErrSilent
	case m.Alarms.Stops() || m.Alarms&rectifier.FanFault != 0:
		return fmt.Errorf("alarms: %v", m.Alarms)
	case m.MaxPower == unit.Power(0):
		return fmt.Errorf("it does not tell what it can give")
	case m.MaxPower < want.Power:
		return fmt.Errorf("it gives %s, and the board says %s", m.MaxPower, want.Power)
	case m.MinVoltage > want.Voltage.Least || m.MaxVoltage < want.Voltage.Most:
		return fmt.Errorf("it gives %s to %s, and the board says %s to %s", m.MinVoltage, m.MaxVoltage, want.Voltage.Least, want.Voltage.Most)
	}
	return nil
}
