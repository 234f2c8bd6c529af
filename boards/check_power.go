package boards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evsed/evsed/hal/isolation"
	"github.com/evsed/evsed/hal/rectifier"
	"github.com/evsed/evsed/hal/unit"
)

// supply looks at the currents of all EVSEs together.
func (c *checker) supply() {
	var sum unit.Current
	served := 0
	for i := range c.b.EVSEs {
		if e := &c.b.EVSEs[i]; !e.Off && !e.DC {
			sum += e.MaxCurrent
			served++
		}
	}
	if served > 1 && sum > c.b.Supply.MaxCurrent {
		c.findf("supply.max_current", "BRD-312", "the EVSEs may draw %s together, and the supply has %s", sum, c.b.Supply.MaxCurrent)
	}
}

// currents of a connector are what its type allows.
func (c *checker) currents(e *EVSE, at string) {
	path := join(at, "connector.max_current")
	for _, t := range connectorTypes {
		if t.ocpp == e.Connector.Type && int64(e.Connector.MaxCurrent) > t.most {
			c.findf(path, "BRD-310", "%s for %s, which has at most %s", e.Connector.MaxCurrent, t.word, unit.Current(t.most))
		}
	}
	if !e.DC && e.Connector.MaxCurrent > c.b.Supply.MaxCurrent && c.b.place("supply.max_current").Layer == c.b.place(path).Layer {
		c.findf(path, "BRD-311", "%s, and the supply has %s", e.Connector.MaxCurrent, c.b.Supply.MaxCurrent)
	}
}

// dc looks at what only a DC EVSE has, and says that it does not charge.
func (c *checker) dc(e *EVSE, at string) {
	if !e.DC {
		for _, k := range []string{"source", "isolation", "connector.voltage"} {
			if c.given(join(at, k)) {
				c.findf(join(at, k), "BRD-244", "%s at %s", k, e.Connector.Type)
			}
		}
		if e.HLC != nil {
			c.findf(join(at, "hlc"), "BRD-402", "EVSE %d has hardware for ISO 15118", e.ID)
		}
		return
	}
	if !e.Off {
		c.findf(join(at, "connector.type"), "BRD-401", "EVSE %d is DC and does not charge in this build", e.ID)
	}
	for _, p := range []struct {
		name string
		is   bool
	}{{"source", e.Source != nil}, {"isolation", e.Isolation != nil}, {"hlc", e.HLC != nil}, {"connector.voltage", e.Connector.Voltage.Most > 0}} {
		if !p.is {
			c.findf(at, "BRD-404", "EVSE %d has no %s", e.ID, p.name)
		}
	}
	if e.Isolation != nil && !slices.Contains(isolation.Models(), e.Isolation.Model) {
		c.find(join(at, "isolation.model"), "BRD-207", fmt.Sprintf("no driver for %q", e.Isolation.Model), "there are "+strings.Join(isolation.Models(), ", "))
	}
	if e.Source != nil {
		c.source(e, at)
	}
}

// source gives what the connector promises.
func (c *checker) source(e *EVSE, at string) {
	var power unit.Power
	var found int
	v := e.Connector.Voltage
	for i, id := range e.Source.Modules {
		m := c.b.Module(id)
		if m == nil {
			c.find(fmt.Sprintf("%s.source.modules[%d]", at, i), "BRD-201", fmt.Sprintf("no power module %q", id), "name one of power_modules")
			continue
		}
		found++
		power += m.Power
		if v.Most > 0 && (m.Voltage.Least > v.Least || m.Voltage.Most < v.Most) {
			c.findf(join(at, "connector.voltage"), "BRD-403", "%s to %s, and module %s has %s to %s", v.Least, v.Most, m.ID, m.Voltage.Least, m.Voltage.Most)
		}
		if !slices.Contains(rectifier.Models(), m.Model) {
			c.find(fmt.Sprintf("power_modules[%s].model", m.ID), "BRD-207", fmt.Sprintf("no driver for %q", m.Model), "there are "+strings.Join(rectifier.Models(), ", "))
		}
	}
	if found > 0 && v.Least > 0 && e.Connector.MaxCurrent.Times(v.Least) > power {
		c.findf(join(at, "connector.max_current"), "BRD-403", "%s at %s is more than the %s of its modules", e.Connector.MaxCurrent, v.Least, power)
	}
}

// Module returns the power module of that id, or nil.
func (b *Board) Module(id string) *Module {
	for i := range b.Modules {
		if b.Modules[i].ID == id {
			return &b.Modules[i]
		}
	}
	return nil
}
