package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/simlines"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/term"
)

// Words of --guard; anything else is the socket of a guard that is a unit of its own.
const (
	guardWithin = "within"
	guardChild  = "child"
)

// Bounds of how long a guard waits for a silent loop, which says every 2 s that it moves, and of how long a guard that
// outlives its agent may hold.
const (
	minSilence = 3 * time.Second
	maxSilence = time.Minute
	maxHold    = time.Hour
)

// checkSilence checks the time that a flag gives; 0 is the guard's default.
func checkSilence(flag string, silence time.Duration) error {
	if silence != 0 && (silence < minSilence || silence > maxSilence) {
		return usagef("%s: %v: want %v to %v", flag, silence, minSilence, maxSilence)
	}
	return nil
}

// simTable compiles the line table of the simulated board. chip says where its lines are.
func simTable(connectors []iec61851.Config, chip uint16, silence, hold time.Duration) *guard.Table {
	at := func(line, arg int) guard.Device {
		return guard.Device{Kind: guard.DeviceSim, Chip: chip, Line: uint32(line), Arg: int64(arg)}
	}
	t := &guard.Table{Board: "simulated", Silence: silence, Hold: hold, Watchdog: at(0, simWatchdog)}
	for i, c := range connectors {
		d := at(i, simConnector)
		k := guard.TableConnector{Config: c, Pilot: d, Contactor: d, RCD: d, Inputs: d, Diagnosis: d, Socket: d, Cable: at(i, simCable)}
		if !c.Tethered {
			k.Proximity = d
		}
		if c.HasLock {
			k.Lock = d
		}
		t.Connectors = append(t.Connectors, k)
	}
	return t
}

// Arguments of a device of kind guard.DeviceSim.
const (
	simConnector = iota
	simCable     // its cable's thermometer
	simWatchdog  // the board's
)

// openSim opens a device of the simulated board.
func openSim(b *simlines.Board, dev guard.Device) (any, error) {
	if dev.Arg == simWatchdog {
		return b.Watchdog(), nil
	}
	c, err := b.Connector(int(dev.Line))
	if err != nil {
		return nil, err
	}
	switch dev.Arg {
	case simConnector:
		return c, nil
	case simCable:
		return c.Cable(), nil
	}
	return nil, fmt.Errorf("simulated device with argument %d: there is none", dev.Arg)
}

// simLines finds the lines for a station whose guard is a process of its own.
func simLines(o runOptions) (*simlines.Lines, error) {
	if o.lines == "" {
		return simlines.New()
	}
	return simlines.OpenFile(o.lines)
}

// simGuard is a guard process on the simulated board: the keeper of the process, and the world behind its lines.
type simGuard struct {
	*realtime.Keeper
	server *simlines.Server
	log    *slog.Logger
}

// Run keeps guard and lines at work until ctx ends. The lines go on until the guard has opened everything.
func (g simGuard) Run(ctx context.Context) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); g.server.Run(serving) }()
	err := g.Keeper.Run(ctx)
	stop()
	<-done
	if err != nil {
		g.log.Error("guard", "code", realtime.CodeLost, "err", err)
	}
	return err
}

// guardMaker makes guards as --guard asks; nil: within the process.
func guardMaker(o runOptions, log *slog.Logger, errs io.Writer) (virtual.GuardMaker, error) {
	if o.guard == guardWithin {
		return nil, nil
	}
	lines, err := simLines(o)
	if err != nil {
		return nil, usagef("--sim-lines: %w", err)
	}
	return func(w virtual.Wires, connectors []iec61851.Config, clock func() time.Time) (virtual.Guard, error) {
		var devices []hal.Devices
		var refs []term.Ref
		for _, c := range connectors {
			d, err := w.Devices(c.Ref)
			if err != nil {
				return nil, err
			}
			devices, refs = append(devices, d), append(refs, c.Ref)
		}
		server, err := lines.World(devices, w.Watchdog())
		if err != nil {
			return nil, err
		}
		reach, retry := realtime.ByCalling(o.guard), realtime.RetryCall
		if o.guard == guardChild {
			table := simTable(connectors, realtime.DeviceFD, o.silence, 0)
			reach, retry = realtime.ByStarting("/proc/self/exe", []string{guardCommand, "--sandbox", o.sandbox}, table, []*os.File{lines.File()}, os.Environ(), errs), realtime.RetryStart
		}
		return simGuard{realtime.Keep(guard.NewRemote(refs, clock), reach, retry, log), server, log}, nil
	}, nil
}

// checkGuard checks what --guard goes together with.
func (o *runOptions) checkGuard() error {
	switch o.guard {
	case "":
		return usagef("--guard: want %s, %s, or the socket of a guard that listens", guardWithin, guardChild)
	case guardWithin:
		if o.board != nil {
			return usagef("--guard within: a board's contactors are driven by a process of their own: want --guard %s, or the socket of a guard that listens", guardChild)
		}
		if o.lines != "" || o.silence != 0 {
			return usagef("--sim-lines and --guard-silence are for a guard in a process of its own: want --guard %s or a socket with them", guardChild)
		}
	case guardChild:
	default:
		if o.lines == "" && o.board == nil {
			return usagef("--guard %s: want --sim-lines with the file that the guard was given", o.guard)
		}
		if o.silence != 0 {
			return usagef("--guard-silence: a guard that listens has it from its line table")
		}
	}
	return checkSilence("--guard-silence", o.silence)
}
