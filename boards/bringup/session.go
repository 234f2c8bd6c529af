package bringup

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
)

// Options are what a bring-up is made with.
type Options struct {
	Board   *boards.Board
	Paths   []string // of its files
	Dir     string   // where the report is kept
	Rig     Rig
	Person  Person
	Program string // version
	Virtual bool   // the rig is a bench: a rehearsal, which measures nothing of the board
	Serial  string // of the board, "" where nobody knows
}

// session is a bring-up at work.
type session struct {
	Options
	ctx    context.Context
	report *Report
	guards guard.Config // the board's devices; no connectors before they are opened
	inputs map[string]gpio.Input
	tested time.Time // a contactor was moved last
	now    *Step     // being made
}

// ErrNames is a bring-up that has ended at its first step.
var ErrNames = errors.New("the other steps need every wire: mend what is named and go on with evsed board bringup resume, or correct the board file and begin anew in another directory")

// ErrRehearsal is a rehearsal that is to be gone on with at a board, or a bring-up of a board on a bench.
var ErrRehearsal = errors.New("what a rehearsal (--virtual) and a board have shown is not mixed: take another directory")

// ErrOther is a report of other files than those that are given.
var ErrOther = errors.New("the bring-up here is of other board files")

// Start begins a bring-up where none is.
func Start(ctx context.Context, o Options) (*Report, error) {
	if _, err := Read(o.Dir); err == nil {
		return nil, fmt.Errorf("%s has a bring-up already: evsed board bringup resume goes on with it; another directory begins anew", o.Dir)
	} else if !errors.Is(err, ErrNone) {
		return nil, err
	}
	files, err := Sources(o.Paths)
	if err != nil {
		return nil, err
	}
	r := &Report{Format: Format, Board: o.Board.Identity.Vendor + " " + o.Board.Identity.Model, Serial: o.Serial, Program: o.Program, Virtual: o.Virtual, Files: files, Started: o.Rig.Wall().UTC()}
	if err := r.Write(o.Dir); err != nil {
		return nil, err
	}
	return r, run(ctx, o, r)
}

// Resume goes on with a bring-up: steps that have not passed are made again.
func Resume(ctx context.Context, o Options) (*Report, error) {
	r, err := Read(o.Dir)
	if err != nil {
		return nil, err
	}
	files, err := Sources(o.Paths)
	if err != nil {
		return nil, err
	}
	if !Same(r.Files, files) {
		return nil, fmt.Errorf("%w: those have changed, or are others: a bring-up in another directory begins anew", ErrOther)
	}
	if r.Virtual != o.Virtual {
		return nil, ErrRehearsal
	}
	return r, run(ctx, o, r)
}

// Same reports whether two lists name the same contents, in the same order.
func Same(a, b []Source) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].SHA256 != b[i].SHA256 {
			return false
		}
	}
	return true
}

// run makes every step that has not passed yet, in their order, and keeps each as soon as it is made.
func run(ctx context.Context, o Options, r *Report) error {
	s := &session{Options: o, ctx: ctx, report: r, inputs: map[string]gpio.Input{}}
	defer s.rest()
	r.Ended = nil
	for _, st := range steps {
		if !st.each {
			if err := s.make(st, nil); err != nil {
				return err
			}
			if st.id == stepNames && r.step(stepNames, 0).Result != Passed {
				return ErrNames
			}
			continue
		}
		for i := range o.Board.EVSEs {
			if e := &o.Board.EVSEs[i]; !e.Off && !e.DC { // BRD-401: nothing charges at a DC one
				if err := s.make(st, e); err != nil {
					return err
				}
			}
		}
	}
	ended := o.Rig.Wall().UTC()
	r.Ended = &ended
	return r.Write(o.Dir)
}

// rest leaves everything open and without an offer.
func (s *session) rest() {
	for i := range s.guards.Connectors {
		d := &s.guards.Connectors[i].Devices
		_ = d.Contactor.Set(false, 0)
		_ = d.Pilot.SetDuty(unit.DutyHigh)
	}
}

// errSkip is a person's "not now".
var errSkip = errors.New("skipped")

// make makes a step unless it has passed. An error ends the bring-up, to be resumed.
func (s *session) make(st step, e *boards.EVSE) error {
	rec := Step{ID: st.id, Title: st.title, At: s.Rig.Wall().UTC()}
	if e != nil {
		rec.EVSE = e.ID
	}
	if old := s.report.step(rec.ID, rec.EVSE); old != nil && (old.Result == Passed || old.Result == Left) && st.id != stepNames {
		return nil
	}
	if st.needs != nil && !st.needs(s.Board, e) {
		rec.Result = Left
	} else {
		s.Person.Say("")
		s.Person.Say(heading(rec))
		s.now = &rec
		err := st.do(s, e)
		s.rest()
		switch {
		case s.ctx.Err() != nil:
			return s.ctx.Err()
		case errors.Is(err, ErrPower):
			return errors.Join(s.report.Write(s.Dir), ErrPower)
		case errors.Is(err, errSkip):
			rec.Result = Skipped
		case err != nil:
			rec.Result, rec.Why = Failed, err.Error()
		default:
			rec.Result = Passed
		}
		for _, v := range rec.Values {
			if !v.OK() && rec.Result == Passed {
				rec.Result, rec.Why = Failed, v.String()
			}
			s.Person.Say("  " + v.String())
		}
		s.Person.Say("  " + strings.ToUpper(string(rec.Result)) + why(rec.Why))
	}
	s.report.put(rec)
	return s.report.Write(s.Dir)
}

