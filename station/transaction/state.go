package transaction

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// SuspendGrace is how long a car that was offered energy may take to ask for it before the transaction is called
// SuspendedEV; until then it is EVConnected. A car that has charged once is called SuspendedEV at once.
const SuspendGrace = 10 * time.Second

// View is what the charging state depends on.
type View struct {
	Connected  bool
	Authorized bool
	Pilot      term.PilotState
	Closed     bool          // contactor feedback
	Offer      unit.Current  // what the guard offers
	Allowed    bool          // the core's permit allows energy: no fault, limit of at least 6 A
	Charged    bool          // energy has flowed in this transaction
	Offered    time.Duration // for how long energy has been offered
	Was        term.ChargingState
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
	case !v.Allowed:
		if v.Charged || v.Pilot.Ready() {
			return term.ChargingSuspendedEVSE
		}
		return term.ChargingEVConnected
	case v.Pilot.Ready():
		return v.closing()
	case v.Charged || v.Offered >= SuspendGrace:
		return term.ChargingSuspendedEV // E01.FR.19
	}
	return term.ChargingEVConnected
}

// closing is the state while the car asks and the contactor is about to close: what it was before. That it does not
// close is a fault, and a fault takes the permit away.
func (v View) closing() term.ChargingState {
	if v.Was == term.ChargingSuspendedEV || v.Was == term.ChargingSuspendedEVSE {
		return v.Was
	}
	return term.ChargingEVConnected
}
