package virtual

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect15"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/locallist"
)

// life is a station from power on to power off.
type life struct {
	s        *Station
	fitting  Fitting
	store    *storage.Store
	lists    *locallist.Lists
	runner   *run.Runner
	linked   chan station.Event // from the link
	writer   *storage.Writer
	core     *station.Station
	guard    Guard
	loop     *run.Loop
	link     *link.Link
	table    *ocpp.Table
	meters   *run.Meters
	lights   []light
	uploads  uploader
	updates  updater
	security securityLog
	keyring  keyring
	findings []storage.Finding
	damaged  bool // storage lost something that was kept
	ctx      context.Context
	cancel   context.CancelFunc
	once     sync.Once
	parties  []*Party // whom a fast clock waits for
}

func newLife(s *Station, boot station.BootReason, reset bool) (*life, error) {
	l := &life{s: s, fitting: s.fitting(), table: ocpp.NewTable()}
	if s.veil != nil {
		s.veil.Prepare() // while the files are read
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	steps := []func() error{
		l.buildGuard, // first of all: the safe state
		func() error { return l.openStore(reset) }, func() error { return l.buildCore(boot) }, l.buildLoop}
	for _, step := range steps {
		if err := step(); err != nil {
			l.leave()
			if l.guard != nil {
				_ = l.guard.Stop()
			}
			if l.store != nil {
				l.store.Abandon()
			}
			l.security.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *life) openStore(reset bool) error {
	opts := l.s.o.Storage
	opts.Now = l.s.clock.Now
	if l.s.veil != nil {
		opts.Sealer = l.s.veil
	}
	store, rep, err := storage.Open(l.s.o.Dir, opts)
	if err != nil {
		return err
	}
	l.store, l.findings, l.damaged = store, rep.Findings, rep.Damaged()
	l.openSecurityLog()
	l.lists = locallist.New(store, func() station.StageID { return l.runner.LocalList() })
	for _, f := range rep.Findings {
		l.s.found(f.String())
	}
	if f, ok := l.s.firmware.(*simulated); ok {
		if err := f.start(reset); err != nil {
			return err
		}
	}
	if reset {
		return l.wipe()
	}
	return nil
}

func (l *life) buildLoop() error {
	l.writer = l.store.Start()
	l.loop = run.NewLoop(l.party(), l.guard, &finding{Writer: l.writer, l: l, told: len(l.store.Findings())})
	if f, ok := l.fitting.(Guarded); ok {
		f.Guarded(l.guard.Status)
		l.loop.Explain, l.loop.Watchdog = f.Explain, f.WatchdogTimeout()
	}
	meters := map[term.EVSEID]hal.Meter{}
	for _, e := range l.s.o.Station.EVSEs {
		m, err := l.fitting.Meter(e.ID)
		if err != nil {
			return err
		}
		if m != nil {
			meters[e.ID] = m
		}
	}
	if err := l.wireLights(); err != nil {
		return err
	}
	l.meters = run.NewMeters(forking{l.s.clock, l}, meters, l.loop.Reading, func(ctx context.Context, ev station.Event) { _ = l.loop.Post(ctx, ev) })
	l.linked = make(chan station.Event, run.MaxEvents)
	var err error
	l.link, err = link.New(link.Options{
		Config: linkConfig(l.core, &l.s.o), Last: lastProfile(l.core), Dialects: dialects(l.s.o.Station.EVSEs), Outbox: outbox{l.store},
		Decode: station.DecodeReport, Table: l.table, Events: l.linked, Stage: l.lists, IDPrefix: newID()[:8] + "-", Now: l.s.clock.Now, Real: l.s.clock.Real,
		Trace: l.s.o.Trace, Log: l.s.o.Log, Dial: l.s.wire.dial,
	})
	if err != nil {
		return err
	}
	l.uploads.l = l
	l.updates.l, l.updates.to = l, l.s.firmware
	l.keyring = keyring{l: l, work: make(chan station.Command, maxKeyWork), need: l.core.KeyNames()}
	l.runner = run.New(l.core, run.Ports{Watch: l.s.o.Watch, Guard: l.guard, Journal: l.writer, Link: l.link, Board: board{l}, Host: host{l}, Upload: &l.uploads, Update: &l.updates, Security: &l.security, Keys: &l.keyring})
	l.loop.Attach(l.runner)
	return nil
}

// dialects are all that a station speaks, over a WebSocket and over SOAP.
func dialects(evses []station.EVSE) []ocpp.Dialect {
	d := dialect16.New(evses)
	return []ocpp.Dialect{
		dialect2.New(rpc.V21), dialect2.New(rpc.V201), d,
		dialect15.New(soap.V16, d), dialect15.New(soap.V15, d), dialect15.New(soap.V12, d),
	}
}

// run lives until ctx ends, or the life is cut.
func (l *life) run(ctx context.Context) {
	if tell := l.s.o.Notice; tell != nil {
		reason, boots := l.core.Boot()
		tell(Notice{Kind: "boot", Reason: reason, Boots: boots})
	}
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { _ = l.guard.Run(l.ctx) }) // opens everything at its end
	wg.Go(func() { l.meters.Run(l.ctx) })
	wg.Go(func() { l.forward() })
	wg.Go(func() { l.fitting.Run(l.ctx, func(ev station.Event) { _ = l.loop.Post(l.ctx, ev) }) })
	wg.Go(func() { _ = l.link.Run(l.ctx) })
	wg.Go(func() {
		l.loop.Run(l.ctx, l.s.clock.Wall())
		l.uploads.wg.Wait() // the loop begins them
		l.updates.wg.Wait()
	})
	wg.Go(func() { l.tellFindings() })
	wg.Go(func() { l.updates.prove() })
	wg.Go(l.keyring.run)
	wg.Go(l.security.run)
	wg.Go(l.checkKeys)
	wg.Wait()
	l.leave()
}

// party is the clock for one more goroutine of this life.
func (l *life) party() *Party {
	p := l.s.clock.Party()
	l.parties = append(l.parties, p)
	return p
}

// finding is a writer that tells what storage found damaged since it was opened.
type finding struct {
	*storage.Writer
	l    *life
	told int
}

// Findings returns what is new since the last call.
func (f *finding) Findings() []storage.Finding {
	all := f.l.store.Findings()
	fresh := all[min(f.told, len(all)):]
	f.told = len(all)
	for _, x := range fresh {
		f.l.s.found(x.String())
	}
	return fresh
}

// forking gives each poller a clock of its own.
type forking struct {
	*Clock
	l *life
}

// Fork returns the clock for one more goroutine.
func (f forking) Fork() run.Clock { return f.l.party() }

// leave lets the clock go on without this life.
func (l *life) leave() {
	for _, p := range l.parties {
		p.Leave()
	}
}

// cut ends the life.
func (l *life) cut() { l.once.Do(l.cancel) }

// close gives the files back: flushed, or as a power cut leaves them.
func (l *life) close(kill bool) {
	l.lists.Close()
	l.security.close()
	if kill {
		l.store.Abandon()
	}
	if err := l.writer.Close(); err != nil && !kill {
		l.s.o.Log.Error("close storage", "err", err)
	}
}

func (l *life) with(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// post hands an event to the core without waiting; nil only wakes it. false: its inbox is full.
func (l *life) post(ev station.Event) bool {
	select {
	case l.loop.Events <- ev:
		l.loop.Woken()
		return true
	default:
		return false
	}
}

// forward brings what the link says to the core; a local list is made whole on the way, so that the core is not kept from
// its work by sorting.
func (l *life) forward() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case ev := <-l.linked:
			if r, ok := ev.(station.RequestReceived); ok {
				ev = l.complete(r)
			}
			if l.loop.Post(l.ctx, ev) != nil {
				return
			}
		}
	}
}

