package stationtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Birth is the wall time at which the world of every Bench begins.
var Birth = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// epoch is the instant from which the station's monotonic clock counts on each boot.
var epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// Options say what station stands in the world. The zero value is two EVSEs: EVSE 1 has a socket (1.1) and a captive
// cable (1.2), EVSE 2 a captive cable.
type Options struct {
	EVSEs []station.EVSE
	Bays  bool

	Lights   bool // that blink and can be dimmed
	Firmware bool // the manufacturer's root is installed
	Views    bool // print what only a generation with more words would tell of a status

	Heed func(station.Report) // sees each report as the station makes it; nil: nobody does
}

// Bench is a station in its world. One owner, no goroutines.
type Bench struct {
	Station *station.Station // nil while the power is off

	cfg       Options
	t         time.Duration // since Birth
	booted    time.Duration // when the station started, since Birth
	rtc       time.Duration // error of the real-time clock at the next start
	offset    time.Duration // of the world's time of day to Birth+t, as the CSMS tells it
	deadline  time.Time
	gen       int // number of boots: timers of an earlier one are void
	timers    []timer
	timerSeq  int
	ids       int
	reason    station.BootReason
	store     store
	link      link
	csms      csms
	wires     []*wire
	meters    []*meter
	faults    map[term.Ref]uint32 // that stop energy
	check     check
	requests  uint64
	silent    bool // nothing is printed
	out       strings.Builder
	shown     time.Duration // time of the newest printed line
	cut       cutting       // a power cut inside the next step
	steps     int           // steps carried out, Start included
	cutAt     int           // the power is cut in the step of this number
	cutHow    cutting
	stages    map[station.StageID]stage
	stageNext station.StageID
	rebooting bool
	fw        firmware
	pki       pki
	upload    uint64 // number of the one that runs; 0: none
	stuck     bool   // reboots do not happen
}

type timer struct {
	at  time.Duration
	seq int
	gen int // 0: belongs to the world, outlives the station
	fn  func()
}

// cutting says where in the next step the power fails.
type cutting uint8

const (
	cutNot    cutting = iota
	cutBefore         // before its records are written
	cutAfter          // behind its records, before anything that waits for them
)

// DefaultEVSEs is the topology of the zero Options.
func DefaultEVSEs() []station.EVSE {
	return []station.EVSE{
		{ID: 1, Name: "DE*EVS*E1", Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{
			{ID: 1, Type: "sType2"}, {ID: 2, Type: "cType2", Tethered: true}}},
		{ID: 2, Name: "DE*EVS*E2", Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: []station.Connector{
			{ID: 1, Type: "cType1", Tethered: true}}},
	}
}

// New makes a world whose station has no power yet.
func New(o Options) *Bench {
	if len(o.EVSEs) == 0 {
		o.EVSEs = DefaultEVSEs()
	}
	b := &Bench{cfg: o, stages: map[station.StageID]stage{}, faults: map[term.Ref]uint32{}, shown: -1}
	b.store.init()
	b.csms.init()
	b.check.init()
	b.fw.init()
	for _, e := range o.EVSEs {
		b.meters = append(b.meters, &meter{evse: e.ID})
		for _, c := range e.Connectors {
			b.wires = append(b.wires, &wire{ref: term.Ref{EVSE: e.ID, Connector: c.ID}, evse: e, tethered: c.Tethered})
		}
	}
	return b
}

// mono is the station's monotonic time now.
func (b *Bench) mono() time.Time { return epoch.Add(b.t - b.booted) }

// wall is the true time of day.
func (b *Bench) wall() time.Time { return Birth.Add(b.t + b.offset) }

