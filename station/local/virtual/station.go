package virtual

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/logbook"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/keys"
	"github.com/evsed/evsed/storage/slot"
)

// Options is what a virtual station is made of.
type Options struct {
	Station  station.Config // topology and identity; the functions are filled in here
	Profiles map[int]station.NetworkProfile
	Priority []int                                            // slots in the order of trying
	Settings []Setting                                        // device-model values of the first boot
	Install  func(*station.Station) ([]station.Record, error) // what a first boot installs; nil: Profiles, Priority and Settings
	Dir      string                                           // everything persistent; created if need be
	Seed     uint64                                           // of the world's noise
	Clock    *Clock                                           // nil: real time
	Dial     link.DialFunc                                    // what lies below the simulated way to the CSMS; nil: TCP
	Fitting  Fitting                                          // nil: a simulated world in Dir
	Guard    GuardMaker                                       // nil: within the process. Any other knows the real time only
	Trace    func(at time.Time, d link.Direction, frame []byte)
	Observe  func(halsim.Event) // what happens in the world
	Watch    run.Watcher        // what goes into the core and out of it; nil: nobody
	Notice   func(Notice)       // what happens to the station; called from its goroutines, must be quick
	Storage  storage.Options
	Keys     keys.Store     // its owner closes it after Run; nil: no private key can be kept
	Firmware slot.Installer // nil: updates are simulated; on real wires there are none then
	Files    Transfers      // how logs and firmware travel; zero: anywhere but to the station itself, trusting whom the system trusts too
	Log      *slog.Logger
	Book     *logbook.Book      // what diagnostics tell of the log; nil: nothing
	Version  string             // of the program, as diagnostics tell it
	Built    time.Time          // when the program was written: no certificate is judged by an earlier time
	Boot     station.BootReason // of the first life; "" is PowerUp
	Leave    func() bool        // asked between two lives: whether another program is to run; nil: never
}

// Setting is one value of the device model.
type Setting struct {
	Component model.Component
	Variable  model.Variable
	Attribute model.Attribute
	Value     string
}

// Notice tells what happened to the station as a whole.
type Notice struct {
	Kind   string // boot, keys, light, reboot, seed, storage
	Text   string
	Reason station.BootReason // of boot
	Boots  int                // of boot
}

// Station is a virtual station. Its methods may be called from any goroutine.
type Station struct {
	o       Options
	clock   *Clock
	worldMu sync.Mutex    // of world, which a factory reset replaces
	world   *halsim.World // nil: the station is on real wires

	wire wire
	veil *keys.Veil // nil: secrets lie open

	mu      sync.Mutex // everything below
	life    *life      // nil while there is no power
	mains   mains
	boots   int
	since   time.Time // when the current life began, monotonic
	network bool
	changed chan struct{} // closed and renewed when power or life changes
	reset   bool          // factory reset at the next start
	kill    bool          // the running life ends as by a power cut
	next    station.BootReason
	upload  *uploadPlan // nil: uploads are real

	firmware firmware
}

const worldFile = "world.json"

// New loads the world and checks the options; the station starts with Run.
func New(o Options) (*Station, error) {
	if o.Clock == nil {
		o.Clock = NewClock()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: want a directory that can be made", err)
	}
	s := &Station{o: o, clock: o.Clock, mains: mains{on: true}, network: true, changed: make(chan struct{}), next: o.Boot, wire: wire{base: o.Dial}}
	if o.Keys != nil {
		s.veil = keys.NewVeil(o.Keys)
	}
	var err error
	if o.Fitting == nil {
		if err = s.readWorld(); err != nil {
			return nil, err
		}
	}
	if o.Firmware != nil {
		s.firmware = slotted{o.Firmware}
	} else if o.Fitting != nil {
		s.firmware = fixedFirmware{station.Image{Version: o.Station.Identity.FirmwareVersion, Slot: "a"}}
	} else if s.firmware, err = newSimulated(s); err != nil {
		return nil, err
	}
	return s, nil
}

