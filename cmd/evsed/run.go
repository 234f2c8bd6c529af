package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/fit"
	"github.com/evsed/evsed/boards/seal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/logbook"
	"github.com/evsed/evsed/station/local/seed"
	"github.com/evsed/evsed/station/local/sim"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/keys"
)

// runOptions are the flags of evsed run.
type runOptions struct {
	seed, state, listen string
	logOCPP, verbose    bool
	guard, lines        string
	keys                string
	sandbox             string
	silence             time.Duration
	files               fileOptions
	slots               string
	board               []string  // files; none: the simulated world
	launched            *launched // nil: not by evsed launch
}

func parseRun(args []string) (runOptions, error) {
	var o runOptions
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.seed, "seed", "", "")
	fs.StringVar(&o.state, "state", "", "")
	fs.StringVar(&o.listen, "sim-listen", "", "")
	fs.StringVar(&o.guard, "guard", "", "")
	var files string
	fs.StringVar(&files, "board", "", "")
	fs.StringVar(&o.lines, "sim-lines", "", "")
	fs.StringVar(&o.sandbox, "sandbox", sandboxOn, "")
	fs.StringVar(&o.keys, "keys", "file", "")
	fs.DurationVar(&o.silence, "guard-silence", 0, "")
	o.files.register(fs)
	fs.StringVar(&o.slots, "slots", "", "")
	fs.BoolVar(&o.logOCPP, "sim-log-ocpp", false, "")
	fs.BoolVar(&o.verbose, "verbose", false, "")
	if err := fs.Parse(args); err != nil {
		return o, usagef("%w: want --seed FILE --state DIR and --board FILE[,FILE...] or --sim-listen HOST:PORT, and --keys, --guard, --sim-lines, --guard-silence, --file-hosts, --file-roots, --slots, --sandbox, --sim-log-ocpp or --verbose if you like", err)
	}
	if files != "" {
		o.board = strings.Split(files, ",")
	}
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	switch {
	case fs.NArg() > 0:
		return o, usagef("unexpected argument %q", fs.Arg(0))
	case o.board != nil && (set["sim-listen"] || set["sim-lines"] || set["sim-log-ocpp"]):
		return o, usagef("--board is for real wires, which no simulator moves: want it without --sim-listen, --sim-lines and --sim-log-ocpp")
	case o.state == "":
		return o, usagef("--state: want a directory for everything persistent")
	case o.board == nil && o.listen == "":
		return o, usagef("want --board FILE[,FILE...] for a real board, or --sim-listen HOST:PORT on loopback for the simulated world")
	}
	if !set["guard"] {
		o.guard = guardWithin
		if o.board != nil {
			o.guard = guardChild
		}
	}
	if err := o.files.check(); err != nil {
		return o, err
	}
	if err := checkSandbox(o.sandbox); err != nil {
		return o, err
	}
	return o, o.checkGuard()
}

// runStation runs a station, on a board or in the simulated world, until SIGTERM or SIGINT.
func runStation(args []string, out, errs io.Writer) error {
	l, err := takeLaunched()
	if err != nil {
		return err
	}
	return l.ended(runLaunched(l, args, out, errs))
}

