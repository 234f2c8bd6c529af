package sim

import (
	"math"
	"slices"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// Bounds of what a body may say; the world has closer ones of its own.
const (
	maxCurrent  = 1000 * unit.Ampere
	maxDelayMs  = 24 * 3600 * 1000
	maxEnergyWh = 10_000_000_000
	maxWord     = 64 // characters
	maxInfo     = 500
)

var sides = map[string]halsim.Side{"both": halsim.SideBoth, "evse": halsim.SideEVSE, "ev": halsim.SideEV}

func side(o *strict.Members) halsim.Side {
	return sides[strict.Or(strict.Word(o, "side", "both", "evse", "ev"), "both")]
}

// connector reads the member "connector"; 0 where it is absent.
func connector(o *strict.Members) term.ConnectorID {
	return strict.Or(strict.Int[term.ConnectorID](o, "connector", 1, math.MaxInt32), 0)
}

// plug plugs a cable in.
func (c *call) plug(v *strict.Value) (any, error) {
	o := c.Object(v, "connector", "mode", "ev", "cableMaxA", "side")
	mode := strict.Or(strict.Word(o, "mode", "iec61851", "din70121", "iso15118", "iso15118-2", "iso15118-20"), "iec61851")
	p := halsim.PlugOptions{Side: side(o), CableMax: strict.Or(strict.Milli(o, "cableMaxA", 1, maxCurrent), 0)}
	conn := max(connector(o), 1)
	var unknown string
	if ev := o.Value("ev"); ev != nil {
		car := c.Object(ev, slices.Concat(carNames, []string{"energyTransfer", "payment", "evccId", "emaid", "v2x"})...)
		p.EV = c.car(car)
		unknown = highLevel(car)
		if p.Side == halsim.SideEVSE {
			o.Fail("ev", "want no car where side is evse")
		}
	}
	if err := c.bad(); err != nil {
		return nil, err
	}
	if mode != "iec61851" {
		return nil, notSimulated("mode " + mode)
	}
	if unknown != "" {
		return nil, notSimulated("ev." + unknown + " of ISO 15118")
	}
	return done{}, c.o.World().Plug(c.evse, conn, p)
}

// highLevel returns the first parameter that only ISO 15118 can tell, "" if there is none.
func highLevel(car *strict.Members) string {
	found := ""
	for _, name := range []string{"energyTransfer", "payment", "evccId", "emaid"} {
		if strict.Text(car, name, maxWord) != nil && found == "" {
			found = name
		}
	}
	if strict.Or(strict.Flag(car, "v2x"), false) && found == "" {
		found = "v2x"
	}
	return found
}

// carNames are the parameters of a car that the physics know.
var carNames = []string{
	"ready", "readyAfterMs", "maxCurrentA", "minCurrentA", "phases", "capacityWh", "socPercent", "targetEnergyWh",
	"departureTimeS", "ventilation", "powerFactor",
}

// car reads the parameters of a car.
func (c *call) car(o *strict.Members) halsim.EVOptions {
	ev := halsim.EVOptions{
		Ready: strict.Flag(o, "ready"), Ventilation: strict.Flag(o, "ventilation"),
		MaxCurrent:  strict.Milli(o, "maxCurrentA", 0, maxCurrent),
		MinCurrent:  strict.Milli(o, "minCurrentA", 0, maxCurrent),
		Phases:      strict.Int[uint8](o, "phases", 1, 3),
		SoC:         strict.Milli(o, "socPercent", 0, unit.HundredPercent),
		Capacity:    strict.Milli(o, "capacityWh", 1, maxEnergyWh*unit.WattHour),
		PowerFactor: strict.Milli[int32](o, "powerFactor", 1, 1000),
	}
	if ms := strict.Int(o, "readyAfterMs", 0, maxDelayMs); ms != nil {
		d := time.Duration(*ms) * time.Millisecond
		ev.ReadyAfter = &d
	}
	if o.IsNull("targetEnergyWh") { // null: the car takes what the battery takes
		none := unit.Energy(-1)
		ev.TargetEnergy = &none
	} else {
		ev.TargetEnergy = strict.Milli(o, "targetEnergyWh", 0, maxEnergyWh*unit.WattHour)
	}
	if o.IsNull("departureTimeS") {
		never := time.Duration(-1)
		ev.Departure = &never
	} else if s := strict.Int(o, "departureTimeS", 0, maxDelayMs/1000); s != nil {
		d := time.Duration(*s) * time.Second
		ev.Departure = &d
	}
	return ev
}

// unplug pulls a cable out. Without a connector the only one that is plugged is meant, or else the first.
func (c *call) unplug(v *strict.Value) (any, error) {
	o := c.Object(v, "connector", "side", "orderly")
	conn := connector(o)
	u := halsim.UnplugOptions{Side: side(o), Orderly: strict.Or(strict.Flag(o, "orderly"), false)}
	if err := c.bad(); err != nil {
		return nil, err
	}
	w := c.o.World()
	if conn == 0 {
		conn = plugged(w.State(), c.evse)
	}
	pulled, err := w.Unplug(c.evse, conn, u)
	if !pulled {
		return accepted{}, err
	}
	return done{}, err
}

func plugged(s halsim.State, id term.EVSEID) term.ConnectorID {
	for _, e := range s.EVSEs {
		for _, k := range e.Connectors {
			if e.ID == id && (k.Plugged || k.AtEV) {
				return k.ID
			}
		}
	}
	return 1
}

// ev changes the car.
func (c *call) ev(v *strict.Value) (any, error) {
	o := c.Object(v, slices.Concat(carNames, []string{"wake", "renegotiate"})...)
	ev := c.car(o)
	ev.Wake = strict.Word(o, "wake", "bcb-toggle") != nil
	if len(v.Names) == 0 {
		c.Fail(v, "nothing to change: want one of "+carNames[0]+", ...")
	}
	if err := c.bad(); err != nil {
		return nil, err
	}
	if o.Value("renegotiate") != nil {
		return nil, notSimulated("renegotiate of ISO 15118")
	}
	return done{}, c.o.World().SetEV(c.evse, ev)
}
