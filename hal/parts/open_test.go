package parts

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/hal"
)

// TestOpenRefuses: parts that make no device, each with a word of why.
func TestOpenRefuses(t *testing.T) {
	high := part(hal.PartADC, hal.RolePilotHigh, "adc/high", 1000)
	edit := func(p hal.Part, f func(*hal.Part)) hal.Part { f(&p); return p }
	motor, back, sense := out(hal.RoleLockMotor, "A", 600), out(hal.RoleUnlockMotor, "B"), in(hal.RoleLockSense, "S")
	fault := in(hal.RoleRCDFault, "F")
	without := func(n int) []hal.Part { l := ladder(); return append(l[:n:n], l[n+1:]...) }
	for says, ps := range map[string][]hal.Part{
		"no parts":                              nil,
		"no such role":                          {out(0, "x")},
		"part \"x\" of role 200":                {out(200, "x")},
		"cannot be a part of kind 2":            {part(hal.PartInput, hal.RoleMainDrive, "x")},
		"has no name":                           {out(hal.RoleMainDrive, "")},
		"flags 0x10":                            {flagged(out(hal.RoleMainDrive, "x"), hal.PartInverted)},
		"one bias":                              {flagged(fault, hal.PartPullUp|hal.PartPullDown)},
		"means nothing there":                   {out(hal.RoleMainDrive, "x", 0, 0, 0, 1)},
		"debounce of -1 us":                     {in(hal.RoleRCDFault, "x", -1)},
		"gain of 0":                             {part(hal.PartADC, hal.RoleProximity, "x", 0, 0, 1, 1)},
		"part of a contactor":                   {fault, out(hal.RoleMainDrive, "x")},
		"no such thing":                         {out(hal.RoleMainDrive, "missing")},
		"wiring 9":                              {out(hal.RoleMainDrive, "x", 9)},
		"wants two drives":                      {out(hal.RoleMainDrive, "x", int32(hal.WiringSerial))},
		"single one":                            {out(hal.RoleMainDrive, "x"), out(hal.RoleExtraDrive, "y")},
		"there is main drive \"x\" already":     {out(hal.RoleMainDrive, "x"), out(hal.RoleMainDrive, "y")},
		"without a main drive":                  {in(hal.RoleMainSense, "x")},
		"at most 500ms":                         {out(hal.RoleMainDrive, "x", 0, 0, 501)},
		"it senses is not fitted":               {out(hal.RoleMainDrive, "x"), in(hal.RoleExtraSense, "y")},
		"without a sense":                       {motor, back},
		"way back":                              {motor, sense},
		"bolt has none":                         {out(hal.RoleLockMotor, "A"), back, sense},
		"a pulse of 2s":                         {out(hal.RoleLockMotor, "A", 2000), back, sense},
		"without a fault line":                  {out(hal.RoleRCDTest, "T", 100, 86400)},
		"one each 1m0s or less often":           {fault, out(hal.RoleRCDTest, "T", 100, 59)},
		"within 0s":                             {fault, out(hal.RoleRCDTest, "T", 0, 86400)},
		"fault 0":                               {in(hal.RoleDiagnosis, "x")},
		"fault 99":                              {in(hal.RoleDiagnosis, "x", 0, 99)},
		"want both":                             {part(hal.PartADC, hal.RoleProximity, "x", 1000)},
		"curve 0":                               {part(hal.PartADC, hal.RoleTemperature, "x", 1000, 0, 1, 1)},
		"curve 77":                              {flagged(part(hal.PartADC, hal.RoleTemperature, "x", 1000, 0, 1, 1), hal.Curve(77).Flags())},
		"neither curve nor divider":             {part(hal.PartThermometer, hal.RoleTemperature, "x", 1)},
		"without a pilot generator":             {high},
		"a period of 500µs":                     {edit(wallbox()[0], func(p *hal.Part) { p.A = 500_000 })},
		"without a converter of the low half":   wallbox()[:2],
		"an odd number up to 9":                 {wallbox()[0], edit(high, func(p *hal.Part) { p.C = 4 })},
		"at most 100µs":                         wallbox(out(hal.RolePilotHighReset, "R", 0, 101)),
		"beside comparators":                    append(ladder(), high),
		"without a comparator near 7.5 V":       without(3),
		"without a comparator of the low half":  ladder()[:5],
		"a second comparator near 4.5 V":        append(ladder(), in(hal.RolePilotAbove, "X", 0, 4600)),
		"a threshold of 6 V":                    append(ladder(), in(hal.RolePilotAbove, "X", 0, 6000)),
		"a threshold of -5 V":                   {ladder()[0], ladder()[1], ladder()[2], ladder()[3], ladder()[4], in(hal.RolePilotBelow, "N", 0, -5000)},
		"a timeout of 0 ms":                     {part(hal.PartWatchdog, hal.RoleWatchdog, "/dev/watchdog")},
		"2 parts of a safety controller":        {part(hal.PartMCU, hal.RoleMCUPilot, "x"), part(hal.PartMCU, hal.RoleMCUPilot, "x")},
		"safety controller in one device: want": {part(hal.PartMCU, hal.RoleMCUPilot, "x"), part(hal.PartMCU, hal.RoleMCULock, "x")},
	} {
		if d, err := Open(newMemory(), ps); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%T, %v; want %q", d, err, says)
		}
	}
}

// TestEveryRoleIsKnown: each role has its row.
func TestEveryRoleIsKnown(t *testing.T) {
	for r := hal.RoleNone + 1; r < hal.Roles; r++ {
		if roles[r].name == "" || roles[r].device == "" || len(roles[r].kinds) == 0 {
			t.Errorf("role %d has no row", r)
		}
	}
}
