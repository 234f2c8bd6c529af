package fit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/fan"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Options say how a board is fitted.
type Options struct {
	Now   func() time.Time // the station's monotonic time
	Log   *slog.Logger     // nil: nobody hears
	Guard parts.Kernel     // of a guard within this process; nil: it is a process of its own
}

// Fitted are the devices of a board. Its methods may be called from any goroutine.
type Fitted struct {
	board  *boards.Board
	table  *guard.Table
	kernel Kernel
	o      Options
	news   *news

	buses   map[string]*bus
	chipsMu sync.Mutex // of chips
	chips   map[string]*adapter
	meters  map[term.EVSEID]*meterAt
	lights  map[term.Ref]hal.Indicator
	readers []*readerAt
	fans    []*fan.Fan

	statusMu sync.Mutex // of status
	status   func(term.Ref) (iec61851.Status, bool)

	once    sync.Once // of guarded
	guarded guard.Config
	failed  error

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup // of what runs from Open to Close
	ends []func()       // in this order, once all of them have ended
}

// Open opens the devices of a board. What is not there, or not yet, is asked for again and no error: an error is a board that
// this program can do nothing with.
func Open(b *boards.Board, k Kernel, o Options) (*Fitted, error) {
	t, err := b.Table(0, 0)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fitted{board: b, table: t, kernel: k, o: o, news: newNews(), buses: map[string]*bus{}, chips: map[string]*adapter{},
		meters: map[term.EVSEID]*meterAt{}, lights: map[term.Ref]hal.Indicator{}}
	f.ctx, f.stop = context.WithCancel(context.Background())
	for _, fit := range []func() error{f.fitMeters, f.fitReaders, f.fitLights, f.fitHeat, f.fitInputs} {
		if err := fit(); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// Close gives the devices back.
func (f *Fitted) Close() {
	f.stop()
	f.wg.Wait()
	for _, end := range f.ends {
		end()
	}
	f.endChips()
	f.ends = nil
	f.kernel.Close()
}

// served are the EVSEs that this program charges at. Table has checked them.
func (f *Fitted) served() []*boards.EVSE {
	all, _ := f.board.Served()
	return all
}

// Connectors are what the guard has to know of the connectors.
func (f *Fitted) Connectors() (all []iec61851.Config) {
	for i := range f.table.Connectors {
		all = append(all, f.table.Connectors[i].Config)
	}
	return all
}

var errOwnProcess = errors.New("the guard of a board is a process of its own")

// guardDevices opens what a guard within this process drives, once: a reboot of the station finds its lines as they are.
func (f *Fitted) guardDevices() (guard.Config, error) {
	f.once.Do(func() {
		if f.o.Guard == nil {
			f.failed = errOwnProcess
			return
		}
		f.guarded, f.failed = f.table.Config(func(_ guard.Device, ps guard.Parts) (any, error) { return parts.Open(f.o.Guard, ps) })
	})
	return f.guarded, f.failed
}

// Devices are those of a connector, for a guard within this process.
func (f *Fitted) Devices(ref term.Ref) (hal.Devices, error) {
	cfg, err := f.guardDevices()
	if err != nil {
		return hal.Devices{}, err
	}
	for i := range cfg.Connectors {
		if c := &cfg.Connectors[i]; c.Ref == ref {
			return c.Devices, nil
		}
	}
	return hal.Devices{}, fmt.Errorf("connector %v: the board has none", ref)
}

// Watchdog is that of the board, for a guard within this process.
func (f *Fitted) Watchdog() hal.Watchdog {
	cfg, err := f.guardDevices()
	if err != nil {
		return nil
	}
	return cfg.Watchdog
}

// Meter is that of an EVSE, a hal.SigningMeter where the board says that it signs; nil: it has none.
func (f *Fitted) Meter(id term.EVSEID) (hal.Meter, error) {
	m := f.meters[id]
	switch d := f.board.EVSE(id); {
	case m == nil:
		return nil, nil
	case d.Meter.Legal:
		return &signingAt{m, d.Meter}, nil
	}
	return m, nil
}

// Indicator is the light of a connector; nil: it has none.
func (f *Fitted) Indicator(ref term.Ref) (hal.Indicator, error) { return f.lights[ref], nil }

// SetPower does nothing: the mains of a board are not the program's to switch.
func (f *Fitted) SetPower(bool) error { return nil }

// Run brings faults, limits and tokens until ctx ends, after what is so already.
func (f *Fitted) Run(ctx context.Context, post func(station.Event)) {
	var wg sync.WaitGroup
	for _, r := range f.readers {
		wg.Go(func() { r.run(ctx, post) })
	}
	f.news.run(ctx, post)
	wg.Wait()
}

// every calls do now and then every d until the devices are closed.
func (f *Fitted) every(d time.Duration, do func()) {
	f.wg.Go(func() {
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			do()
			select {
			case <-t.C:
			case <-f.ctx.Done():
				return
			}
		}
	})
}