// complete makes the list of a SendLocalList. One that cannot be written is refused by the core as too long to store.
func (l *life) complete(r station.RequestReceived) station.Event {
	req, ok := r.Request.(station.SendLocalList)
	if !ok {
		return r
	}
	done, err := l.lists.Complete(req)
	if err != nil {
		l.s.o.Log.Error("local list", "err", err)
		done = req
		done.Broken = true
	}
	r.Request = done
	return r
}

// tellFindings tells the core what storage found at its start.
func (l *life) tellFindings() {
	for _, f := range l.findings {
		_ = l.loop.Post(l.ctx, station.StorageFound{Code: f.Code, Text: f.String()})
	}
}

// pending counts what is queued for the CSMS or awaits its answer.
func (l *life) pending() int { return l.loop.Waiting() + l.link.Pending() + l.store.OutboxLen() }

// outbox lets the link read the store.
type outbox struct{ store *storage.Store }

func (o outbox) Head(after string, most int) ([]link.Entry, error) {
	es, err := o.store.Head(after, most)
	out := make([]link.Entry, len(es))
	for i, e := range es {
		out[i] = link.Entry(e)
	}
	return out, err
}

// board drives what is neither guard nor link.
type board struct{ l *life }

func (b board) PollMeter(e term.EVSEID)                  { b.l.meters.PollMeter(e) }
func (b board) MeterRate(e term.EVSEID, d time.Duration) { b.l.meters.MeterRate(e, d) }
func (b board) Sign(c station.Command) bool              { return b.l.meters.Sign(c) }

// host carries out what concerns the life as a whole.
type host struct{ l *life }

func (h host) Answer(r station.Response) { h.l.loop.Answer(r) }

// Storage tells that something waits for the device, and that it has come.
func (h host) Storage(code string) {
	if code == "" {
		h.l.s.tell("storage", "what waited is kept")
		return
	}
	h.l.s.o.Log.Warn("storage", "code", code)
	h.l.s.tell("storage", code+": please wait, the station is keeping a record")
}

func (h host) Reconfigure() { h.l.link.Configure(linkConfig(h.l.core, &h.l.s.o)) }

// Reboot begins a new life once the queue is empty, or flush has passed (B12.FR.05).
func (h host) Reboot(flush time.Duration) {
	h.l.s.tell("reboot", "")
	go func() {
		deadline := time.NewTimer(h.l.s.clock.Real(flush))
		defer deadline.Stop()
		tick := time.NewTicker(rebootTick)
		defer tick.Stop()
		for {
			select {
			case <-deadline.C:
			case <-h.l.ctx.Done():
				return
			case <-tick.C:
				if h.l.pending() > 0 {
					continue
				}
			}
			h.l.cut()
			return
		}
	}()
}

// rebootTick is how often the queue is looked at before a reboot.
const rebootTick = 50 * time.Millisecond

// newID returns a random UUID (version 4, RFC 9562).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
