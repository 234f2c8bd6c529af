package storage_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/faultfs"
)

// world is a station on a disk that a rig holds in its hand: the real core, runner and storage, with cars, a CSMS and
// time of its own around them. It outlives the station: a power cut leaves the disk as the rig chooses, cars plugged and
// registers standing. One owner, no goroutines; the same seed gives the same world.
type world struct {
	rng   *rand.Rand
	err   error // the first promise that was broken
	now   time.Duration
	tasks []task
	order int

	dir    string // where the databases lie
	disk   disk
	opts   storage.Options
	store  *storage.Store
	runner *run.Runner
	keeper keeper
	state  string // code of the storage, as the core knows it
	found  int    // findings that were told
	damage []storage.Finding
	// wronged: a call went wrong, so that a start may fail once. deceived: the device lies, so that what it held may be lost.
	wronged, deceived bool
	storm             bool // the device may be ill when the station starts
	refusedStarts     int
	life              int // number of the boot: tasks of an earlier one are void
	booted            time.Duration
	ids               int
	slow              string // what the host was told of the storage last
	lights            [2]string
	asked             uint64
	said              map[station.RequestID]station.Response

	posts [2]*post
	line  line
	csms  csms
}

// task is something that will happen.
type task struct {
	at    time.Duration
	order int
	life  int // 0: it belongs to the world
	do    func()
}

var (
	birth = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	zero  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of the monotonic clock, at each boot
)

// newWorld makes a world whose station has no power yet.
func newWorld(t testing.TB, seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 77)), dir: t.TempDir(), said: map[station.RequestID]station.Response{}}
	w.disk = disk{w: w, files: faultfs.New(), held: map[string][]byte{}}
	w.opts = storage.Options{Segments: 2, SegmentSize: 68 * 4096, CheckpointRecords: 12}
	for i := range w.posts {
		w.posts[i] = &post{w: w, evse: term.EVSEID(i + 1)}
	}
	w.csms.init(w)
	return w
}

func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("at %v, boot %d: "+format, append([]any{w.now, w.life}, args...)...)
	}
}

func (w *world) mono() time.Time { return zero.Add(w.now - w.booted) }
func (w *world) wall() time.Time { return birth.Add(w.now) }

// later plans something for this life of the station.
func (w *world) later(d time.Duration, do func()) { w.plan(d, w.life, do) }

func (w *world) plan(d time.Duration, life int, do func()) {
	w.order++
	w.tasks = append(w.tasks, task{w.now + d, w.order, life, do})
}

// advance lets time pass.
func (w *world) advance(d time.Duration) {
	end := w.now + d
	for spins := 0; w.err == nil; spins++ {
		at, do := w.next()
		if do == nil || at > end {
			break
		}
		if at > w.now {
			w.now, spins = at, 0
		}
		if spins > 500 {
			w.fail("no progress")
		}
		do()
		w.fall()
	}
	w.now = max(w.now, end)
}

// next returns what happens next: a task, or what station and storage asked for.
func (w *world) next() (time.Duration, func()) {
	best := -1
	for i, t := range w.tasks {
		if best < 0 || t.at < w.tasks[best].at || t.at == w.tasks[best].at && t.order < w.tasks[best].order {
			best = i
		}
	}
	at, do := time.Duration(-1), func() {}
	if best >= 0 {
		t := w.tasks[best]
		at, do = t.at, func() {
			w.tasks = append(w.tasks[:best], w.tasks[best+1:]...)
			if t.life == 0 || t.life == w.life && w.runner != nil {
				t.do()
			}
		}
	}
	if w.runner != nil {
		if d := w.runner.Deadline(); !d.IsZero() && (at < 0 || w.since(d) < at) {
			at, do = w.since(d), func() { w.handle(nil) }
		}
		if d := w.store.Deadline(); !d.IsZero() && (at < 0 || w.since(d) < at) {
			at, do = w.since(d), func() { w.keeper.tick() }
		}
	}
	if at < 0 {
		return 0, nil
	}
	return max(at, w.now), do
}

// since turns an instant of the station into one of the world.
func (w *world) since(t time.Time) time.Duration { return w.booted + t.Sub(zero) }

// handle takes an event to the station, and what follows from it.
func (w *world) handle(ev station.Event) {
	if w.runner == nil || w.disk.off() {
		return
	}
	w.runner.Handle(w.mono(), ev)
	w.turn()
}

