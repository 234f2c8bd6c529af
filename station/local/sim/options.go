package sim

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Errors that the functions behind the interface may return, to be told apart by errors.Is. Those of halsim
// (ErrNotFound, ErrImpossible, ErrBadValue) are understood as well.
var (
	ErrOff          = errors.New("the station is not running")      // 409
	ErrNotSimulated = errors.New("this build does not simulate it") // 501
)

// World is the simulated world: *halsim.World.
type World interface {
	Plug(term.EVSEID, term.ConnectorID, halsim.PlugOptions) error
	Unplug(term.EVSEID, term.ConnectorID, halsim.UnplugOptions) (done bool, err error)
	SetEV(term.EVSEID, halsim.EVOptions) error
	SetBay(term.EVSEID, bool) error
	SetLock(term.EVSEID, term.ConnectorID, halsim.LockBehaviour) error
	SetMeter(term.EVSEID, halsim.MeterOptions) error
	SetFault(halsim.FaultOptions) error
	ClearFaults() error
	Swipe(halsim.Swipe) error
	TakeSwipe() (halsim.Swipe, bool)
	State() halsim.State
}

// Station is the loop of the station that is running now.
type Station interface {
	// Ask puts a request to the station and waits for its response, or for ctx. Without a running station it returns
	// ErrOff at once.
	Ask(ctx context.Context, r station.Request) (station.Response, error)

	// Post hands an event to the station. It never blocks, because it is also called with the world locked. false:
	// no station is running, or its queue is full.
	Post(ev station.Event) bool
}

// Power is the mains of the station. Its methods return at once and are harmless where nothing changes.
type Power interface {
	// PowerOff ends the station as a kill does. A ups above 0 keeps it alive for that long after a
	// station.PowerFailing. The Facts tell of it from the return on.
	PowerOff(ups time.Duration) error
	PowerOn() error
	// PowerCycle is PowerOff, and PowerOn after off.
	PowerCycle(off time.Duration) error
}

// Clock is the station's clock.
type Clock interface {
	SetOffset(time.Duration) error // the wall clock differs from this machine's by so much
	SetRate(rate float64) error    // the station's time, timers included, runs so many times as fast from now on
}

// Network is the state of the link to the CSMS.
type Network struct {
	Up      bool
	Latency time.Duration // of each direction
	Loss    float64       // of sent packets, in percent
}

// Facts are what the runner knows of the station. They are read after the station has answered, so that what it said
// last is counted.
type Facts struct {
	Powered   bool
	NetworkUp bool
	Protocol  string        // agreed subprotocol; "" without a connection
	URL       string        // of the CSMS that is connected or dialled, with the identity; "" before the first
	Pending   int           // messages queued anywhere between the core's output and the CSMS's answer, outbox included
	Uptime    time.Duration // since the station was started last, as its own clock runs; 0 while it is off
	Clock     time.Time     // wall time while no station tells it
	Firmware  string        // version that runs; "": Options.Firmware
}

// ListEntry is one entry for the local authorization list.
type ListEntry struct {
	Token term.IdToken
	Info  term.TokenInfo
}

// Options are what the interface is made of. A nil function or interface makes the calls that need it answer 501;
// World, Station and Facts are needed.
type Options struct {
	Listen   string // HOST:PORT, loopback only; port 0 takes a free one
	Version  string // of the build
	Identity string // the station's identity toward the CSMS
	Firmware string // firmware version that the station tells

	World   func() World // the world of now: a factory reset may make a new one
	Station Station
	Facts   func() Facts
	Log     *Log // nil: GET /events has nothing to tell

	Power   Power
	Clock   Clock
	Network func(Network) error

	// Service acknowledges latched faults whose cause is gone: (*guard.Pipe).Service of the guard of now. The zero Ref
	// means all connectors. It does not block.
	Service func(term.Ref)

	// StageList writes a complete local list durably and returns the request that puts it in force.
	StageList func(version int, entries []ListEntry) (station.SendLocalList, error)

	// Keys are the configuration keys of OCPP 1.6.
	Keys Keys

	// PlanUpload lets the next upload of a log succeed or fail after step, without a transfer.
	PlanUpload func(ok bool, step time.Duration)

	// PlanFirmware says how the next simulated update of the firmware goes. ErrNotSimulated: updates are real.
	PlanFirmware func(FirmwarePlan) error

	// FactoryReset drops what is persistent and starts the station with its seed again. It returns at once.
	FactoryReset func() error

	Logger *slog.Logger // nil: silent
}
