package dryrun

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// began is when each scenario begins, of a clock that nothing else has.
var began = time.Unix(0, 0).UTC()

// How the station behind the guard behaves.
const (
	beat    = time.Second            // its heartbeat
	reading = 500 * time.Millisecond // a reading of the meter
)

// play is one scenario at one EVSE: a board, its guard, and a station that says what the scenario wants.
type play struct {
	*bench.Bench
	board *boards.Board // the hardware
	soft  *boards.Board // what the drivers believe
	e     *boards.EVSE
	ref   term.Ref
	now   time.Time
	guard *guard.Guard
	pipe  *guard.Pipe
	world []halsim.Event
	seen  map[term.PilotState]bool

	silent  bool // the station says nothing
	meters  bool // and its meters are read
	stopped bool // the guard stands still
	spoke   time.Time
	read    time.Time
	notices []iec61851.Notice

	took  time.Duration
	limit time.Duration
	note  string
}

func newPlay(hardware, software *boards.Board, id term.EVSEID) (*play, error) {
	p := &play{board: hardware, soft: software, e: hardware.EVSE(id), ref: term.Ref{EVSE: id, Connector: 1}, now: began, meters: true, seen: map[term.PilotState]bool{}}
	var err error
	p.Bench, err = bench.New(hardware, bench.Options{Clock: func() time.Time { return p.now }, Seed: uint64(id),
		Observe: func(ev halsim.Event) { p.world = append(p.world, ev) }})
	if err != nil {
		return nil, err
	}
	return p, p.boot()
}

// boot starts a guard on the board, as it starts from its line table.
func (p *play) boot() error {
	cfg, err := guardOf(p.soft, p.Kernel())
	if err != nil {
		return err
	}
	var refs []term.Ref
	for i := range cfg.Connectors {
		refs = append(refs, cfg.Connectors[i].Ref)
	}
	cfg.Clock = func() time.Time { return p.now }
	p.pipe = guard.NewPipe(refs)
	p.guard, err = guard.New(cfg, p.pipe)
	return err
}

// guardOf compiles a board's line table, reads it back, and opens its devices.
func guardOf(b *boards.Board, k parts.Kernel) (guard.Config, error) {
	t, err := b.Table(0, 0)
	if err != nil {
		return guard.Config{}, fmt.Errorf("line table: %w", err)
	}
	compiled, err := t.Append(nil)
	if err != nil {
		return guard.Config{}, err
	}
	if t, err = guard.ParseTable(compiled); err != nil {
		return guard.Config{}, err
	}
	return t.Config(func(d guard.Device, ps guard.Parts) (any, error) {
		if d.Kind != guard.DeviceParts {
			return nil, fmt.Errorf("device of kind %d: want one that is made of parts", d.Kind)
		}
		return parts.Open(k, ps)
	})
}

// run lets time pass.
func (p *play) run(d time.Duration) {
	for end := p.now.Add(d); p.now.Before(end); {
		p.turn(end)
	}
}

// turn is one cycle of the guard, and the time until the next.
func (p *play) turn(end time.Time) {
	p.speak()
	next := end
	if !p.stopped {
		if t := p.now.Add(p.guard.Cycle(p.now)); t.Before(next) {
			next = t
		}
	} else if t := p.now.Add(reading); t.Before(next) {
		next = t
	}
	p.notices = p.pipe.Take(p.notices[:0])
	for i := range p.notices {
		if n := &p.notices[i]; n.Ref == p.ref && n.Kind == iec61851.PilotChanged {
			p.seen[n.Pilot] = true
		}
	}
	p.now = next
}

// speak is what the station says by itself.
func (p *play) speak() {
	if p.silent {
		return
	}
	if p.spoke.IsZero() || p.now.Sub(p.spoke) >= beat {
		p.spoke = p.now
		p.pipe.Heartbeat()
	}
	if !p.meters || !p.read.IsZero() && p.now.Sub(p.read) < reading {
		return
	}
	p.read = p.now
	for i := range p.soft.EVSEs {
		if e := &p.soft.EVSEs[i]; e.Meter != nil {
			if r, err := p.Read(e.ID); err == nil {
				p.pipe.Meter(e.ID, guard.Summarise(p.now, r))
			}
		}
	}
}

// status is what the guard says of the connector.
func (p *play) status() iec61851.Status {
	s, _ := p.pipe.Status(p.ref)
	return s
}

// connector is the connector as the world has it.
func (p *play) connector() halsim.ConnectorState { return p.evse().Connectors[0] }

func (p *play) evse() halsim.EVSEState {
	for _, e := range p.State().EVSEs {
		if e.ID == p.ref.EVSE {
			return e
		}
	}
	return halsim.EVSEState{Connectors: make([]halsim.ConnectorState, 1)}
}

// move is one thing that happens in a scenario.
type move func(*play) error

// do makes moves until one fails.
func (p *play) do(moves ...move) error {
	for _, m := range moves {
		if err := m(p); err != nil {
			return err
		}
	}
	return nil
}

// errLate is a wait that came to nothing.
var errLate = errors.New("did not happen")

// await waits until something holds.
func await(what string, limit time.Duration, holds func(*play) bool) move {
	return func(p *play) error {
		end := p.now.Add(limit)
		for !holds(p) {
			if !p.now.Before(end) {
				return fmt.Errorf("%s: %w within %v (%s)", what, errLate, limit, p.picture())
			}
			p.turn(end)
		}
		return nil
	}
}

// timed makes a move, waits until something holds, and measures how long that took: to the world's own event where there is
// one of this kind, else to the cycle that saw it.
func timed(what string, limit time.Duration, cause move, holds func(*play) bool, event func(halsim.Event) bool) move {
	return func(p *play) error {
		from, first := p.now, len(p.world)
		if err := cause(p); err != nil {
			return err
		}
		err := await(what, max(2*limit, limit+time.Second), holds)(p)
		if err != nil {
			return err
		}
		p.took, p.limit = p.now.Sub(from), limit
		for _, ev := range p.world[first:] {
			if event != nil && event(ev) {
				p.took = ev.At.Sub(from)
				break
			}
		}
		if p.took > limit {
			return fmt.Errorf("%s: after %v, limit %v", what, p.took, limit)
		}
		return nil
	}
}

// stays lets time pass in which something has to hold all along.
func stays(what string, d time.Duration, holds func(*play) bool) move {
	return func(p *play) error {
		for end := p.now.Add(d); p.now.Before(end); p.turn(end) {
			if !holds(p) {
				return fmt.Errorf("%s: not for %v (%s)", what, d, p.picture())
			}
		}
		return nil
	}
}

// picture says how things stand, for who reads of a failure.
func (p *play) picture() string {
	s, c := p.status(), p.connector()
	text := fmt.Sprintf("guard sees %v, duty %v, offers %v, closed %v", s.Pilot, s.Duty, s.Offered, s.Closed)
	if s.Faults != 0 {
		text += ", " + s.Faults.String()
	}
	text += fmt.Sprintf("; the board has %v, duty %v, contact %v", c.Pilot, c.Duty, c.Relay)
	if c.HasLock {
		text += fmt.Sprintf(", locked %v", c.Locked)
	}
	return text
}

// wait lets time pass.
func wait(d time.Duration) move {
	return func(p *play) error { p.run(d); return nil }
}

// permit is what the station allows from now on.
func permit(max unit.Current) move {
	return func(p *play) error {
		p.pipe.Permit(term.Permit{Ref: p.ref, Close: max > 0, Lock: max > 0, Max: max})
		return nil
	}
}
