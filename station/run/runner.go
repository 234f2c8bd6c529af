package run

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// Guard is the station's side of the guard's link; *guard.Pipe is one.
type Guard interface {
	Permit(term.Permit) bool
	Meter(term.EVSEID, guard.MeterSummary) bool
	Heartbeat()
}

// Journal makes records durable. Append never blocks; what it returned n for is durable once DurableTo is at least n.
// With sync false nothing is owed: the batch rides with a later one. An error refuses the whole batch for now, and
// storage.ErrTooLarge for ever.
type Journal interface {
	Append(batch []station.Record, sync bool) (n uint64, err error)
	DurableTo() uint64
}

// Link talks to the CSMS. None of its methods blocks.
type Link interface {
	Send(station.Report) bool
	Wake() // kept reports became durable
	Respond(station.Response)
	SetGate(station.Registration)
	Reconnect()
}

// Board is what the loop drives beside the guard.
type Board interface {
	PollMeter(term.EVSEID)
	MeterRate(term.EVSEID, time.Duration)
	Indicate(term.Ref, hal.Indication)
}

// Lights is a Board whose lights blink and can be dimmed. evses empty means all.
type Lights interface {
	Signal(evses []term.EVSEID, sig hal.Signal, times int)
	Dim(unit.Percent)
}

// Host is who runs the runner.
type Host interface {
	Reboot(flush time.Duration)
	Reconfigure()            // the device model changed: read the link's settings again
	Answer(station.Response) // to a local request
}

// Uploader puts logs where the CSMS wants them, one at a time. It posts an UploadEnded for each Upload that is not cancelled.
// None of its methods blocks.
type Uploader interface {
	Upload(station.Upload)
	CancelUpload(number uint64)
}

// SecurityLogger appends entries to the security log, and posts a SecurityLogged when they are there for good. It does not block.
type SecurityLogger interface{ LogSecurity(station.LogSecurity) }

// Keys makes and drops private keys. It posts a CSRMade for each MakeCSR that it takes; false: it has too much to do. None of its
// methods blocks.
type Keys interface {
	MakeCSR(station.MakeCSR) bool
	DropKey(station.DropKey)
}

// Watcher sees what goes in and out, for logs. It must be quick and keep nothing.
type Watcher interface {
	Event(station.Event)
	Output(*station.Output)
}

// Ports are the Runner's neighbours.
type Ports struct {
	Watch   Watcher // nil: nobody
	Guard   Guard
	Journal Journal
	Link    Link
	Board   Board
	Host    Host
	Upload  Uploader // nil: no log can be had
	Update  Updater  // nil: firmware is updated by nobody
	Keys    Keys     // nil: no key can be made

	Security SecurityLogger // nil: the station keeps no security log
}

// maxRetry bounds the batches that wait in memory while the journal takes none: an hour of samples on a full disk.
const maxRetry = 4096

// maxHeld bounds what waits in memory for a journal that takes everything and makes nothing durable.
const maxHeld = 4096

// Runner carries the core's Outputs out. It has one owner.
type Runner struct {
	Station *station.Station

	ports    Ports
	permits  permits
	held     []held
	synced   uint64 // the newest position on which an fsync was owed
	deadline time.Time
	retry    []batch
	ill      bool // storage makes nothing durable, as far as is known
	slow     bool // storage takes long, and whoever waits has been told
	now      time.Time
	events   []station.Event // answers that came up while an Output was carried out
	list     atomic.Uint64
}

type batch struct {
	records []station.Record
	sync    bool
}

// New returns a runner for a station that has been restored and not yet started.
func New(s *station.Station, p Ports) *Runner {
	return &Runner{Station: s, ports: p, permits: permits{guard: p.Guard}}
}

// Start starts the station. wall is the best that is known of the time.
func (r *Runner) Start(now, wall time.Time) {
	r.now = now
	r.carry(r.Station.Start(now, wall))
	r.settle(now)
}

// Handle takes one event to the core; nil when only time has passed.
func (r *Runner) Handle(now time.Time, ev station.Event) {
	r.step(now, ev)
	r.settle(now)
}

func (r *Runner) step(now time.Time, ev station.Event) {
	r.now = now
	if r.ports.Watch != nil && ev != nil {
		r.ports.Watch.Event(ev)
	}
	if st, ok := ev.(station.StorageChanged); ok {
		r.ill = st.Code != ""
	}
	r.carry(r.Station.Step(now, ev))
}

// settle carries out what became possible at once, and what came up meanwhile.
func (r *Runner) settle(now time.Time) {
	r.Durable()
	for len(r.events) > 0 {
		ev := r.events[0]
		r.events = slices.Delete(r.events, 0, 1)
		r.step(now, ev)
		r.Durable()
	}
	r.watchJournal(now)
}