// turn is what the loop does behind each event: it tells the core how the storage is.
func (w *world) turn() {
	for w.runner != nil && !w.disk.off() {
		w.runner.Retry()
		w.runner.Durable()
		code := w.store.State().Code
		if all := w.store.Findings(); len(all) > w.found {
			for _, f := range all[w.found:] {
				w.damage = append(w.damage, f)
				w.runner.Handle(w.mono(), station.StorageFound{Code: f.Code, Text: f.String()})
			}
			w.found = len(all)
			continue
		}
		if code == w.state {
			break
		}
		w.state = code
		w.runner.Handle(w.mono(), station.StorageChanged{Code: code})
	}
	w.line.pump(w)
}

// boot gives the station power.
func (w *world) boot() {
	if w.runner != nil || w.err != nil {
		return
	}
	w.life++
	w.booted, w.state, w.found = w.now, "", 0
	w.keeper = keeper{w: w, promised: w.keeper.promised, history: w.keeper.history}
	if w.keeper.promised == nil {
		w.keeper.promised = map[string]string{}
	}
	opts := w.opts
	opts.Files, opts.Now = w.disk.files, w.mono
	opts.Paged(w.disk.paged)
	store, rep, err := storage.Open(w.dir, opts)
	if w.disk.off() {
		if err == nil {
			store.Abandon()
		}
		w.dark()
		return
	}
	if err != nil && (w.wronged || w.storm && w.disk.ailing()) {
		w.wronged = false
		w.refusedStarts++
		w.disk.cutNow()
		w.dark()
		return
	}
	if err != nil {
		w.fail("the station does not start: %v", err)
		return
	}
	if rep.Fresh && len(w.csms.events) > 0 && !w.deceived {
		w.fail("the station takes itself for new")
	}
	w.store = store
	w.damage = append(w.damage, rep.Findings...)
	w.start(rep)
}

// start makes a core of what is stored, and lets it live.
func (w *world) start(rep storage.Report) {
	cfg := station.Config{Name: "cs", Identity: station.Identity{Vendor: "V", Model: "M"},
		NewID: func() string { w.ids++; return fmt.Sprintf("T%d", w.ids) },
		Queued: func(tx term.TransactionID) bool {
			return tx == "" && w.store.OutboxLen() > 0 || w.store.Queued(string(tx))
		},
	}
	for _, p := range w.posts {
		cfg.EVSEs = append(cfg.EVSEs, station.EVSE{ID: p.evse, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}})
	}
	if last := w.store.OutboxLast(); last != "" {
		id, err := station.ParseReportID(last)
		if err != nil {
			w.fail("highest key: %v", err)
			return
		}
		cfg.LastReport = id
	}
	core, err := station.New(cfg)
	if err != nil {
		w.fail("new core: %v", err)
		return
	}
	err = w.store.Load(func(r station.Record) error {
		if err := core.Restore(r); err != nil {
			w.fail("restore %v %s: %v", r.Bucket, r.Key, err)
		}
		return nil
	})
	if err != nil {
		w.fail("load: %v", err)
		return
	}
	w.line.gate = station.RegistrationNone
	w.runner = run.New(core, run.Ports{Guard: w, Journal: &w.keeper, Link: w, Board: w, Host: w})
	w.runner.Start(w.mono(), w.wall())
	w.turn()
	for _, f := range rep.Findings {
		w.handle(station.StorageFound{Code: f.Code, Text: f.String()})
	}
	for _, p := range w.posts {
		p.powered()
	}
	w.line.redial(w)
	w.fall()
}

// fall ends the life if the power went.
func (w *world) fall() {
	if w.runner != nil && w.disk.off() {
		w.dark()
	}
}

// cut takes the power away between two writes.
func (w *world) cut() {
	if w.runner != nil {
		w.disk.cutNow()
		w.dark()
	}
}

// dark is what a power cut leaves.
func (w *world) dark() {
	if w.store != nil {
		w.store.Abandon()
	}
	w.runner, w.store = nil, nil
	for _, p := range w.posts {
		p.dark()
	}
	w.line.lost()
	w.keeper.owed = nil
	w.disk.settle()
}

// stop ends the station in good order.
func (w *world) stop() {
	if w.runner == nil {
		return
	}
	err := w.store.Close()
	if err != nil && !w.disk.off() && w.state == "" && !w.wronged && !w.storm {
		w.fail("close: %v", err)
	}
	w.disk.cutNow()
	w.dark()
}

// remove gives the place of the databases back.
func (w *world) remove() {
	w.cut()
	_ = os.RemoveAll(w.dir)
}
