package dialect16

import (
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// reasons are the words of 1.6 for why a transaction ended (1.6, 7.36). What 1.6 has no word for is Other: a fault is told
// with the status, and a car that wants no more has not been unplugged.
var reasons = map[term.StopReason]msg16.Reason{
	term.StopDeAuthorized:   msg16.ReasonDeAuthorized,
	term.StopEmergencyStop:  msg16.ReasonEmergencyStop,
	term.StopEVDisconnected: msg16.ReasonEVDisconnected,
	term.StopGroundFault:    msg16.ReasonOther,
	term.StopImmediateReset: msg16.ReasonSoftReset,
	term.StopHardReset:      msg16.ReasonHardReset,
	term.StopMasterPass:     msg16.ReasonLocal, // somebody at the station ended it
	term.StopLocal:          msg16.ReasonLocal,
	term.StopOther:          msg16.ReasonOther,
	term.StopOvercurrent:    msg16.ReasonOther,
	term.StopPowerLoss:      msg16.ReasonPowerLoss,
	term.StopReboot:         msg16.ReasonReboot,
	term.StopRemote:         msg16.ReasonRemote,
	term.StopByEV:           msg16.ReasonOther,
	term.StopTimeout:        msg16.ReasonOther,
	term.StopEnergyLimit:    msg16.ReasonOther,
}

// reason tells why a transaction ended. Local is told too, although it is what an absent reason means.
func reason(e *station.TransactionEvent) msg16.Reason {
	if e.Trigger == term.TriggerUnlockCommand {
		return msg16.ReasonUnlockCommand
	}
	if r, ok := reasons[e.StoppedReason]; ok {
		return r
	}
	return msg16.ReasonOther
}

// reset reads 1.6, 5.14. Both kinds end the transactions that run and then restart; what a hard one may do without, the
// orderly end, is done all the same.
func reset(m *msg16.ResetRequest) station.Request {
	return station.Reset{Kind: station.ResetImmediate, Hard: m.Type == msg16.ResetHard}
}

// meterStop is the register at the end. Where no meter had answered yet when the transaction began, its begin was told as
// 0: its end is then what has flowed since, so that nobody is billed for the life of the meter.
func meterStop(e *station.TransactionEvent, s state) unit.Energy {
	switch {
	case e.Register < 0:
		return max(lastRegister(e.Values), 0)
	case s.zero && e.Begin >= 0:
		return e.Register - e.Begin
	}
	return e.Register
}

// lastRegister finds the newest import register among values, -1 where there is none.
func lastRegister(values []term.MeterValue) unit.Energy {
	last := unit.Energy(-1)
	for _, v := range values {
		for _, s := range v.Sampled {
			if s.Measurand == term.EnergyActiveImportRegister && s.Phase == term.PhaseNone {
				last = unit.Energy(s.Value)
			}
		}
	}
	return last
}