func heading(r Step) string {
	if r.EVSE != 0 {
		return fmt.Sprintf("evse %d  %s", r.EVSE, r.Title)
	}
	return r.Title
}

func why(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// measured keeps a value.
func (s *session) measured(name string, value int64, unit string, bounds ...int64) {
	s.now.Values = append(s.now.Values, newValue(name, value, unit, bounds))
}

// newValue has no bounds, a greatest value, or a least and a greatest one.
func newValue(name string, value int64, unit string, bounds []int64) Value {
	v := Value{Name: name, Value: value, Unit: unit}
	switch len(bounds) {
	case 1:
		v.Most = &bounds[0]
	case 2:
		v.Least, v.Most = &bounds[0], &bounds[1]
	}
	return v
}

// keepEvery is how often a safety controller has to hear that somebody is there.
const keepEvery = 20 * time.Millisecond

// wait lets time pass.
func (s *session) wait(d time.Duration) error {
	for {
		s.keep()
		part := min(d, keepEvery)
		if err := s.Rig.Wait(s.ctx, part); err != nil || part == d {
			return err
		}
		d -= part
	}
}

// keep talks to the safety controllers of the board: what is silent for long is left alone by them.
func (s *session) keep() {
	for i := range s.guards.Connectors {
		if c := &s.guards.Connectors[i]; s.Board.EVSE(c.Ref.EVSE).MCU != "" {
			_, _ = c.Contactor.Closed() // whoever asks for it sees what is wrong
		}
	}
}

// settle gives controllers the time to come back after a silence.
func (s *session) settle() error {
	for i := range s.Board.EVSEs {
		if s.Board.EVSEs[i].MCU != "" {
			return s.wait(500 * time.Millisecond)
		}
	}
	return nil
}

// ask waits for an answer of the person.
func (s *session) ask(key, text, given string) (string, error) {
	a, err := s.Person.Ask(s.ctx, Question{Key: key, Text: text, Given: given, Idle: s.keep})
	return a, errors.Join(err, s.settle())
}

// poll is how often something is looked at that is waited for.
const poll = time.Millisecond

// until waits until something holds; false: it did not, in time.
func (s *session) until(limit time.Duration, holds func() bool) (took time.Duration, ok bool, err error) {
	from := s.Rig.Now()
	for {
		took = s.Rig.Now().Sub(from)
		if holds() {
			return took, true, nil
		}
		if took >= limit {
			return took, false, nil
		}
		if err := s.wait(poll); err != nil {
			return took, false, err
		}
	}
}

// done asks the person to prepare something. An answer of s skips the step.
func (s *session) done(key, text string) error {
	a, err := s.ask(key, text, "done")
	if err == nil && strings.HasPrefix(strings.ToLower(a), "s") {
		err = errSkip
	}
	return err
}

// scope asks for a number that an instrument shows, in thousandths of its unit where the name of unit begins with m.
func (s *session) scope(key, text, name, unit string, bounds ...int64) error {
	a, err := s.ask(key, text+" in "+unit, "skip")
	if err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToLower(a), "s") {
		return errSkip
	}
	n, err := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
	if err != nil {
		return fmt.Errorf("%q: want a whole number of %s", a, unit)
	}
	v := newValue(name, n, unit, bounds)
	v.Scope = true
	s.now.Values = append(s.now.Values, v)
	return nil
}

// open opens every wire of the line table.
func (s *session) open() error {
	if len(s.guards.Connectors) > 0 {
		return nil
	}
	t, err := s.Board.Table(0, 0)
	if err != nil {
		return err
	}
	cfg, err := t.Config(opener(s.Rig.Kernel()))
	if err != nil {
		return err
	}
	s.guards = cfg
	s.guards.Clock = s.Rig.Now
	return s.settle()
}

// opener makes the devices of a table of parts.
func opener(k parts.Kernel) guard.Open {
	return func(d guard.Device, ps guard.Parts) (any, error) {
		if d.Kind != guard.DeviceParts {
			return nil, fmt.Errorf("device of kind %d: want one that is made of parts", d.Kind)
		}
		return parts.Open(k, ps)
	}
}

// devices are those of an EVSE.
func (s *session) devices(e *boards.EVSE) *guard.Connector {
	for i := range s.guards.Connectors {
		if c := &s.guards.Connectors[i]; c.Ref.EVSE == e.ID {
			return c
		}
	}
	panic("bringup: an EVSE of the board is not in its line table")
}

// patience is how long something may take that a person does.
const patience = time.Minute