// Boot gives the station power: what is durable is replayed into a fresh core.
func (b *Bench) Boot() error {
	if b.Station != nil {
		return fmt.Errorf("the station runs already")
	}
	b.gen++
	b.booted, b.rebooting = b.t, false
	st, err := station.New(station.Config{
		Identity: station.Identity{Vendor: "EVSED", Model: "Bench", SerialNumber: "S1", FirmwareVersion: b.fw.runs.Version}, Name: "CS1",
		EVSEs: b.cfg.EVSEs, Bays: b.cfg.Bays, Lights: b.cfg.Lights, Boot: b.reason, LastReport: b.store.lastReport(),
		NewID:  func() string { b.ids++; return fmt.Sprintf("T%d", b.ids) },
		Lookup: b.lookup, Queued: b.store.queued, Image: b.fw.boot(),
	})
	if err != nil {
		return err
	}
	for _, r := range b.store.load() {
		if err := st.Restore(r); err != nil {
			return fmt.Errorf("restore %v %s: %w", r.Bucket, r.Key, err)
		}
	}
	if err := b.fw.seed(b, st); err != nil {
		return err
	}
	b.pki.sweep(st.KeyNames())
	b.Station = st
	b.check.booted(b)
	b.carry(st.Start(b.mono(), b.wall().Add(b.rtc)))
	for _, w := range b.wires {
		w.start(b)
	}
	return nil
}

// PowerCut takes the power away: what was not synced is lost, contactors fall open, plugs stay locked.
func (b *Bench) PowerCut() {
	if b.Station == nil {
		return
	}
	b.print("  power is cut")
	b.Station = nil
	b.timers = slices.DeleteFunc(b.timers, func(t timer) bool { return t.gen != 0 })
	b.upload, b.fw.step = 0, nil
	b.store.lose()
	b.link = link{}
	b.deadline = time.Time{}
	for _, m := range b.meters {
		m.integrate(b)
		m.asked, m.every = false, 0
	}
	for _, w := range b.wires {
		w.powerLost()
	}
	b.check.lostPower()
	clear(b.faults)
}

// Steps is the number of steps that the station has made, its starts included.
func (b *Bench) Steps() int { return b.steps }

// CutAt cuts the power in the n-th step: before its records are written, or behind them and before anything that waits
// for them.
func (b *Bench) CutAt(n int, before bool) {
	b.cutAt, b.cutHow = n, cutAfter
	if before {
		b.cutHow = cutBefore
	}
}

// Step feeds the station an event that the world did not cause, true or not, and holds what follows against the invariants.
func (b *Bench) Step(ev station.Event) error {
	b.step(ev)
	b.settleWorld()
	return b.check.err
}

// step feeds one event to the station.
func (b *Bench) step(ev station.Event) {
	if b.Station == nil {
		return
	}
	b.printEvent(ev)
	b.check.event(b, ev)
	b.carry(b.Station.Step(b.mono(), ev))
}

// carry carries an Output out, in the order of its contract.
func (b *Bench) carry(o station.Output) {
	b.check.output(b, o)
	b.printOutput(o)
	b.deadline = o.Deadline
	for _, p := range o.Cut {
		b.permit(p)
	}
	b.steps++
	if b.steps == b.cutAt {
		b.cut = b.cutHow
	}
	if b.cut == cutBefore {
		b.powerFailsNow()
		return
	}
	b.store.write(o.Records, o.MustSync)
	if !o.MustSync && b.store.noted() {
		b.later(noteWindow, func() { b.store.sync(); b.link.pump(b) })
	}
	if b.cut == cutAfter {
		b.powerFailsNow()
		return
	}
	for _, p := range o.Permits {
		b.permit(p)
	}
	for _, r := range o.Reports {
		if b.cfg.Heed != nil {
			b.cfg.Heed(r)
		}
		b.link.take(b, r)
	}
	for _, r := range o.Responses {
		b.check.response(b, r)
	}
	for _, c := range o.Commands {
		b.command(c)
	}
	b.link.pump(b)
}

// noteWindow is how long records that owe no sync may wait for one.
const noteWindow = 60 * time.Second

func (b *Bench) powerFailsNow() {
	b.cut = cutNot
	b.PowerCut()
}

