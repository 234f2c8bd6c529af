package parts

import (
	"errors"
	"fmt"
	"slices"

	"github.com/evsed/evsed/hal"
)

// device is what a role belongs to, by the name that errors have for it.
type device string

const (
	devicePilot       device = "control pilot"
	deviceProximity   device = "proximity input"
	deviceContactor   device = "contactor"
	deviceLock        device = "lock"
	deviceRCD         device = "residual-current device"
	deviceInputs      device = "set of safety inputs"
	deviceDiagnosis   device = "set of diagnosis lines"
	deviceThermometer device = "thermometer"
	deviceMCU         device = "safety controller"
	deviceWatchdog    device = "watchdog"
)

// role is what the table knows of one role.
type role struct {
	name   string
	device device
	kinds  []hal.PartKind
	flags  hal.PartFlags // that it takes
	uses   string        // of A, B, C, D
}

var (
	output = []hal.PartKind{hal.PartOutput}
	input  = []hal.PartKind{hal.PartInput}
	analog = []hal.PartKind{hal.PartADC}
	serial = []hal.PartKind{hal.PartMCU}
)

const (
	biases    = hal.PartPullUp | hal.PartPullDown | hal.PartNoBias
	wire      = hal.PartActiveLow
	inputWire = wire | biases
	curves    = 0xff00
)

var roles = [hal.Roles]role{
	hal.RolePilotPWM:       {"pilot generator", devicePilot, []hal.PartKind{hal.PartPWM}, hal.PartInverted, "A"},
	hal.RolePilotHigh:      {"converter of the high half", devicePilot, analog, 0, "ABCD"},
	hal.RolePilotLow:       {"converter of the low half", devicePilot, analog, 0, "ABCD"},
	hal.RolePilotHighReset: {"reset of the high half", devicePilot, output, wire, "B"},
	hal.RolePilotLowReset:  {"reset of the low half", devicePilot, output, wire, "B"},
	hal.RolePilotAbove:     {"comparator of the high half", devicePilot, input, inputWire, "AB"},
	hal.RolePilotBelow:     {"comparator of the low half", devicePilot, input, inputWire, "AB"},
	hal.RoleProximity:      {"converter", deviceProximity, analog, 0, "ABCD"},
	hal.RoleMainDrive:      {"main drive", deviceContactor, output, wire, "ABC"},
	hal.RoleExtraDrive:     {"extra drive", deviceContactor, output, wire, "B"},
	hal.RoleMainSense:      {"sense of the main drive", deviceContactor, input, inputWire | hal.PartNormallyClosed, "AB"},
	hal.RoleExtraSense:     {"sense of the extra drive", deviceContactor, input, inputWire | hal.PartNormallyClosed, "AB"},
	hal.RoleLockMotor:      {"motor", deviceLock, output, wire, "A"},
	hal.RoleUnlockMotor:    {"motor back", deviceLock, output, wire, ""},
	hal.RoleLockSense:      {"sense", deviceLock, input, inputWire, "A"},
	hal.RoleRCDFault:       {"fault line", deviceRCD, input, inputWire, "A"},
	hal.RoleRCDTest:        {"test line", deviceRCD, output, wire, "AB"},
	hal.RoleEmergencyStop:  {"emergency stop", deviceInputs, input, inputWire, "A"},
	hal.RoleDiagnosis:      {"diagnosis line", deviceDiagnosis, input, inputWire, "AB"},
	hal.RoleTemperature:    {"sensor", deviceThermometer, []hal.PartKind{hal.PartADC, hal.PartThermometer}, curves, "ABCD"},
	hal.RoleMCUPilot:       {"pilot", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCUProximity:   {"proximity input", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCUContactor:   {"contactor", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCULock:        {"lock", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCURCD:         {"residual-current device", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCUInputs:      {"emergency stop", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCUSocket:      {"socket thermometer", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCUCable:       {"cable thermometer", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleMCUDiagnosis:   {"diagnosis", deviceMCU, serial, hal.PartHolds, "ABCD"},
	hal.RoleWatchdog:       {"watchdog", deviceWatchdog, []hal.PartKind{hal.PartWatchdog}, 0, "A"},
}

// roleOf returns what is known of a part's role; nothing, if it has none.
func roleOf(p *hal.Part) *role {
	if p.Role >= hal.Roles {
		return &roles[hal.RoleNone]
	}
	return &roles[p.Role]
}

// name is how errors call a part.
func name(p *hal.Part) string {
	if r := roleOf(p); r.name != "" {
		return fmt.Sprintf("%s %q", r.name, p.Name)
	}
	return fmt.Sprintf("part %q of role %d", p.Name, p.Role)
}

// check refuses a part that says what its role does not understand.
func check(p *hal.Part) error {
	r := roleOf(p)
	switch {
	case r.name == "":
		return fmt.Errorf("%s: this build knows no such role", name(p))
	case !slices.Contains(r.kinds, p.Kind):
		return fmt.Errorf("%s: it cannot be a part of kind %d", name(p), p.Kind)
	case p.Name == "":
		return fmt.Errorf("%s: it has no name", name(p))
	case p.Flags&^r.flags != 0:
		return fmt.Errorf("%s: flags %#x: it takes %#x", name(p), uint16(p.Flags), uint16(r.flags))
	}
	if n := p.Flags & biases; n&(n-1) != 0 {
		return fmt.Errorf("%s: flags %#x: a line has one bias", name(p), uint16(p.Flags))
	}
	for i, v := range [...]int32{p.A, p.B, p.C, p.D} {
		letter := "ABCD"[i]
		if v != 0 && !slices.Contains([]byte(r.uses), letter) {
			return fmt.Errorf("%s: %c is %d, and means nothing there", name(p), letter, v)
		}
	}
	if p.Kind == hal.PartInput && p.A < 0 {
		return fmt.Errorf("%s: a debounce of %d us", name(p), p.A)
	}
	if p.Kind == hal.PartADC && p.A == 0 {
		return fmt.Errorf("%s: %w", name(p), errGain)
	}
	return nil
}

var errGain = errors.New("a gain of 0: want nanovolts a count")
