package sim

import (
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// Faults that can be raised: at an EVSE or one of its connectors, and at the station.
var (
	evseFaults = words(term.FaultGround, term.FaultOverCurrent, term.FaultOverVoltage, term.FaultUnderVoltage,
		term.FaultHighTemperature, term.FaultConnectorLock, term.FaultContactor, term.FaultPilot, term.FaultDiode,
		term.FaultProximity, term.FaultMeter, term.FaultEmergencyStop, term.FaultCableTemperature,
		term.FaultEVCommunication, term.FaultPowerSwitch, term.FaultOther)
	stationFaults = words(term.FaultReader, term.FaultInternal, term.FaultWeakSignal, term.FaultTamper,
		term.FaultEmergencyStop, term.FaultPowerLoss)
)

func words(list ...term.Fault) []string {
	var w []string
	for _, f := range list {
		w = append(w, f.String())
	}
	return w
}

// fault raises or clears a fault at an EVSE, or at one connector of it.
func (c *call) fault(v *strict.Value) (any, error) {
	o := c.Object(v, "code", "connector", "active", "afterMs", "info")
	return c.setFault(o, term.Ref{EVSE: c.evse, Connector: connector(o)}, evseFaults)
}

// stationFault raises or clears a fault of the station.
func (c *call) stationFault(v *strict.Value) (any, error) {
	return c.setFault(c.Object(v, "code", "active", "afterMs", "info"), term.Ref{}, stationFaults)
}

func (c *call) setFault(o *strict.Members, ref term.Ref, codes []string) (any, error) {
	o.Need("code", "one of "+codes[0]+", ...")
	f := halsim.FaultOptions{Ref: ref, Active: strict.Or(strict.Flag(o, "active"), true)}
	f.Code, _ = term.ParseFault(strict.Or(strict.Word(o, "code", codes...), ""))
	f.After = time.Duration(strict.Or(strict.Int(o, "afterMs", 0, maxDelayMs), 0)) * time.Millisecond
	f.Info = strict.Or(strict.Text(o, "info", maxInfo), "")
	if err := c.bad(); err != nil {
		return nil, err
	}
	if err := c.o.World().SetFault(f); err != nil {
		return nil, err
	}
	if f.After > 0 {
		return accepted{}, nil
	}
	if !f.Active && f.Code == term.FaultContactor {
		c.service(ref)
	}
	return done{}, nil
}

// service acknowledges, as a fitter does, what stays latched when its cause is gone: a weld.
func (c *call) service(ref term.Ref) {
	if c.o.Service == nil {
		return
	}
	if ref.EVSE == 0 || ref.Connector != 0 {
		c.o.Service(ref)
		return
	}
	for _, e := range c.o.World().State().EVSEs {
		for _, k := range e.Connectors {
			if e.ID == ref.EVSE {
				c.o.Service(term.Ref{EVSE: e.ID, Connector: k.ID})
			}
		}
	}
}

// clearFaults clears every fault, planned ones too.
func (c *call) clearFaults(v *strict.Value) (any, error) {
	c.Object(v)
	if err := c.bad(); err != nil {
		return nil, err
	}
	if err := c.o.World().ClearFaults(); err != nil {
		return nil, err
	}
	c.service(term.Ref{})
	return done{}, nil
}
