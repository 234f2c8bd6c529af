package main

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// bootAgain is how long who starts the process waits after it has failed.
const bootAgain = 10 * time.Second

// boot starts the process: the guard first, then what is stored, then the core.
func (s *sim) boot() {
	if s.alive || !s.powered {
		return
	}
	s.lives++
	s.count.boots++
	s.life = life{permits: map[term.Ref]term.Permit{}, rate: make([]time.Duration, len(s.plan.evses)), turn: make([]time.Time, len(s.plan.evses)), begun: s.now}
	s.trace.say(s.since(), "boot %d", s.lives)
	s.newGuard()
	if err := s.bootStore(); err != nil {
		s.trace.say(s.since(), "boot failed: %v", err)
		if s.store != nil {
			s.store.Abandon()
			s.store = nil
		}
		if s.files.Off() {
			s.cutPower()
			return
		}
		s.check.bootFailed(err)
		s.later(bootAgain, s.boot)
		return
	}
	s.alive = true
	s.csms.wakeWire()
	s.planCut()
	s.runner.Start(s.now, s.clockAtBoot())
	s.watch()
	s.stationFaults()
}

// clockAtBoot is what the station believes of the time: what a clock chip kept, or the beginning of time.
func (s *sim) clockAtBoot() time.Time {
	if s.plan.kinds&kindClock != 0 && !s.calm && s.chance(3) {
		return pick(s, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), s.wall().Add(s.between(-time.Hour, time.Hour)))
	}
	return s.wall()
}

// stationFaults tells the core what its sensors see all along.
func (s *sim) stationFaults() {
	faults, info := s.world.StationFaults()
	for _, f := range faults.List() {
		s.post(station.FaultChanged{Fault: f, Active: true, Info: info(f)})
	}
}

func (s *sim) newGuard() {
	// Deadlines of the machines come in between; and after every change the world is watched closely.
	cfg := guard.Config{PollIdle: time.Hour, PollPlugged: s.plan.cruise, Clock: func() time.Time { return s.now }}
	if s.plan.cruise <= 15*time.Second {
		cfg.Watchdog, cfg.PollIdle = s.world.Watchdog(), s.plan.cruise
	}
	meter := iec61851.MeterNone // readings may be left out for longer than its patience
	if s.plan.cruise < iec61851.ReadingLimit {
		meter = iec61851.MeterReport
	}
	var refs []term.Ref
	for _, e := range s.plan.evses {
		for _, k := range e.Connectors {
			ref := term.Ref{EVSE: e.ID, Connector: k.ID}
			dev, err := s.world.Devices(ref)
			if err != nil {
				panic(err)
			}
			dev.Pilot, dev.Diagnosis = spy{dev.Pilot, s.check, ref}, lines{dev.Diagnosis, s.check}
			if s.liars.device != nil {
				s.liars.device(ref, &dev)
			}
			refs = append(refs, ref)
			cfg.Connectors = append(cfg.Connectors, guard.Connector{Devices: dev, Config: iec61851.Config{Ref: ref, MaxCurrent: e.MaxCurrent,
				Phases: uint8(e.Phases), Tethered: k.Tethered, HasLock: !k.Tethered, HasFeedback: true, Ventilation: true, Meter: meter,
				MaxTemperature: maxTemperature, MaxCableTemperature: maxTemperature}})
		}
	}
	s.pipe = guard.NewPipe(refs)
	g, err := guard.New(cfg, s.pipe)
	if err != nil {
		panic(err)
	}
	s.guard, s.guardAt = g, s.now
}

// maxTemperature is where socket and cable are called too hot, in 0.001 degrees Celsius.
const maxTemperature = 90_000

// spy sees what the guard offers.
type spy struct {
	hal.ControlPilot
	check *checker
	ref   term.Ref
}

func (p spy) SetDuty(d unit.Duty) error {
	err := p.ControlPilot.SetDuty(d)
	p.check.offered(p.ref, d)
	return err
}

