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
	case v.Pilot.Ready() && v.Charged:
		return term.ChargingSuspendedEVSE // the car asks, our contactor is still open
	case v.Pilot.Ready():
		return term.ChargingEVConnected
	case v.Charged || v.Offered >= SuspendGrace:
		return term.ChargingSuspendedEV // E01.FR.19
	}
	return term.ChargingEVConnected
}
