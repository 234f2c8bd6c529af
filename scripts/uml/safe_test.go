package uml

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// safeTable is a board of two contactors, whose one pilot is measured by what is not there.
func safeTable(drives ...string) *guard.Table {
	table := &guard.Table{Board: "safe", Parts: []hal.Part{
		{Kind: hal.PartPWM, Role: hal.RolePilotPWM, Name: "missing.pwm/0", A: 1_000_000},
		{Kind: hal.PartADC, Role: hal.RolePilotHigh, Name: "missing.adc/voltage0", A: 1000},
		{Kind: hal.PartADC, Role: hal.RolePilotLow, Name: "missing.adc/voltage1", A: 1000},
	}}
	for i, name := range drives {
		table.Parts = append(table.Parts, hal.Part{Kind: hal.PartOutput, Role: hal.RoleMainDrive, Name: name})
		table.Connectors = append(table.Connectors, guard.TableConnector{
			Config:    iec61851.Config{Ref: term.Ref{EVSE: term.EVSEID(i + 1), Connector: 1}, MaxCurrent: 16 * unit.Ampere, Phases: 3, Tethered: true},
			Pilot:     guard.Device{Kind: guard.DeviceParts, Line: 3},
			Contactor: guard.Device{Kind: guard.DeviceParts, Chip: uint16(3 + i), Line: 1},
		})
	}
	return table
}

// checkSafe: contactor lines that a boot loader has left high are low before anything else of the board is looked at, whatever is
// wrong with it: another line that has no name, one that somebody holds, devices that are not there. The guard ends with a word of
// why each time; who started it tries again.
func checkSafe(t *testing.T) {
	s, err := newSimulated("safe", "SAFE_K1", "SAFE_K2", "SAFE_HELD")
	if err != nil {
		t.Fatal(err)
	}
	held, err := gpiocdev.RequestLine(filepath.Base(s.dir), s.lines["SAFE_HELD"], gpiocdev.WithConsumer("test"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, test := range []struct {
		drives []string
		opens  string // and is seen to: it goes back up when the guard ends
		says   string
	}{
		{[]string{"SAFE_K1", "SAFE_K2"}, "", `pilot generator "missing.pwm/0"`},
		{[]string{"SAFE_K3", "SAFE_K1"}, "", `line "SAFE_K3": no chip`},
		{[]string{"SAFE_HELD", "SAFE_K2"}, "SAFE_K2", `"test" holds it`},
		{[]string{"SAFE_K3", "SAFE_HELD", "SAFE_K1"}, "SAFE_K1", `line "SAFE_K3": no chip`},
	} {
		s.pull("SAFE_K1", true)
		s.pull("SAFE_K2", true)
		var said text
		start := time.Now()
		child, err := realtime.Start("/evsed", []string{"guard"}, safeTable(test.drives...), nil, os.Environ(), &said)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		opened := time.Duration(0)
		for opened == 0 && err == nil && test.opens != "" {
			if !s.high(test.opens) {
				opened = time.Since(start)
			}
			select {
			case err = <-ended:
			default:
			}
		}
		if opened == 0 && test.opens != "" {
			t.Errorf("%v: %s stayed high", test.drives, test.opens)
		}
		if err == nil {
			err = <-ended
		}
		if err == nil || !strings.Contains(said.String(), test.says) {
			t.Errorf("%v: the guard ended with %v and said %q, want %q", test.drives, err, said.String(), test.says)
		}
		if opened > 0 {
			t.Logf("%v: %s is low %v after the start", test.drives, test.opens, opened)
		}
		child.Conn.Close()
	}
}