// Deadline is when Handle(nil) is owed; zero for never.
func (r *Runner) Deadline() time.Time {
	if d := r.slowDue(); !d.IsZero() && (r.deadline.IsZero() || d.Before(r.deadline)) {
		return d
	}
	return r.deadline
}

// LocalList names the local list that the core uses, from any goroutine. It is current before any answer leaves.
func (r *Runner) LocalList() station.StageID { return station.StageID(r.list.Load()) }

// Waiting counts the reports that wait for the journal.
func (r *Runner) Waiting() int {
	n := 0
	for _, h := range r.held {
		n += len(h.reports)
	}
	return n
}

// Energised reports whether the guard wants heartbeats.
func (r *Runner) Energised() bool { return r.permits.energised() }

// carry takes an Output in its order. Nothing of it is kept by reference.
func (r *Runner) carry(o station.Output) {
	r.list.Store(uint64(r.Station.LocalList()))
	if r.ports.Watch != nil {
		r.ports.Watch.Output(&o)
	}
	for _, c := range o.Cut {
		r.permits.cut(c)
	}
	if len(o.Records) > 0 || o.MustSync { // without a record it is what waits that becomes durable
		r.write(batch{slices.Clone(o.Records), o.MustSync})
	}
	for _, p := range o.Permits {
		r.permits.grant(p, r.synced, r.now)
	}
	r.deadline = o.Deadline
	o.Commands = r.measure(o.Commands)
	if r.ill || r.slow {
		o = r.speak(o)
	}
	if len(o.Reports)+len(o.Responses)+len(o.Commands) == 0 {
		return
	}
	if len(r.held) >= maxHeld {
		panic("run: the journal has made nothing durable for too long")
	}
	r.held = append(r.held, held{needs: r.synced, since: r.now, reports: slices.Clone(o.Reports), responses: slices.Clone(o.Responses),
		commands: o.Commands})
}

// measure asks the meters at once, and returns the other commands: a question promises nothing that a record has to keep,
// and a slow disk is no fault of the meter whose answer is waited for.
func (r *Runner) measure(commands []station.Command) []station.Command {
	var rest []station.Command
	for _, c := range commands {
		switch c.(type) {
		case station.PollMeter, station.MeterRate:
			r.command(c)
		default:
			rest = append(rest, c)
		}
	}
	return rest
}

// speak lets out what needs no journal while that is ill or slow: answers that rest on no new record, and the newest status. A
// station that cannot keep a promise makes none, but it says how it is.
func (r *Runner) speak(o station.Output) station.Output {
	now := held{reports: slices.DeleteFunc(slices.Clone(o.Reports), func(rep station.Report) bool { return o.MustSync && rep.Class != station.Latest })}
	o.Reports = slices.DeleteFunc(slices.Clone(o.Reports), func(rep station.Report) bool { return !o.MustSync || rep.Class == station.Latest })
	if !o.MustSync {
		now.responses, now.commands = o.Responses, o.Commands
		o.Responses, o.Commands = nil, nil
	}
	for i, rep := range now.reports {
		if rep.Class == station.Latest {
			now.reports[i] = r.forget(rep)
		}
	}
	r.deliver(now)
	return o
}

// forget drops what is held of a slot whose newer report leaves before it: it may not come after that. It returns the newer
// one as it is told in the place of those.
func (r *Runner) forget(newer station.Report) station.Report {
	for i := len(r.held) - 1; i >= 0; i-- {
		h := &r.held[i]
		h.reports = slices.DeleteFunc(h.reports, func(rep station.Report) bool {
			same := rep.Class == station.Latest && rep.Slot == newer.Slot
			if same {
				newer = newer.Instead(rep)
			}
			return same
		})
	}
	return newer
}

// never is a position that is not reached: it stands for batches that the journal has not taken yet.
const never = ^uint64(0)

// write hands a batch to the journal. What the journal does not take is kept and offered again: its promises wait.
func (r *Runner) write(b batch) {
	if len(r.retry) == 0 || b.acknowledges() {
		if n, taken := r.append(b); taken {
			if b.sync && len(r.retry) == 0 { // else what it promises rests on what waits
				r.synced = n
			}
			return
		}
	}
	if len(r.retry) >= maxRetry {
		panic("run: the journal has taken nothing for too long") // a restart opens everything and goes on from what is durable
	}
	r.retry = append(r.retry, b)
	if b.sync {
		r.synced = never
	}
}

// acknowledges reports whether a batch does nothing but strike out messages that the CSMS has. It concerns nothing
// that waits, and makes the room that the others may wait for: it goes before them.
func (b batch) acknowledges() bool {
	for _, rec := range b.records {
		if rec.Bucket != station.BucketOutbox || rec.Value != nil {
			return false
		}
	}
	return true
}

