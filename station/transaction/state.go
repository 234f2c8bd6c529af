package transaction

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// SuspendGrace is how long a car that was offered energy may take to ask for it before the transaction is called
// SuspendedEV. One that stops drawing is called so at once.
const SuspendGrace = 10 * time.Second

// View is what the charging state depends on.
type View struct {
	Connected  bool
	Authorized bool
	Pilot      term.PilotState
	Closed     bool               // contactor feedback
	Allowed    bool               // the core's permit allows energy: no fault, limit of at least 6 A
	Limited    bool               // it would allow energy, but for a limit below 6 A
	Charged    bool               // energy has flowed in this transaction
	Offered    time.Duration      // for how long energy has been offered
	Refused    bool               // the CSMS refused the token and what it was still allowed is used up
	Was        term.ChargingState // the state before
}

// ChargingState derives the charging state (OCPP ChargingStateEnumType, IEC 61851-1 states behind it).
func (v View) ChargingState() term.ChargingState {
	switch {
	case !v.Connected:
		return term.ChargingIdle
	case v.Closed && v.Pilot.Ready():
		return term.ChargingCharging
	case !v.Authorized:
		return term.ChargingEVConnected // E05.FR.09: preferred over SuspendedEVSE once deauthorized
	case v.Refused: // E05.FR.02, C15.FR.06
		return term.ChargingSuspendedEVSE
	case !v.Allowed:
		if v.Charged || v.Pilot.Ready() || v.Limited {
			return term.ChargingSuspendedEVSE
		}
		return term.ChargingEVConnected
	case v.Pilot.Ready():
		return v.closing()
	}
	return v.waiting()
}

// closing is the state while the car asks and the contactor is about to close: what it was before. That it does not
// close is a fault, and a fault takes the permit away.
func (v View) closing() term.ChargingState {
	if v.Was == term.ChargingSuspendedEV || v.Was == term.ChargingSuspendedEVSE {
		return v.Was
	}
	return term.ChargingEVConnected
}

// waiting is the state while energy is allowed and the car does not ask for it: one that has just charged is pausing; any
// other is given the time to notice the offer.
func (v View) waiting() term.ChargingState {
	switch {
	case v.Offered >= SuspendGrace, v.Was == term.ChargingCharging, v.Was == term.ChargingSuspendedEV:
		return term.ChargingSuspendedEV // E01.FR.19
	case v.Was == term.ChargingSuspendedEVSE:
		return v.Was
	}
	return term.ChargingEVConnected
}