func runLaunched(l *launched, args []string, out, errs io.Writer) error {
	o, err := parseRun(args)
	if err != nil {
		return err
	}
	o.launched = l
	if err := o.checkSlots(); err != nil {
		return err
	}
	s, err := readSeed(o)
	if err != nil {
		return usageError{err}
	}
	b, err := o.readBoard(s, errs)
	if err != nil {
		return usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	a, err := newAgent(o, s, b, out, errs)
	if err != nil {
		return err
	}
	defer a.endBoard()
	if err := a.confine(o); err != nil {
		return err
	}
	return o.left(a.run(ctx))
}

const (
	seedCopy  = "seed.json"
	newSuffix = ".new" // of the copy while it is written
)

// readSeed reads the seed: the file on a first boot, afterwards the copy that lies with the state. It changes nothing:
// the copy is made once everything else that can be wrong has been found right.
func readSeed(o runOptions) (*seed.Seed, error) {
	kept := filepath.Join(o.state, seedCopy)
	if _, err := os.Stat(kept); err == nil {
		s, err := seed.Read(kept)
		if err != nil {
			err = fmt.Errorf("--state %s: %w (the copy of the seed that lies there)", o.state, err)
		}
		return s, err
	}
	entries, err := os.ReadDir(o.state)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() == seedCopy+newSuffix || e.Name() == keys.Folder || e.Name() == raucFolder || e.Name() == boardCopy || e.Name() == boardCopy+newSuffix || e.Name() == seal.Folder
	}) // a first start that was cut short
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--state %s: %w: want a directory that can be read and written", o.state, err)
	case len(entries) > 0:
		return nil, fmt.Errorf("--state %s: has files but no %s: want an empty directory, or one that evsed made", o.state, seedCopy)
	case o.seed == "":
		return nil, fmt.Errorf("--seed: want a file in the format %s: the state directory is empty", seed.Format)
	}
	return firstSeed(o)
}

// keepSeed copies the seed into the state directory, whole or not at all, as hide makes it.
func keepSeed(o runOptions, hide func([]byte) []byte) error {
	kept := filepath.Join(o.state, seedCopy)
	if _, err := os.Stat(kept); err == nil {
		return nil // not the first boot
	}
	data, err := os.ReadFile(o.seed)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.state, 0o700); err != nil {
		return fmt.Errorf("--state %s: %w: want a directory that can be made", o.state, err)
	}
	if err := writeDurably(kept+newSuffix, hide(data)); err != nil {
		return fmt.Errorf("--state %s: %w: want a directory that can be written", o.state, err)
	}
	return os.Rename(kept+newSuffix, kept) // durable with the directory, which storage syncs before it keeps anything
}

func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// agent is a running evsed.
type agent struct {
	state    string // directory
	seed     *seed.Seed
	board    *boards.Board // nil: the simulated world
	fitted   *fit.Fitted   // of the board
	log      *slog.Logger
	events   *sim.Log
	station  *virtual.Station
	server   *sim.Server // nil: on a board
	errs     io.Writer
	out      io.Writer
	logOCPP  bool
	slots    installer // nil: neither started by evsed launch nor with RAUC
	endSlots func()    // ends what waits for RAUC; nil: nothing does
	trial    *trial    // nil: not on trial
	book     *logbook.Book
	keys     keys.Store
}

func newAgent(o runOptions, s *seed.Seed, b *boards.Board, out, errs io.Writer) (*agent, error) {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	clock := virtual.NewClock()
	book := logbook.New(clock.Now)
	a := &agent{state: o.state, seed: s, board: b, out: out, errs: errs, logOCPP: o.logOCPP, book: book,
		log: slog.New(book.Handler(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level})))}
	for _, w := range s.Warnings {
		a.log.Warn("seed", "left out", w)
	}
	a.events = sim.NewLog(clock.Wall)
	vo := a.stationOptions(o, clock)
	var err error
	if a.keys, err = openKeys(o); err != nil {
		return nil, err
	}
	vo.Keys = a.keys
	if err := a.openSlots(o.launched, &vo); err != nil {
		return nil, err
	}
	if err := a.openRAUC(o, &vo); err != nil {
		return nil, err
	}
	if b != nil {
		err = a.wire(o, &vo)
	} else {
		vo.Guard, err = guardMaker(o, a.log, errs)
	}
	if err != nil {
		return nil, err
	}
	a.station, err = virtual.New(vo)
	if err != nil {
		return nil, usagef("--state %s: %w", o.state, err)
	}
	if b == nil {
		if a.server, err = sim.Listen(a.simOptions(o)); err != nil {
			return nil, usagef("--%w", err)
		}
	}
	if err := keepSeed(o, a.hideSeed); err != nil {
		return nil, usageError{err} // the process ends, and with it the listener
	}
	if err := a.keepBoard(o); err != nil {
		return nil, usageError{err}
	}
	return a, nil
}