// append offers a batch to the journal once. A batch that can never fit is a bug of ours: to wait with it would stop the
// station for good without a word, to drop it would break a promise. A restart opens everything, goes on from what is
// durable, and is seen.
func (r *Runner) append(b batch) (n uint64, taken bool) {
	n, err := r.ports.Journal.Append(b.records, b.sync)
	if errors.Is(err, storage.ErrTooLarge) {
		panic(fmt.Sprintf("run: the journal can never take %d records: %v", len(b.records), err))
	}
	return n, err == nil
}

// Retry offers the journal what it refused before. Call it when the journal may have recovered.
func (r *Runner) Retry() {
	for len(r.retry) > 0 {
		b := r.retry[0]
		n, taken := r.append(b)
		if !taken {
			return
		}
		r.retry = slices.Delete(r.retry, 0, 1)
		if !b.sync {
			continue
		}
		r.adopt(n)
	}
}

// adopt gives everything that waited for refused batches the position of the batch that was taken now. Batches are
// taken in order, so the last of them stands for all.
func (r *Runner) adopt(n uint64) {
	if slices.ContainsFunc(r.retry, func(b batch) bool { return b.sync }) {
		return
	}
	r.synced = n
	for i := range r.held {
		if r.held[i].needs == never {
			r.held[i].needs = n
		}
	}
	for i := range r.permits.slots {
		if s := &r.permits.slots[i]; s.waiting && s.needs == never {
			s.needs = n
		}
	}
}

// Durable carries out what waited for the journal, as far as it has come.
func (r *Runner) Durable() {
	d := r.ports.Journal.DurableTo()
	r.permits.release(d)
	n := 0
	for ; n < len(r.held) && r.held[n].needs <= d; n++ {
		r.deliver(r.held[n])
	}
	if n > 0 {
		r.held = slices.Delete(r.held, 0, n)
	}
}

// deliver sends responses before reports: a triggered message follows its response (F06.FR.04).
func (r *Runner) deliver(h held) {
	for _, resp := range h.responses {
		if resp.ID&station.CSMSRequest != 0 {
			r.ports.Link.Respond(resp)
		} else {
			r.ports.Host.Answer(resp)
		}
	}
	kept := false
	for _, rep := range h.reports {
		if rep.Class == station.Kept {
			kept = true
			continue
		}
		if !r.ports.Link.Send(rep) && rep.Class == station.Now {
			r.events = append(r.events, station.ReplyReceived{ID: rep.ID, Class: rep.Class, Of: rep.Body, Reply: station.Unanswered{}})
		}
	}
	if kept {
		r.ports.Link.Wake()
	}
	for _, c := range h.commands {
		r.command(c)
	}
}

func (r *Runner) command(c station.Command) {
	switch c := c.(type) {
	case station.Gate:
		r.ports.Link.SetGate(c.Status)
	case station.Reboot:
		r.ports.Host.Reboot(c.Flush)
	case station.Reconfigure:
		r.ports.Host.Reconfigure()
	case station.Reconnect:
		r.ports.Link.Reconnect()
	case station.Upload:
		if r.ports.Upload == nil {
			r.events = append(r.events, station.UploadEnded{Number: c.Number, Status: "NotSupportedOperation"})
			return
		}
		r.ports.Upload.Upload(c)
	case station.CancelUpload:
		if r.ports.Upload != nil {
			r.ports.Upload.CancelUpload(c.Number)
		}
	case station.Fetch, station.CancelFetch, station.Install, station.Activate:
		r.update(c)
	case station.LogSecurity:
		if r.ports.Security != nil {
			r.ports.Security.LogSecurity(c)
		}
	case station.MakeCSR:
		if r.ports.Keys == nil || !r.ports.Keys.MakeCSR(c) {
			r.events = append(r.events, station.CSRMade{Number: c.Number, Code: "KEY-STORE"})
		}
	case station.DropKey:
		if r.ports.Keys != nil {
			r.ports.Keys.DropKey(c)
		}
	case station.Indicate:
		r.permits.slot(c.Ref).light = c.Show
		r.ports.Board.Indicate(c.Ref, c.Show)
	case station.Signal:
		if l, ok := r.ports.Board.(Lights); ok && c.Times > 0 {
			l.Signal(c.EVSEs, c.Kind, c.Times)
		}
	case station.Dim:
		if l, ok := r.ports.Board.(Lights); ok {
			l.Dim(c.Level)
		}
	case station.PollMeter:
		r.ports.Board.PollMeter(c.EVSE)
	case station.MeterRate:
		r.ports.Board.MeterRate(c.EVSE, c.Every)
	case station.SignBegin, station.SignNow, station.SignEnd:
		r.sign(c)
	default:
		panic("run: unknown command")
	}
}

// Meter takes a reading: the guard needs its currents, the core the rest.
func (r *Runner) Meter(now time.Time, evse term.EVSEID, reading hal.MeterReading) {
	r.ports.Guard.Meter(evse, guard.Summarise(now, reading))
	r.Handle(now, station.MeterRead{EVSE: evse, Reading: reading})
}
