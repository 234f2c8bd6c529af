package parts

import (
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/term"
)

// reports are the faults that a diagnosis line can report, by the number that a line table has for each. The table may be older
// than the program: a number keeps its meaning for ever.
var reports = [...]term.Fault{
	1: term.FaultGround, 2: term.FaultOverCurrent, 3: term.FaultOverVoltage, 4: term.FaultUnderVoltage, 5: term.FaultHighTemperature,
	6: term.FaultConnectorLock, 7: term.FaultContactor, 8: term.FaultPilot, 9: term.FaultEmergencyStop, 10: term.FaultCableTemperature,
	11: term.FaultPowerSwitch, 12: term.FaultTamper, 13: term.FaultPowerLoss, 14: term.FaultOther,
}

// Report returns the number that a part of RoleDiagnosis has in B for fault f; false: no line can report it.
func Report(f term.Fault) (int32, bool) {
	for n, of := range reports {
		if of == f && n != 0 {
			return int32(n), true
		}
	}
	return 0, false
}

// faultOf returns the fault that a diagnosis line reports.
func faultOf(p *hal.Part) (term.Fault, error) {
	if p.B <= 0 || int(p.B) >= len(reports) {
		return 0, fmt.Errorf("%s: fault %d: a line can report 1 to %d", name(p), p.B, len(reports)-1)
	}
	return reports[p.B], nil
}
