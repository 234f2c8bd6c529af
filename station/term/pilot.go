package term

import "github.com/evsed/evsed/hal/unit"

// PilotState is the vehicle state that the control pilot shows (IEC 61851-1 Annex A).
// Whether PWM is on (the 1 and 2 of A1, B2, C2 …) is a fact of the output, not of the vehicle.
type PilotState uint8

// The states of IEC 61851-1. StateUnknown holds until enough samples agree.
const (
	StateUnknown PilotState = iota
	StateA                  // no vehicle
	StateB                  // vehicle connected, not ready
	StateC                  // vehicle ready, no ventilation needed
	StateD                  // vehicle ready, ventilation needed
	StateE                  // pilot shorted to earth, or no supply
	StateF                  // station not available
)

// String returns the letter, or "?" for StateUnknown.
func (s PilotState) String() string {
	if s > StateF {
		return "?"
	}
	return "?ABCDEF"[s : s+1]
}

// Connected reports whether a vehicle is on the line (B, C or D).
func (s PilotState) Connected() bool { return s == StateB || s == StateC || s == StateD }

// Ready reports whether the vehicle asks for energy (C or D).
func (s PilotState) Ready() bool { return s == StateC || s == StateD }

// Permit is what the core allows at one connector. It is a level, not an edge: the newest permit of a connector
// is the whole truth, and sending it twice changes nothing. The zero Permit of a Ref opens and unlocks.
type Permit struct {
	Ref    Ref
	Close  bool         // the contactor may close, once the pilot is in C or D and the plug is locked
	Lock   bool         // the plug shall be locked; false unlocks once the contactor is open
	Max    unit.Current // the current that may be offered, per phase; below 6 A nothing is offered
	Phases uint8        // lines that may be switched: 1 or 3; 0 means all that the connector has
	Fail   bool         // show state F: the connector is out of service
}

// AtMost returns the part of p that is not more power than have: what may take effect before anything else is settled.
func (p Permit) AtMost(have Permit) Permit {
	p.Close = p.Close && have.Close
	p.Max = min(p.Max, have.Max)
	return p
}
