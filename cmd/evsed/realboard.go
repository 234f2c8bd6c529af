package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/fit"
	"github.com/evsed/evsed/boards/seal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/local/seed"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/term"
)

// readBoard reads the files of --board and lets the board say what the station has; nil: --board is not given. What is wrong
// with the files is told in full.
func (o *runOptions) readBoard(s *seed.Seed, errs io.Writer) (*boards.Board, error) {
	if o.board == nil {
		return nil, nil
	}
	if len(s.OfBoard) > 0 {
		return nil, fmt.Errorf("--board %s and the seed's %s both say what the station has: want the seed without %[2]s", strings.Join(o.board, ","), strings.Join(s.OfBoard, ", "))
	}
	if err := seal.Check(o.state, o.board); err != nil {
		return nil, fmt.Errorf("--board %s: %w", strings.Join(o.board, ","), err)
	}
	b, findings, err := boards.Load(o.board...)
	for _, f := range findings {
		if err != nil || f.Severity == boards.Warning {
			fmt.Fprintln(errs, f)
		}
	}
	if errors.Is(err, boards.ErrBoard) {
		err = boards.ErrBoard // each has been told
	}
	if err != nil {
		return nil, fmt.Errorf("--board %s: %w", strings.Join(o.board, ","), err)
	}
	if s.EVSEs, err = stationOf(b); err != nil {
		return nil, fmt.Errorf("--board %s: %w", strings.Join(o.board, ","), err)
	}
	s.World = nil
	s.Lights = slices.ContainsFunc(b.EVSEs, func(e boards.EVSE) bool { return e.Light != nil && !e.Off })
	identify(&s.Identity, s.Labels, b, errs)
	return b, nil
}

// identify takes from the board what the seed does not say.
func identify(id *station.Identity, given []string, b *boards.Board, errs io.Writer) {
	if !slices.Contains(given, "vendor") {
		id.Vendor = b.Identity.Vendor
	}
	if !slices.Contains(given, "model") {
		id.Model = b.Identity.Model
	}
	if slices.Contains(given, "serialNumber") {
		return
	}
	serial, err := b.Identity.Serial.Read("/")
	switch {
	case errors.Is(err, boards.ErrNoSerial):
	case err != nil:
		fmt.Fprintf(errs, "evsed run: %v\n", err)
	default:
		id.SerialNumber = serial[:min(len(serial), maxSerialNumber)]
	}
}

// maxSerialNumber is the length of ChargingStationType.serialNumber.
const maxSerialNumber = 25

// stationOf is the topology of a board: the EVSEs that this program charges at, and behind them those that it does not.
func stationOf(b *boards.Board) ([]station.EVSE, error) {
	all, err := b.Topology()
	if err != nil {
		return nil, err
	}
	for i := range b.EVSEs {
		e := &b.EVSEs[i]
		code, why := e.Serves()
		if e.Off || code == "" || int(e.ID) != len(all)+1 {
			continue
		}
		all = append(all, station.EVSE{ID: e.ID, Name: e.Name, Phases: int(e.Phases), MaxCurrent: max(e.MaxCurrent, station.MinOffer), Refused: code + ": " + why,
			Connectors: []station.Connector{{ID: 1, Type: e.Connector.Type, Tethered: e.Connector.Tethered}}})
	}
	return all, nil
}

// reasonSupply is the stable code of the limit that the station's supply is.
const reasonSupply = "LIM-SUPPLY"

// limitsOf are what limits the station as a whole: its supply, where the EVSEs together could take more.
func limitsOf(b *boards.Board, evses []station.EVSE) []station.LimitClaimed {
	var sum unit.Current
	for _, e := range evses {
		if e.Refused == "" {
			sum += e.MaxCurrent
		}
	}
	if sum <= b.Supply.MaxCurrent {
		return nil
	}
	return []station.LimitClaimed{{Owner: limit.SiteFuse, Max: b.Supply.MaxCurrent, Reason: reasonSupply}}
}

// wire opens the devices of the board and says how its guard is reached.
func (a *agent) wire(o runOptions, vo *virtual.Options) error {
	vo.Station.Limits = limitsOf(a.board, vo.Station.EVSEs)
	for _, e := range vo.Station.EVSEs {
		if e.Refused != "" {
			a.log.Warn("board", "evse", int(e.ID), "refused", e.Refused)
		}
	}
	table, err := a.board.Table(o.silence, 0)
	if err != nil {
		return usagef("--board: %w", err)
	}
	vo.Guard = boardGuard(o, table, a.log, a.errs)
	if a.fitted, err = fit.Open(a.board, fit.NewLinux("/"), fit.Options{Now: vo.Clock.Now, Log: a.log}); err != nil {
		return usagef("--board: %w", err)
	}
	vo.Fitting = a.fitted
	return nil
}

// endBoard gives the devices back.
func (a *agent) endBoard() {
	if a.fitted != nil {
		a.fitted.Close()
	}
}