// readWorld makes the simulated world as it was left.
func (s *Station) readWorld() error {
	saved, err := halsim.ReadFile(filepath.Join(s.o.Dir, worldFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: delete it to begin with an empty world", err)
	}
	s.world, err = halsim.New(s.worldConfig(), saved)
	return err
}

func (s *Station) worldConfig() halsim.Config {
	c := halsim.Config{Clock: s.clock.Now, Wall: s.clock.Wall, Station: s.o.Station.Name, Seed: s.o.Seed, Observe: s.o.Observe,
		Keep: func(w *halsim.Saved) error { return w.WriteFile(filepath.Join(s.o.Dir, worldFile)) }}
	for _, e := range s.o.Station.EVSEs {
		we := halsim.EVSE{ID: e.ID, Phases: uint8(max(e.Phases, 1)), MaxCurrent: e.MaxCurrent, Signs: e.Signs != station.SignsNothing}
		for _, k := range e.Connectors {
			we.Connectors = append(we.Connectors, halsim.Connector{ID: k.ID, Socket: !k.Tethered, Lock: !k.Tethered, Light: s.o.Station.Lights})
		}
		c.EVSEs = append(c.EVSEs, we)
	}
	return c
}

// World is where cars are plugged; nil: the station is on real wires.
func (s *Station) World() *halsim.World {
	s.worldMu.Lock()
	defer s.worldMu.Unlock()
	return s.world
}

// newWorld begins the world anew: nothing is plugged, and the meters stand at 0.
func (s *Station) newWorld() error {
	w, err := halsim.New(s.worldConfig(), nil)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.o.Dir, worldFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.worldMu.Lock()
	defer s.worldMu.Unlock()
	s.world = w
	return nil
}

// Clock is the station's clock.
func (s *Station) Clock() *Clock { return s.clock }

// Run lives through lives: it ends with ctx, with an error that no restart would cure, or with ErrLeave.
func (s *Station) Run(ctx context.Context) error {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unplan()
	}()
	for ctx.Err() == nil {
		if err := s.awaitPower(ctx); err != nil {
			return nil
		}
		if first := s.since.IsZero(); !first && s.o.Leave != nil && s.o.Leave() {
			return ErrLeave
		}
		l, err := s.begin()
		if err != nil {
			return err
		}
		l.run(ctx)
		s.end(l)
	}
	return nil
}

// awaitPower waits until the mains are on.
func (s *Station) awaitPower(ctx context.Context) error {
	for {
		s.mu.Lock()
		on, ch := s.mains.on, s.changed
		s.mu.Unlock()
		if on {
			return nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Station) begin() (*life, error) {
	s.mu.Lock()
	reset, boot := s.reset, s.next
	s.reset, s.kill, s.next = false, false, ""
	s.mu.Unlock()
	if reset && s.o.Fitting == nil {
		if err := s.newWorld(); err != nil {
			return nil, fmt.Errorf("factory reset: %w", err)
		}
	}
	if err := s.fitting().SetPower(true); err != nil {
		return nil, err
	}
	l, err := newLife(s, boot, reset)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.life, s.since = l, s.clock.Now()
	s.boots++
	l.link.SetNetwork(s.network)
	s.notify()
	if !s.mains.on || s.kill { // the plug was pulled while the station started
		l.cut()
	}
	s.mu.Unlock()
	return l, nil
}

// end closes a life: orderly, or as a power cut leaves it.
func (s *Station) end(l *life) {
	s.mu.Lock()
	kill := s.kill
	s.life = nil
	s.notify()
	s.mu.Unlock()
	l.close(kill)
	if kill {
		_ = s.fitting().SetPower(false) // contactors fall; a world that cannot be kept said so at the change before
	}
}

// notify wakes those who wait for a change; s.mu is held.
func (s *Station) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// ErrNoPower says that the station is off.
var ErrNoPower = errors.New("the station has no power")

func (s *Station) tell(kind, text string) {
	if s.o.Notice != nil {
		s.o.Notice(Notice{Kind: kind, Text: text})
	}
}

// found tells what was found damaged, and what became of it.
func (s *Station) found(text string) {
	s.o.Log.Warn("storage", "finding", text)
	s.tell("storage", text)
}
