package run

import (
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
)

// EventOf turns what the guard noticed into the core's word for it.
func EventOf(n iec61851.Notice) station.Event {
	switch n.Kind {
	case iec61851.PilotChanged:
		return station.PilotChanged{Ref: n.Ref, State: n.Pilot}
	case iec61851.CableChanged:
		return station.CableChanged{Ref: n.Ref, Present: n.Present, Rating: n.Rating}
	case iec61851.PowerChanged:
		return station.PowerChanged{Ref: n.Ref, Closed: n.Closed}
	case iec61851.LockChanged:
		return station.LockChanged{Ref: n.Ref, Locked: n.Locked, Failed: n.Failed}
	case iec61851.FaultChanged:
		f := station.FaultChanged{Ref: n.Ref, Fault: n.Fault, Active: n.Active}
		if n.Ailment != hal.AilNone {
			f.Info = n.Ailment.Error()
		}
		return f
	case iec61851.OfferChanged:
		return station.OfferChanged{Ref: n.Ref, Current: n.Offered}
	}
	panic(fmt.Sprintf("run: unknown notice %d", n.Kind))
}
