package main

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
)

// TestGuardWithoutALine: a line that is not there, for its chip's module is not loaded yet, ends the guard with a word of why; the
// contactor of another connector, which a killed guard has left closed, is open by then.
func TestGuardWithoutALine(t *testing.T) {
	first := newGuarded(t)
	first.charge()
	if err := unix.Kill(first.child.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.ended
	first.closed = true
	table := guardTable()
	missing := guard.TableConnector{Config: table.Connectors[0].Config, Pilot: table.Connectors[0].Pilot, Contactor: guard.Device{Kind: guard.DeviceParts, Line: 1}}
	missing.Ref = term.Ref{EVSE: 2, Connector: 1}
	table.Connectors = append([]guard.TableConnector{missing}, table.Connectors...)
	table.Parts = []hal.Part{{Kind: hal.PartOutput, Role: hal.RoleMainDrive, Name: "EVSED_NO_SUCH_LINE"}}
	next := startGuarded(t, first.world, table)
	next.end(exitFailed) // and open
	if want := `connector 2.1: contactor: main drive "EVSED_NO_SUCH_LINE": line "EVSED_NO_SUCH_LINE": `; !strings.Contains(next.errs.String(), want) {
		t.Errorf("it said %q, want %q", next.errs.String(), want)
	}
	if got := strings.Count(next.errs.String(), "\n"); got != 1 {
		t.Errorf("%d lines: %s", got, next.errs.String())
	}
	if first.world.Opens(0) == 0 {
		t.Error("nobody told the other contactor to open")
	}
}
