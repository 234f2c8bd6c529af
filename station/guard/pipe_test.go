package guard

import (
	"testing"

	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// TestPipeNeverWaits: a station's goroutine that hangs while it holds the mutex costs a cycle, nothing more.
func TestPipeNeverWaits(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	p := NewPipe([]term.Ref{ref})
	p.Permit(term.Permit{Ref: ref, Close: true})
	p.mu.Lock()
	var c Command
	if p.Receive(&c) || p.Send(&iec61851.Status{Ref: ref}) {
		t.Error("went through a held mutex")
	}
	p.mu.Unlock()
	if !p.Receive(&c) || !c.Permit.Close || !p.Send(&iec61851.Status{Ref: ref}) {
		t.Error("lost what waited")
	}
}

func TestPipeKeepsTheNewest(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	p := NewPipe([]term.Ref{ref})
	for max := range 1000 {
		p.Permit(term.Permit{Ref: ref, Close: true, Max: 6000})
		p.Meter(1, MeterSummary{Phases: 3})
		p.Heartbeat()
		s := iec61851.Status{Ref: ref, Pilot: term.StateB}
		if max == 500 {
			s.Faults, s.Seen = iec61851.FaultsOf(term.FaultGround), iec61851.FaultsOf(term.FaultGround)
		}
		p.Send(&s)
	}
	p.Permit(term.Permit{Ref: ref})
	p.Service(term.Ref{})
	var kinds []CommandKind
	for c := (Command{}); p.Receive(&c); {
		kinds = append(kinds, c.Kind)
		if c.Kind == CommandPermit && c.Permit.Close {
			t.Error("an old permit came through")
		}
	}
	if len(kinds) != 4 {
		t.Errorf("commands %v", kinds)
	}
	notices := p.Take(nil)
	if len(notices) != 3 { // the fault came and went, and the pilot
		t.Errorf("notices %+v", notices)
	}
	if again := p.Take(nil); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
	if p.Permit(term.Permit{Ref: term.Ref{EVSE: 9, Connector: 1}}) {
		t.Error("a permit for a connector that is not there")
	}
}