// realGuard is a guard process on the lines of a board.
type realGuard struct {
	*realtime.Keeper
	log *slog.Logger
}

// Run keeps the guard at work until ctx ends.
func (g realGuard) Run(ctx context.Context) error {
	err := g.Keeper.Run(ctx)
	if err != nil {
		g.log.Error("guard", "code", realtime.CodeLost, "err", err)
	}
	return err
}

// boardGuard makes the guard of a board: a process of its own, which this one starts or which listens already.
func boardGuard(o runOptions, table *guard.Table, log *slog.Logger, errs io.Writer) virtual.GuardMaker {
	return func(_ virtual.Wires, connectors []iec61851.Config, clock func() time.Time) (virtual.Guard, error) {
		var refs []term.Ref
		for _, c := range connectors {
			refs = append(refs, c.Ref)
		}
		reach, retry := realtime.ByCalling(o.guard), realtime.RetryCall
		if o.guard == guardChild {
			reach, retry = realtime.ByStarting("/proc/self/exe", []string{guardCommand, "--sandbox", o.sandbox}, table, nil, os.Environ(), errs), realtime.RetryStart
		}
		return realGuard{realtime.Keep(guard.NewRemote(refs, clock), reach, retry, log), log}, nil
	}
}

// boardPlaces are the device nodes and folders that a board's devices need after the sandbox is shut: what is plugged in again
// is a new node, so that a board with anything that can be unplugged keeps the whole of /dev.
func boardPlaces(b *boards.Board) []string {
	if b == nil {
		return nil
	}
	places, sysfs, whole := []string(nil), false, false
	node := func(path string) {
		path = filepath.Join("/dev", strings.TrimPrefix(path, "/dev/"))
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink != 0 || strings.HasPrefix(filepath.Base(path), "ttyUSB") || strings.HasPrefix(filepath.Base(path), "ttyACM") {
			whole = true
			return
		}
		places = append(places, path)
	}
	for _, u := range b.Uses() {
		switch u.Kind {
		case boards.UseOutput, boards.UseInput:
			chips, _ := filepath.Glob("/dev/gpiochip*")
			for _, c := range chips {
				if !slices.Contains(places, c) {
					places = append(places, c)
				}
			}
		case boards.UsePWM, boards.UseADC, boards.UseThermometer, boards.UseLED:
			sysfs = true
		case boards.UseSerial, boards.UseWatchdog:
			node(u.Name)
		case boards.UseI2C:
			node("i2c-" + u.Name)
		case boards.UseSPI:
			node("spidev" + u.Name)
		case boards.UseInputDevice:
			whole = true
		}
	}
	if sysfs {
		places = append(places, "/sys")
	}
	if whole {
		places = append(places, "/dev")
	}
	return places
}

// boardCopy is where the state keeps what the board was at the last start.
const boardCopy = "board.txt"

// maxChanges bounds how many changes of a board are logged one by one.
const maxChanges = 20

// keepBoard keeps the merged board beside the seed, and logs what has changed since the last start: a board file that somebody
// has edited shows.
func (a *agent) keepBoard(o runOptions) error {
	if a.board == nil {
		return nil
	}
	var b bytes.Buffer
	for _, s := range a.board.Settings() {
		fmt.Fprintf(&b, "%s = %s\n", s.Path, s.Text)
	}
	path := filepath.Join(o.state, boardCopy)
	was, err := os.ReadFile(path)
	if err == nil && bytes.Equal(was, b.Bytes()) {
		return nil
	}
	if err == nil {
		a.tellChanges(strings.Split(string(was), "\n"), strings.Split(b.String(), "\n"))
	}
	if err := writeDurably(path+newSuffix, b.Bytes()); err != nil {
		return fmt.Errorf("--state %s: %w: want a directory that can be written", o.state, err)
	}
	return os.Rename(path+newSuffix, path)
}

func (a *agent) tellChanges(was, is []string) {
	told := 0
	tell := func(lines, other []string, what string) {
		for _, l := range lines {
			if slices.Contains(other, l) {
				continue
			}
			if told++; told <= maxChanges {
				a.log.Warn("board", what, l)
			}
		}
	}
	tell(was, is, "was")
	tell(is, was, "now")
	if told > maxChanges {
		a.log.Warn("board", "more changes", told-maxChanges)
	}
}

// serve serves the simulator API, if there is one, until ctx ends.
func (a *agent) serve(ctx context.Context) error {
	if a.server == nil {
		<-ctx.Done()
		return nil
	}
	return a.server.Serve(ctx)
}

// banner is the line that says that the station starts, and where.
func (a *agent) banner() string {
	if a.board != nil {
		return fmt.Sprintf("evsed %s station %s board %s", release, a.seed.Name, a.board.Identity.Model)
	}
	return fmt.Sprintf("evsed %s station %s simulator API http://%s/sim/v1", release, a.seed.Name, a.server.Addr())
}
