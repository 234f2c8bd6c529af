package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/hal/simlines"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
)

// A guard's loop runs on the thread that its process began with: the one whose name tools show.
func init() {
	if len(os.Args) > 1 && os.Args[1] == guardCommand {
		runtime.LockOSThread()
	}
}

// guardCommand is the subcommand that makes this binary a guard.
const guardCommand = "guard"

// guardOptions are the flags of evsed guard.
type guardOptions struct {
	table, listen string
	lines         string
	sandbox       string
	figures       bool
	selftest      uint64
}

func parseGuard(args []string) (guardOptions, error) {
	var o guardOptions
	fs := flag.NewFlagSet(guardCommand, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.table, "table", "", "")
	fs.StringVar(&o.listen, "listen", "", "")
	fs.StringVar(&o.lines, "sim-lines", "", "")
	fs.StringVar(&o.sandbox, "sandbox", sandboxOn, "")
	fs.BoolVar(&o.figures, "figures", false, "")
	fs.Uint64Var(&o.selftest, "selftest", 0, "")
	if err := fs.Parse(args); err != nil {
		return o, usagef("%w: want --table FILE or the line table on descriptor %d, and --listen SOCKET or the station on descriptor %d", err, realtime.TableFD, realtime.SocketFD)
	}
	if fs.NArg() > 0 {
		return o, usagef("unexpected argument %q", fs.Arg(0))
	}
	return o, checkSandbox(o.sandbox)
}

// runGuard drives the lines of a board until the station is gone or a signal comes.
func runGuard(args []string, out, errs io.Writer) error {
	o, err := parseGuard(args)
	if err != nil {
		return err
	}
	table, err := readTable(o.table)
	if err != nil {
		return err
	}
	conn := realtime.SocketFD
	if o.listen != "" {
		conn = -1
	}
	d := newDrivers(o.lines)
	figures, err := realtime.Run(realtime.Options{Table: table, Open: d.open, Begin: d.begin, Conn: conn, Listen: o.listen, Cycles: o.selftest, Confine: confineGuard(o.sandbox, comesBack(table), errs), Errs: errs})
	if o.figures || o.selftest > 0 {
		fmt.Fprintf(errs, "guard: %d cycles, %d allocations, %d collections, at most %v late\n", figures.Cycles, figures.Mallocs, figures.Collections, figures.Late)
		d.tell(errs)
	}
	err = errors.Join(err, d.kernel.Close(err == nil))
	if o.selftest > 0 && err == nil && (figures.Cycles < o.selftest || figures.Mallocs > 0) {
		return fmt.Errorf("self-test: want %d cycles without an allocation", o.selftest)
	}
	return err
}

// comesBack returns the folders of the devices that a guard has to open again after they were away: a safety controller behind a
// USB port gets a new node each time, a thermometer on 1-wire a new attribute.
func comesBack(t *guard.Table) []string {
	var again []string
	if slices.ContainsFunc(t.Parts, func(p hal.Part) bool { return p.Kind == hal.PartMCU && mcu.Removable(p.Name) }) {
		again = append(again, "/dev")
	}
	if slices.ContainsFunc(t.Parts, func(p hal.Part) bool { return p.Kind == hal.PartThermometer && strings.HasPrefix(p.Name, "w1:") }) {
		masters, _ := filepath.Glob("/sys/devices/w1_bus_master*") // the pattern is right
		again = append(again, masters...)
	}
	return again
}