// lines are the diagnosis lines of a board; while nothing at all is wrong they are not looked at one by one.
type lines struct {
	hal.Diagnosis
	check *checker
}

func (l lines) Active(f term.Fault) (bool, error) {
	if l.check.faults == 0 {
		return false, nil
	}
	return l.Diagnosis.Active(f)
}

func (s *sim) bootStore() error {
	opts := s.plan.store
	opts.Files = s.files
	opts.Now = func() time.Time { return s.now }
	store, rep, err := storage.Open(s.dir, opts)
	if err != nil {
		return err
	}
	s.store = store
	s.check.opened(rep)
	for _, f := range rep.Findings {
		s.inbox = append(s.inbox, station.StorageFound{Code: f.Code, Text: f.String()})
	}
	return s.newCore()
}

func (s *sim) newCore() error {
	cfg := station.Config{Name: name, Identity: station.Identity{Vendor: "Years", Model: "Y1"}, EVSEs: s.plan.evses, NewID: s.newID,
		Queued: func(tx term.TransactionID) bool {
			if tx == "" {
				return s.store.OutboxLen() > 0
			}
			return s.store.Queued(string(tx))
		}}
	if last := s.store.OutboxLast(); last != "" {
		id, err := station.ParseReportID(last)
		if err != nil {
			return err
		}
		cfg.LastReport = id
	}
	core, err := station.New(cfg)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	place := func(r station.Record) string { return fmt.Sprint(r.Bucket, "/", r.Key) }
	if err := s.store.Load(func(r station.Record) error { kept[place(r)] = true; return core.Restore(r) }); err != nil {
		return err
	}
	s.core = core
	if err := s.install(cfg, func(r station.Record) bool { return kept[place(r)] }); err != nil {
		return err
	}
	s.engine = link.NewEngine(link.EngineOptions{Config: s.linkConfig(), Outbox: outbox{s}, Decode: station.DecodeReport, IDPrefix: fmt.Sprintf("b%d-", s.lives)})
	s.runner = run.New(core, run.Ports{Guard: guardPort{s}, Journal: s, Link: linkPort{s}, Board: s, Host: s})
	return nil
}

// newID returns an id that no boot has ever given.
func (s *sim) newID() string {
	s.ids++
	return fmt.Sprintf("tx-%06d", s.ids)
}

// name is the station's identity.
const name = "cp-years"

