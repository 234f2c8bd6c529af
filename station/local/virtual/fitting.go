package virtual

import (
	"context"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Fitting is what lies at the station's wires: a simulated world, or the devices of a board. It outlives the lives of a
// station: a reboot finds it as it is. Its methods may be called from any goroutine.
type Fitting interface {
	Wires

	// Connectors are what the guard has to know of the connectors, of all EVSEs that the station serves and of no other.
	Connectors() []iec61851.Config

	// Meter is that of an EVSE; nil: it has none.
	Meter(term.EVSEID) (hal.Meter, error)

	// Indicator is the light of a connector; nil: it has none.
	Indicator(term.Ref) (hal.Indicator, error)

	// Run brings what happens at the wires until ctx ends: tokens, faults of devices, inputs. It begins with what is so
	// already, for whoever runs it knows nothing. One Run at a time.
	Run(ctx context.Context, post func(station.Event))

	// SetPower tells that the mains are on, at the beginning of each life, or that a life ended as by a power cut.
	SetPower(on bool) error
}

// Guarded is an optional ability of a Fitting: to use what the guard knows, and to say what the guard's devices are called.
type Guarded interface {
	// Guarded tells, at the beginning of each life, where the guard's newest statuses are.
	Guarded(status func(term.Ref) (iec61851.Status, bool))

	// Explain says which device of a connector ails, and from what.
	Explain(term.Ref, hal.Ailment) string

	// WatchdogTimeout is after what the board's watchdog resets it; 0: it has none.
	WatchdogTimeout() time.Duration
}

// Wires are what a guard within this process drives. A guard of its own process opens them itself.
type Wires interface {
	Devices(term.Ref) (hal.Devices, error)
	Watchdog() hal.Watchdog // nil: there is none
}

// simulation is the fitting of a simulated station.
type simulation struct {
	*halsim.World
	connectors []iec61851.Config
}

// Connectors are those of the station.
func (w simulation) Connectors() []iec61851.Config { return w.connectors }

// Run brings the cards, after what the world's sensors have seen all along.
func (w simulation) Run(ctx context.Context, post func(station.Event)) {
	faults, info := w.StationFaults()
	for _, f := range faults.List() {
		post(station.FaultChanged{Fault: f, Active: true, Info: info(f)})
	}
	for _, e := range w.State().EVSEs {
		if e.Bay {
			post(station.BayChanged{EVSE: e.ID, Occupied: true})
		}
	}
	for {
		sw, err := w.NextSwipe(ctx)
		if err != nil {
			return
		}
		post(station.TokenRead{Token: sw.Token, Info: sw.Additional, EVSEs: sw.EVSEs})
	}
}

// fitting is what the station has at its wires.
func (s *Station) fitting() Fitting {
	if s.o.Fitting != nil {
		return s.o.Fitting
	}
	return simulation{s.World(), Connectors(s.o.Station)}
}