// readTable reads the line table from a file or from the descriptor that a parent left.
func readTable(path string) (*guard.Table, error) {
	name := path
	if path == "" {
		name = fmt.Sprintf("descriptor %d", realtime.TableFD)
	}
	f, err := openTable(path)
	if err != nil {
		return nil, usagef("--table: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, guard.MaxTable+1))
	if err != nil {
		return nil, usagef("--table: %s: %w: want the line table of a board", name, err)
	}
	t, err := guard.ParseTable(b)
	if err != nil {
		return nil, usagef("--table: %s: %w", name, err)
	}
	return t, nil
}

func openTable(path string) (*os.File, error) {
	if path == "" {
		return os.NewFile(realtime.TableFD, "line table"), nil
	}
	return os.Open(path)
}

// takeover is how long a guard waits for the lines of another that is about to end, for all lines together: one that follows
// a killed station starts while the last one opens its contactors.
const takeover = 2 * time.Second

// drivers opens the devices of a table; those of one board share what the board has once.
type drivers struct {
	lines string // file of a simulated board's lines; "": they are inherited
	start time.Time
	rigs  map[uint16]*rig.Board
	sims  map[uint16]*simlines.Board

	kernel parts.Linux           // of real boards
	tried  map[guard.Device]bool // devices that were to be opened before
	waits  bool                  // for lines; not for those of a contactor at the first attempt, so that none waits for another one
}

func newDrivers(lines string) *drivers {
	d := &drivers{lines: lines, start: time.Now(), tried: map[guard.Device]bool{}, rigs: map[uint16]*rig.Board{}, sims: map[uint16]*simlines.Board{}}
	d.kernel.Patience = func() time.Duration {
		if !d.waits {
			return 0
		}
		return d.patience()
	}
	return d
}

// patience is how much is left of takeover.
func (d *drivers) patience() time.Duration { return max(0, takeover-time.Since(d.start)) }

// begin begins what goes on beside the cycles, and returns what wakes them.
func (d *drivers) begin() (sources []realtime.Source) {
	d.kernel.Begin()
	for _, s := range d.kernel.Sources() {
		sources = append(sources, s)
	}
	return sources
}

// tell says what edges have led to.
func (d *drivers) tell(errs io.Writer) {
	if count, lost := d.kernel.Edges(); count > 0 {
		fmt.Fprintf(errs, "guard: %d edges, %d lost\n", count, lost)
	}
	if r := d.kernel.Reaction(); r.Count > 0 {
		fmt.Fprintf(errs, "guard: %d openings after an edge: p50 %v, p99 %v, p99.99 %v, max %v from the edge to the command\n",
			r.Count, r.Quantile(500_000), r.Quantile(990_000), r.Quantile(999_900), r.Max)
	}
}

func (d *drivers) open(dev guard.Device, ps guard.Parts) (any, error) {
	if dev.Kind == guard.DeviceParts {
		d.waits = d.tried[dev] || ps[0].Role != hal.RoleMainDrive
		d.tried[dev] = true
		return parts.Open(&d.kernel, ps)
	}
	if dev.Flags != 0 {
		return nil, fmt.Errorf("device of kind %d with flags %d: it takes none", dev.Kind, dev.Flags)
	}
	switch dev.Kind {
	case guard.DeviceRig:
		return d.rig(dev)
	case guard.DeviceSim:
		b, err := d.sim(dev.Chip)
		if err != nil {
			return nil, err
		}
		return openSim(b, dev)
	}
	return nil, fmt.Errorf("device kind %d: this build has no driver for it", dev.Kind)
}

func (d *drivers) rig(dev guard.Device) (any, error) {
	if dev.Arg != 0 {
		return nil, fmt.Errorf("rig device with argument %d: it takes none", dev.Arg)
	}
	b := d.rigs[dev.Chip]
	if b == nil {
		var err error
		if b, err = rig.Open(int(dev.Chip), d.patience()); err != nil {
			return nil, err
		}
		d.rigs[dev.Chip] = b
	}
	return b.Wire(int(dev.Line))
}

// sim opens and locks the lines of a simulated board.
func (d *drivers) sim(chip uint16) (*simlines.Board, error) {
	if b := d.sims[chip]; b != nil {
		return b, nil
	}
	open := func() (*simlines.Lines, error) { return simlines.OpenFD(int(chip)) }
	if chip == 0 {
		if d.lines == "" {
			return nil, errors.New("simulated lines in a file: want --sim-lines FILE")
		}
		open = func() (*simlines.Lines, error) { return simlines.OpenFile(d.lines) }
	}
	l, err := open()
	if err != nil {
		return nil, err
	}
	b, err := l.Guard(d.patience())
	if err != nil {
		return nil, err
	}
	d.sims[chip] = b
	return b, nil
}