// install sets what a fitter prepared, as far as nothing of it is stored.
func (s *sim) install(cfg station.Config, kept func(station.Record) bool) error {
	cfg.Queued = nil
	fresh, err := station.New(cfg)
	if err != nil {
		return err
	}
	r, err := fresh.SeedProfile(1, station.NetworkProfile{URL: "ws://csms.example", MessageTimeout: messageTimeout, SecurityProfile: 1})
	if err != nil {
		return err
	}
	records := []station.Record{r}
	for _, st := range append([]setting{{"SecurityCtrlr", "BasicAuthPassword", s.plan.password}}, s.plan.settings...) {
		c, err := fresh.Model().Override(model.Component{Name: st.component}, model.Variable{Name: st.variable}, model.Actual, st.value)
		if err != nil {
			return fmt.Errorf("install %s: %w", st.variable, err)
		}
		records = append(records, station.Record{Bucket: station.BucketVariable, Key: c.Key, Value: []byte(c.Value)})
	}
	var missing []station.Record
	for _, r := range records {
		if kept(r) {
			continue
		}
		missing = append(missing, r)
		if err := s.core.Restore(r); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.store.Commit(missing)
}

// linkConfig is what the engine is told by the device model.
func (s *sim) linkConfig() link.EngineConfig {
	m := s.core.Model()
	return link.EngineConfig{MessageTimeout: messageTimeout, MessageAttempts: m.Int(model.MessageAttemptsTransactionEvent),
		AttemptInterval: m.Duration(model.MessageAttemptIntervalTransactionEvent)}
}

// messageTimeout is how long the station waits for an answer.
const messageTimeout = 20 * time.Second

// gone ends the process without a word.
func (s *sim) gone() {
	s.alive, s.dead = false, false
	if s.store != nil {
		s.store.Abandon()
		s.store = nil
	}
	s.inbox = s.inbox[:0]
	s.wire.lost()
	s.check.gone()
}

// cutPower is the end of the mains, at this very instant.
func (s *sim) cutPower() {
	if !s.powered {
		return
	}
	s.count.powerCuts++
	s.trace.say(s.since(), "power cut")
	s.files.PowerOff()
	s.gone()
	s.powered = false
	s.worldAt = time.Time{}
	if err := s.world.SetPower(false); err != nil {
		s.broken("I0", "power off: %v", err)
	}
	keep := s.rng.IntN(101)
	s.files = s.files.Reboot(func() bool { return s.rng.IntN(100) < keep })
	s.files.Always(s.flashErr)
	away := pick(s, s.between(time.Second, 10*time.Second), s.between(time.Second, 5*time.Minute), s.between(time.Minute, 5*time.Hour))
	s.later(away, s.powerOn)
}

func (s *sim) powerOn() {
	if s.powered {
		return
	}
	s.trace.say(s.since(), "power on")
	s.powered = true
	s.worldAt = time.Time{}
	if err := s.world.SetPower(true); err != nil {
		s.broken("I0", "power on: %v", err)
	}
	s.later(s.between(time.Second, 8*time.Second), s.boot)
}

// kill ends the process as a signal does; its guard opens everything, and somebody starts it again.
func (s *sim) kill(pause time.Duration) {
	if !s.alive {
		return
	}
	s.count.kills++
	s.trace.say(s.since(), "killed")
	s.gone()
	s.stopGuard()
	s.later(pause, s.boot)
}

func (s *sim) stopGuard() {
	s.check.causeAt(0)
	s.worldAt = time.Time{}
	if err := s.guard.Stop(); err != nil {
		s.broken("I2", "the guard's last act: %v", err)
	}
}

// reboot ends the process in good order.
func (s *sim) reboot() {
	s.trace.say(s.since(), "reboot")
	err := s.store.Close()
	if s.files.Off() {
		s.cutPower()
		return
	}
	if err != nil {
		s.trace.say(s.since(), "close: %v", err)
	} else {
		s.check.durable(s.appended)
	}
	s.store = nil
	s.gone()
	s.stopGuard()
	s.later(s.between(time.Second, 5*time.Second), s.boot)
}

// restartGuard lets the guard die and another one take its place: it opens everything and is told the permits again.
func (s *sim) restartGuard() {
	if !s.alive {
		return
	}
	s.count.guardRestarts++
	s.trace.say(s.since(), "guard restarts")
	s.csms.reservations.spoil(0) // an internal fault that passes
	s.stopGuard()
	old := s.pipe
	s.newGuard()
	for _, c := range s.connectors() {
		was, known := old.Status(c)
		lost := was
		lost.Ref, lost.At, lost.Closed, lost.Offered, lost.Duty, lost.Closings = c, s.now, false, 0, unit.DutyHigh, 0
		if was.Closed {
			lost.Opened = iec61851.OpenedByFault
		}
		lost.Faults, lost.Seen = lost.Faults.With(term.FaultInternal), 0
		if known {
			was.Closings = 0
			for _, n := range iec61851.AppendNotices(nil, &was, &lost) {
				s.inbox = append(s.inbox, run.EventOf(n))
			}
		}
		s.pipe.Send(&lost)
	}
	s.pipe.Take(nil) // what was lost has been told
	for _, c := range s.connectors() {
		if p, ok := s.permits[c]; ok {
			s.pipe.Permit(p)
		}
	}
	s.watch()
}

// connectors lists all connectors.
func (s *sim) connectors() []term.Ref {
	var refs []term.Ref
	for _, e := range s.plan.evses {
		for _, k := range e.Connectors {
			refs = append(refs, term.Ref{EVSE: e.ID, Connector: k.ID})
		}
	}
	return refs
}
