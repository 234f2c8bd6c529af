package boards

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// ErrNoCharging is a board without an EVSE that this build charges at.
var ErrNoCharging = errors.New("no EVSE of the board charges in this build")

// Serves says whether this build charges at an EVSE; why not, if it does not, with a code.
func (e *EVSE) Serves() (code, why string) {
	switch {
	case e.Off:
		return "off", fmt.Sprintf("EVSE %d is switched off", e.ID)
	case e.DC:
		return "BRD-401", fmt.Sprintf("EVSE %d is DC, and this build does not charge DC", e.ID)
	}
	return "", ""
}

// Served returns the EVSEs that this build charges at: their ids run from 1 without a gap, or it is an error.
func (b *Board) Served() ([]*EVSE, error) {
	var all []*EVSE
	for i := range b.EVSEs {
		e := &b.EVSEs[i]
		if code, why := e.Serves(); code != "" {
			if i == len(all) {
				continue
			}
			return nil, fmt.Errorf("%w: %s: number those behind it before it", ErrNoCharging, why)
		}
		if len(all) != i {
			code, why := b.EVSEs[len(all)].Serves()
			return nil, fmt.Errorf("%w: %s (%s), and EVSE %d comes behind it: number those that charge from 1", ErrNoCharging, why, code, e.ID)
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		_, why := b.EVSEs[0].Serves()
		return nil, fmt.Errorf("%w: %s", ErrNoCharging, why)
	}
	return all, nil
}

// Topology returns the EVSEs that this build charges at as the station has them.
func (b *Board) Topology() ([]station.EVSE, error) {
	served, err := b.Served()
	if err != nil {
		return nil, err
	}
	var all []station.EVSE
	for _, e := range served {
		evse := station.EVSE{ID: e.ID, Name: e.Name, Phases: int(e.Phases), MaxCurrent: e.MaxCurrent,
			Connectors: []station.Connector{{ID: 1, Type: e.Connector.Type, Tethered: e.Connector.Tethered}}}
		if e.Meter != nil {
			evse.Billing = e.Meter.Stop || e.Meter.Legal
			if evse.Signs, err = e.Meter.signing(); err != nil {
				return nil, err
			}
		}
		all = append(all, evse)
	}
	return all, nil
}

// signing is what a meter signs for the CSMS: nothing unless the board says that it is legal.
func (m *Meter) signing() (station.Signing, error) {
	if !m.Legal {
		return station.SignsNothing, nil
	}
	model, err := m.Table()
	if err != nil {
		return station.SignsNothing, err
	}
	if model.Signs == meter.SignsDCBM { // at any time within a transaction
		return station.SignsReadings, nil
	}
	return station.SignsTransactions, nil
}

// Table compiles the line table of the board's guard. silence and hold are those of guard.Table; 0 leaves them to the guard.
func (b *Board) Table(silence, hold time.Duration) (*guard.Table, error) {
	served, err := b.Served()
	if err != nil {
		return nil, err
	}
	c := compiler{b: b, t: &guard.Table{Board: b.Identity.Model, Silence: silence, Hold: hold}}
	for _, e := range served {
		c.connector(e)
		if p := e.Pilot.Every; p > 0 && (c.t.PollPlugged == 0 || p < c.t.PollPlugged) {
			c.t.PollPlugged = p
		}
	}
	if w := b.Watchdog; w != nil {
		c.t.Watchdog = c.device(hal.Part{Kind: hal.PartWatchdog, Role: hal.RoleWatchdog, Name: w.Path, A: int32(w.Timeout / time.Millisecond)})
	}
	if _, err := c.t.Append(nil); err != nil {
		return nil, err
	}
	return c.t, nil
}

// compiler fills a line table.
type compiler struct {
	b *Board
	t *guard.Table
}

// device puts parts into the table; none are no device.
func (c *compiler) device(parts ...hal.Part) guard.Device {
	if len(parts) == 0 {
		return guard.Device{}
	}
	d := guard.Device{Kind: guard.DeviceParts, Chip: uint16(len(c.t.Parts)), Line: uint32(len(parts))}
	c.t.Parts = append(c.t.Parts, parts...)
	return d
}

func (c *compiler) connector(e *EVSE) {
	t := guard.TableConnector{Config: e.config()}
	t.Pilot = c.device(c.pilot(e)...)
	t.Proximity = c.device(c.proximity(e)...)
	t.Contactor = c.device(c.contactor(e)...)
	t.Lock = c.device(c.lock(e)...)
	t.RCD = c.device(c.rcd(e)...)
	t.Inputs = c.device(c.inputs(e)...)
	t.Socket = c.device(c.thermometer(e, "socket", hal.RoleMCUSocket)...)
	t.Cable = c.device(c.thermometer(e, "cable", hal.RoleMCUCable)...)
	t.Diagnosis = c.device(c.diagnosis(e)...)
	c.t.Connectors = append(c.t.Connectors, t)
}

// config is what the guard's machine knows of a connector.
func (e *EVSE) config() iec61851.Config {
	cfg := iec61851.Config{
		Ref: term.Ref{EVSE: e.ID, Connector: 1}, MaxCurrent: e.MaxCurrent, Phases: e.Phases, Tethered: e.Connector.Tethered, HasLock: e.Lock != nil,
		HasFeedback: e.Contactors.Feedback(), Ventilation: e.Connector.Ventilated, MaxTemperature: e.cut("socket"), MaxCableTemperature: e.cut("cable"),
	}
	switch {
	case e.Meter != nil && e.Meter.Stop:
		cfg.Meter = iec61851.MeterStop
	case e.Meter != nil:
		cfg.Meter = iec61851.MeterReport
	}
	return cfg
}

// Feedback says whether every contactor has a mirror contact that is read.
func (c *Contactors) Feedback() bool {
	for _, s := range c.Switches() {
		if s.Sense == nil {
			return false
		}
	}
	return true
}

// Switches returns the contactors that there are: main, extra, plus, minus.
func (c *Contactors) Switches() []*Switch {
	var all []*Switch
	for _, s := range []*Switch{c.Main, c.Extra, c.Plus, c.Minus} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// cut is the temperature of a place from which on no current may flow; 0 where there is no thermometer.
func (e *EVSE) cut(id string) unit.Temperature {
	for _, t := range e.Temperatures {
		if n := len(t.Derate); t.ID == id && n > 0 && t.Derate[n-1].Max == 0 {
			return t.Derate[n-1].At
		}
	}
	return 0
}

func lineFlags(l Line) (f hal.PartFlags) {
	if l.ActiveLow {
		f |= hal.PartActiveLow
	}
	switch l.Bias {
	case BiasPullUp:
		f |= hal.PartPullUp
	case BiasPullDown:
		f |= hal.PartPullDown
	case BiasNone:
		f |= hal.PartNoBias
	}
	return f
}

func output(l Line, role hal.PartRole) hal.Part {
	return hal.Part{Kind: hal.PartOutput, Role: role, Flags: lineFlags(l), Name: l.Name}
}

func input(l Line, role hal.PartRole) hal.Part {
	return hal.Part{Kind: hal.PartInput, Role: role, Flags: lineFlags(l), Name: l.Name, A: int32(l.Debounce / time.Microsecond)}
}

func converter(a *ADC, role hal.PartRole) hal.Part {
	return hal.Part{Kind: hal.PartADC, Role: role, Name: a.Name, A: int32(a.Gain), B: int32(a.Zero * 1000)}
}

// pilotPeriod is the period of the control pilot: 1 kHz (IEC 61851-1, Annex A).
const pilotPeriod = time.Millisecond

func (c *compiler) pilot(e *EVSE) []hal.Part {
	p := &e.Pilot
	if p.MCU {
		return c.mcu(e, hal.RoleMCUPilot)
	}
	pwm := hal.Part{Kind: hal.PartPWM, Role: hal.RolePilotPWM, Name: p.PWM.Name, A: int32(pilotPeriod)}
	if p.PWM.Invert {
		pwm.Flags |= hal.PartInverted
	}
	parts := []hal.Part{pwm}
	for _, a := range []struct {
		adc         *ADC
		role, reset hal.PartRole
	}{{p.High, hal.RolePilotHigh, hal.RolePilotHighReset}, {p.Low, hal.RolePilotLow, hal.RolePilotLowReset}} {
		if a.adc == nil {
			continue
		}
		part := converter(a.adc, a.role)
		part.D = int32(p.Frozen)
		if p.Median > 1 {
			part.C = int32(p.Median)
		}
		parts = append(parts, part)
		if a.adc.Reset != nil {
			reset := output(*a.adc.Reset, a.reset)
			reset.B = int32(a.adc.Pulse / time.Microsecond)
			parts = append(parts, reset)
		}
	}
	for _, k := range p.Comparators {
		part := input(k.Line, hal.RolePilotAbove)
		if k.Below {
			part.Role = hal.RolePilotBelow
		}
		part.B = int32(k.Level)
		parts = append(parts, part)
	}
	return parts
}

func (c *compiler) proximity(e *EVSE) []hal.Part {
	p := e.Proximity
	switch {
	case p == nil:
		return nil
	case p.MCU:
		return c.mcu(e, hal.RoleMCUProximity)
	}
	part := converter(&p.ADC, hal.RoleProximity)
	part.C, part.D = int32(p.Pullup), int32(p.Rail)
	return []hal.Part{part}
}

func (c *compiler) contactor(e *EVSE) []hal.Part {
	k := &e.Contactors
	if k.MCU {
		return c.mcu(e, hal.RoleMCUContactor)
	}
	main := output(k.Main.Drive, hal.RoleMainDrive)
	main.A, main.B, main.C = int32(k.Wiring), int32(k.Main.Lines), int32(k.Close/time.Millisecond)
	parts := []hal.Part{main}
	if k.Extra != nil {
		extra := output(k.Extra.Drive, hal.RoleExtraDrive)
		extra.B = int32(k.Extra.Lines)
		parts = append(parts, extra)
	}
	for _, s := range []struct {
		of   *Switch
		role hal.PartRole
	}{{k.Main, hal.RoleMainSense}, {k.Extra, hal.RoleExtraSense}} {
		if s.of == nil || s.of.Sense == nil {
			continue
		}
		part := input(*s.of.Sense, s.role)
		if s.of.NormallyClosed {
			part.Flags |= hal.PartNormallyClosed
		}
		parts = append(parts, part)
	}
	return parts
}

func (c *compiler) lock(e *EVSE) []hal.Part {
	l := e.Lock
	switch {
	case l == nil:
		return nil
	case l.MCU:
		return c.mcu(e, hal.RoleMCULock)
	}
	motor := output(l.Motor[0], hal.RoleLockMotor)
	motor.A = int32(l.Pulse / time.Millisecond)
	parts := []hal.Part{motor}
	if len(l.Motor) > 1 {
		parts = append(parts, output(l.Motor[1], hal.RoleUnlockMotor))
	}
	if l.Sense != nil {
		parts = append(parts, input(*l.Sense, hal.RoleLockSense))
	}
	return parts
}

func (c *compiler) rcd(e *EVSE) []hal.Part {
	r := e.RCD
	switch {
	case r == nil:
		return nil
	case r.MCU:
		return c.mcu(e, hal.RoleMCURCD)
	}
	parts := []hal.Part{input(r.Fault, hal.RoleRCDFault)}
	if r.Test != nil {
		test := output(*r.Test, hal.RoleRCDTest)
		test.A, test.B = int32(r.Within/time.Millisecond), int32(r.Every/time.Second)
		parts = append(parts, test)
	}
	return parts
}

// inputs are those of the board at which nothing may be closed: emergency stops, and doors that the agent watches.
func (c *compiler) inputs(e *EVSE) []hal.Part {
	var parts []hal.Part
	for _, in := range c.b.Inputs {
		if in.Meaning != MeaningEmergencyStop && in.Meaning != MeaningDoor {
			continue
		}
		if in.MCU == "" {
			parts = append(parts, input(in.Line, hal.RoleEmergencyStop))
		} else if in.MCU == e.MCU {
			parts = append(parts, c.mcu(e, hal.RoleMCUInputs)...)
		}
	}
	return parts
}

func (c *compiler) thermometer(e *EVSE, id string, role hal.PartRole) []hal.Part {
	for i := range e.Temperatures {
		t := &e.Temperatures[i]
		switch {
		case t.ID != id:
			continue
		case t.MCU:
			return c.mcu(e, role)
		case t.ADC != nil:
			part := converter(t.ADC, hal.RoleTemperature)
			part.Flags, part.C, part.D = t.Curve.Flags(), int32(t.Pullup), int32(t.Rail)
			return []hal.Part{part}
		}
		return []hal.Part{{Kind: hal.PartThermometer, Role: hal.RoleTemperature, Name: t.Kernel}}
	}
	return nil
}

func (c *compiler) diagnosis(e *EVSE) []hal.Part {
	var parts []hal.Part
	for _, d := range e.Diagnosis {
		part := input(d.Line, hal.RoleDiagnosis)
		part.B = int32(d.Fault)
		parts = append(parts, part)
	}
	return parts
}

// mcu is the part of a safety controller at an EVSE.
func (c *compiler) mcu(e *EVSE, role hal.PartRole) []hal.Part {
	m := c.b.MCU(e.MCU)
	s := c.b.MCUSpec(m)
	part := hal.Part{Kind: hal.PartMCU, Role: role, Name: s.Port, A: int32(s.Baud), B: int32(s.Owns),
		C: int32(s.Beat/time.Millisecond) | int32(s.Silence/time.Millisecond)<<16, D: int32(e.Port-1) | int32(s.Connectors)<<16}
	if m.Fallback {
		part.Flags |= hal.PartHolds
	}
	return []hal.Part{part}
}

// MCUSpec is what a board says of a safety controller to its driver.
func (b *Board) MCUSpec(m *MCU) mcu.Spec {
	s := mcu.Spec{Port: devPath(m.Port), Baud: m.Baud, Beat: m.Heartbeat, Silence: m.Silence, Fallback: m.Fallback}
	for i := range b.EVSEs {
		e := &b.EVSEs[i]
		if e.MCU != m.Name {
			continue
		}
		s.Connectors = max(s.Connectors, e.Port)
		s.Owns |= b.owns(e)
	}
	return s
}

// owns are the functions that a board gives to the safety controller of an EVSE.
func (b *Board) owns(e *EVSE) (owns mcu.Functions) {
	for _, f := range []struct {
		on bool
		f  mcu.Functions
	}{
		{e.Pilot.MCU, mcu.OwnPilot}, {e.Contactors.MCU, mcu.OwnContactor}, {e.Lock != nil && e.Lock.MCU, mcu.OwnLock},
		{e.Proximity != nil && e.Proximity.MCU, mcu.OwnProximity}, {e.RCD != nil && e.RCD.MCU, mcu.OwnRCD},
		{hasOwner(b.Safety.OpenOnCExit, OwnerMCU), mcu.OwnExit}, {hasOwner(b.Safety.EmergencyStop, OwnerMCU), mcu.OwnEmergencyStop},
		{hasOwner(b.Safety.Overcurrent, OwnerMCU), mcu.OwnOverCurrent}, {hasOwner(b.Safety.Overvoltage, OwnerMCU), mcu.OwnOverVoltage},
		{hasOwner(b.Safety.Isolation, OwnerMCU), mcu.OwnIsolation}, {hasOwner(b.Safety.WeldCheck, OwnerMCU), mcu.OwnWeld},
		{hasOwner(b.Safety.RCD, OwnerMCU), mcu.OwnRCD},
	} {
		if f.on {
			owns |= f.f
		}
	}
	for _, t := range e.Temperatures {
		if t.MCU {
			owns |= mcu.OwnTemperature
		}
	}
	return owns
}

func hasOwner(owners []Owner, o Owner) bool {
	for _, w := range owners {
		if w == o {
			return true
		}
	}
	return false
}

// devPath is a device's file.
func devPath(port string) string {
	if strings.HasPrefix(port, "/") {
		return port
	}
	return "/dev/" + port
}