func (b *Bench) command(c station.Command) {
	switch c := c.(type) {
	case station.Gate:
		b.link.gate = c.Status
	case station.PollMeter:
		b.meter(c.EVSE).poll(b)
	case station.MeterRate:
		b.meter(c.EVSE).rate(b, c.Every)
	case station.SignBegin:
		b.meter(c.EVSE).signed(b, c)
	case station.SignNow:
		b.meter(c.EVSE).signed(b, c)
	case station.SignEnd:
		b.meter(c.EVSE).signed(b, c)
	case station.Reboot:
		if !b.rebooting && !b.stuck {
			b.rebooting = true
			b.later(c.Flush, b.reboot)
		}
	case station.Reconnect:
		if b.link.up {
			b.later(0, func() { b.LinkDown(); b.later(time.Second, b.redial) })
		}
	case station.Upload:
		b.upload = c.Number
	case station.CancelUpload:
		if b.upload != c.Number {
			b.check.fail(b, "upload %d is cancelled, and %d runs", c.Number, b.upload)
		}
		b.upload = 0
	case station.Fetch, station.CancelFetch, station.Install, station.Activate:
		b.fw.command(b, c)
	case station.MakeCSR, station.DropKey:
		b.pki.command(b, c)
	case station.Indicate, station.Signal, station.Dim, station.Reconfigure:
	default:
		panic(fmt.Sprintf("stationtest: unknown command %T", c))
	}
}

// reboot is what the runner does with a Reboot: everything noted is synced, the guard opens all, the process starts anew.
func (b *Bench) reboot() {
	b.store.sync()
	up := b.link.up
	b.print("  reboot")
	b.quietly(b.PowerCut)
	b.in(2*time.Second, func() {
		if b.Station != nil {
			return
		}
		if err := b.Boot(); err != nil {
			panic("stationtest: " + err.Error())
		}
		if up {
			b.later(time.Second, b.LinkUp)
		}
	})
}

func (b *Bench) quietly(f func()) {
	was := b.silent
	b.silent = true
	f()
	b.silent = was
}

// later calls fn after d, unless the station has lost its power by then.
func (b *Bench) later(d time.Duration, fn func()) { b.plan(d, b.gen, fn) }

// in calls fn after d, whatever happens to the station.
func (b *Bench) in(d time.Duration, fn func()) { b.plan(d, 0, fn) }

func (b *Bench) plan(d time.Duration, gen int, fn func()) {
	b.timerSeq++
	b.timers = append(b.timers, timer{at: b.t + d, seq: b.timerSeq, gen: gen, fn: fn})
}

// maxSteps bounds the steps that may happen without time passing: more is a station that spins.
const maxSteps = 200

// Advance lets time pass: every timer of the world and every deadline of the station is kept.
func (b *Bench) Advance(d time.Duration) error {
	end := b.t + d
	for n := 0; ; n++ {
		at, run := b.next()
		if run == nil || at > end {
			break
		}
		if at > b.t {
			b.t, n = at, 0
		}
		if n > maxSteps {
			b.check.fail(b, "no progress: deadline %s", b.deadline.Sub(b.mono()))
			return b.check.err
		}
		run()
	}
	b.t = end
	return nil
}

// next returns what happens next in the world.
func (b *Bench) next() (time.Duration, func()) {
	best := -1
	for i, t := range b.timers {
		if best < 0 || t.at < b.timers[best].at || t.at == b.timers[best].at && t.seq < b.timers[best].seq {
			best = i
		}
	}
	if b.Station != nil && !b.deadline.IsZero() {
		at := max(b.booted+b.deadline.Sub(epoch), b.t)
		if best < 0 || at < b.timers[best].at {
			return at, func() { b.step(nil) }
		}
	}
	if best < 0 {
		return 0, nil
	}
	t := b.timers[best]
	return t.at, func() {
		b.timers = slices.DeleteFunc(b.timers, func(x timer) bool { return x.seq == t.seq })
		t.fn()
	}
}