// stateError says which state directory, and makes a usage error of what the caller can mend.
func stateError(dir string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("--state %s: %w", dir, err)
	var schema *storage.SchemaError
	switch {
	case errors.As(err, &schema):
		return usageError{err}
	case errors.Is(err, storage.ErrInUse):
		return usagef("%w: want a directory of its own for each evsed", err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return usagef("%w: want a directory that can be read and written", err)
	}
	return err
}

func (a *agent) stationOptions(o runOptions, clock *virtual.Clock) virtual.Options {
	id := a.seed.Identity
	if id.FirmwareVersion == "" {
		id.FirmwareVersion = release
	}
	vo := virtual.Options{
		Station: station.Config{Identity: id, Name: a.seed.Name, EVSEs: a.seed.EVSEs, Slots: a.seed.Slots, Bays: a.board == nil, Lights: a.seed.Lights},
		Install: a.install, Dir: o.state, Clock: clock, Watch: a.events, Notice: a.notice, Log: a.log,
		Book: a.book, Version: build(), Built: sourceDate, Files: o.files.said,
		Observe: func(ev halsim.Event) { sim.Observe(a.events, access{a}, ev) },
	}
	if o.logOCPP {
		vo.Trace = func(_ time.Time, d link.Direction, frame []byte) { a.events.OCPP(d == link.Sent, frame) }
	}
	return vo
}

// install puts the seed into a station at its first boot.
func (a *agent) install(s *station.Station) ([]station.Record, error) {
	a.revealSeed()
	records, err := a.seed.Install(s)
	if err != nil {
		return nil, err
	}
	overrides := slices.Clone(a.seed.Overrides)
	for _, k := range a.seed.Keys {
		items := keys16{a.seed.EVSEs}.Set(k.Name, k.Value)
		if len(items) == 0 {
			a.log.Warn("seed", "left out", "ocpp16."+k.Name+": no key of this station")
		}
		overrides = append(overrides, items...)
	}
	for _, it := range overrides {
		c, err := s.Model().Override(it.Component, it.Variable, it.Attribute, it.Value)
		if err != nil {
			a.log.Warn("seed", "component", it.Component.Name, "variable", it.Variable.Name, "left out", err.Error())
			continue
		}
		records = append(records, station.Record{Bucket: station.BucketVariable, Key: c.Key, Value: []byte(c.Value)})
	}
	certificates, err := a.installSecurity(s)
	return append(records, certificates...), err
}

// notice tells on stderr, and in the event log, what happens to the station as a whole.
func (a *agent) notice(n virtual.Notice) {
	switch n.Kind {
	case "boot":
		a.events.Booted(n.Reason, n.Boots)
		a.log.Info("boot", "reason", string(n.Reason), "boots", n.Boots)
	case "keys", "storage": // the log has it already
	case "light":
		a.log.Debug("light", "connector", n.Text)
	default:
		a.log.Info(n.Kind, "text", n.Text)
	}
}

// run serves the interface and lives until ctx ends.
func (a *agent) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if a.endSlots != nil {
		context.AfterFunc(ctx, a.endSlots)
	}
	served := make(chan error, 1)
	go func() { served <- a.serve(ctx) }()
	modest, told := make(chan struct{}), make(chan struct{})
	go func() { defer close(modest); beModest(ctx.Done(), a.shortOfMemory) }()
	go func() { defer close(told); a.service(ctx) }()
	fmt.Fprintln(a.out, a.banner())
	tried := make(chan struct{})
	go func() { defer close(tried); a.trial.run(ctx) }()
	err := stateError(a.state, a.station.Run(ctx))
	err = errors.Join(err, a.keys.Close())
	cancel()
	<-modest
	<-told
	<-tried
	return errors.Join(err, <-served)
}
