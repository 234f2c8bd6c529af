package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// bench is a runner between neighbours that write down what they are told.
type bench struct {
	t       *testing.T
	r       *Runner
	said    []string
	refuse  error // of the journal
	taken   uint64
	durable uint64
	deaf    bool // the link's mailbox is full
}

func newBench(t *testing.T) *bench {
	core, err := station.New(station.Config{Name: "cs", NewID: func() string { return "id" },
		EVSEs: []station.EVSE{{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1}}}}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t}
	b.r = New(core, Ports{Guard: b, Journal: b, Link: b, Board: b, Host: b})
	return b
}

func (b *bench) say(format string, args ...any) {
	b.said = append(b.said, fmt.Sprintf(format, args...))
}

func (b *bench) Permit(p term.Permit) bool {
	if p.Close {
		b.say("close at %v", p.Max)
	} else {
		b.say("open")
	}
	return true
}
func (b *bench) Meter(term.EVSEID, guard.MeterSummary) bool { return true }
func (b *bench) Heartbeat()                                 {}
func (b *bench) Append(batch []station.Record, sync bool) (uint64, error) {
	if b.refuse != nil {
		return 0, b.refuse
	}
	var keys []string
	for _, r := range batch {
		keys = append(keys, r.Key)
	}
	b.say("append %s", strings.Join(keys, ","))
	b.taken++
	return b.taken, nil
}
func (b *bench) DurableTo() uint64                    { return b.durable }
func (b *bench) Send(r station.Report) bool           { b.say("send %d", r.ID); return !b.deaf }
func (b *bench) Wake()                                { b.say("wake") }
func (b *bench) Respond(r station.Response)           { b.say("respond %d", r.ID&^station.CSMSRequest) }
func (b *bench) SetGate(s station.Registration)       { b.say("gate %v", s) }
func (b *bench) Reconnect()                           { b.say("reconnect") }
func (b *bench) PollMeter(e term.EVSEID)              { b.say("poll %d", e) }
func (b *bench) MeterRate(term.EVSEID, time.Duration) { b.say("rate") }
func (b *bench) Indicate(term.Ref, hal.Indication)    { b.say("light") }
func (b *bench) Reboot(time.Duration)                 { b.say("reboot") }
func (b *bench) Reconfigure()                         { b.say("reconfigure") }
func (b *bench) Answer(r station.Response)            { b.say("answer %d", r.ID) }

// want checks what was said since the last want.
func (b *bench) want(what string, said ...string) {
	b.t.Helper()
	if !slices.Equal(b.said, said) {
		b.t.Errorf("%s: %q, want %q", what, b.said, said)
	}
	b.said = nil
}

// carry takes an Output and what follows at once.
func (b *bench) carry(o station.Output) {
	b.r.carry(o)
	b.r.Durable()
}

// flushed says that the journal is durable up to n.
func (b *bench) flushed(n uint64) {
	b.durable = n
	b.r.Retry()
	b.r.Durable()
}

var ref = term.Ref{EVSE: 1, Connector: 1}

func closed(a unit.Current) term.Permit {
	return term.Permit{Ref: ref, Close: true, Max: a * unit.Ampere, Phases: 3}
}

func record(key string) []station.Record {
	return []station.Record{{Bucket: station.BucketTransaction, Key: key, Value: []byte("x")}}
}

func acked(key string) []station.Record {
	return []station.Record{{Bucket: station.BucketOutbox, Key: key}}
}

func synced(key string, permits ...term.Permit) station.Output {
	return station.Output{Records: record(key), MustSync: true, Permits: permits}
}

func TestPermitWaitsForItsRecord(t *testing.T) {
	b := newBench(t)
	b.carry(synced("a", closed(16)))
	b.want("before it is durable", "append a")
	b.flushed(0)
	b.want("another batch is durable")
	b.flushed(1)
	b.want("durable", "close at 16 A")
	b.carry(synced("b", closed(32)))
	b.carry(synced("c", closed(20)))
	b.flushed(2)
	b.want("only the newest permit holds", "append b", "append c")
	b.flushed(3)
	b.want("its own record", "close at 20 A")
	b.carry(station.Output{Permits: []term.Permit{closed(25)}})
	b.want("nothing to wait for", "close at 25 A")
	b.carry(station.Output{Records: record("d"), Permits: []term.Permit{closed(26)}})
	b.want("a record that owes no sync", "append d", "close at 26 A")
}

func TestCutWaitsForNothing(t *testing.T) {
	open, lower := term.Permit{Ref: ref}, closed(8)
	for _, test := range []struct {
		name         string
		given        []term.Permit // durable before
		waiting      *term.Permit  // not durable yet
		cut          term.Permit
		now, durable []string
	}{
		{"open", []term.Permit{closed(16)}, nil, open, []string{"open"}, nil},
		{"lower", []term.Permit{closed(16)}, nil, lower, []string{"close at 8 A"}, nil},
		{"a cut never raises", []term.Permit{closed(6)}, nil, lower, nil, nil},
		{"open overtakes a permit", nil, ptr(closed(16)), open, []string{"open"}, nil},
		{"lower overtakes a permit", nil, ptr(closed(16)), lower, []string{"open"}, []string{"close at 8 A"}},
		{"open overtakes a higher one", []term.Permit{closed(10)}, ptr(closed(16)), open, []string{"open"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			for _, p := range test.given {
				b.carry(synced("given", p))
				b.flushed(b.taken)
			}
			if test.waiting != nil {
				b.carry(synced("waiting", *test.waiting))
			}
			b.said = nil
			b.refuse = storage.ErrBacklog // the disk hangs
			b.carry(station.Output{Cut: []term.Permit{test.cut}, Records: record("cut"), MustSync: true})
			b.want("at once", test.now...)
			b.refuse = nil
			b.flushed(b.taken + 1)
			b.want("when all is durable", append([]string{"append cut"}, test.durable...)...)
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestOrderOfAnOutput(t *testing.T) {
	b := newBench(t)
	o := synced("a", closed(16))
	o.Reports = []station.Report{{ID: 1, Class: station.Now}, {ID: 2, Class: station.Kept}, {ID: 3, Class: station.Latest}}
	o.Responses = []station.Response{{ID: 7 | station.CSMSRequest}, {ID: 8}}
	o.Commands = []station.Command{station.Gate{}, station.PollMeter{EVSE: 1}, station.Reconnect{}, station.Reboot{}}
	o.Cut = []term.Permit{{Ref: ref}}
	b.carry(o)
	b.want("before it is durable", "open", "append a", "poll 1") // a question promises nothing
	b.carry(station.Output{Responses: []station.Response{{ID: 9}}})
	b.want("what comes later stays later")
	b.flushed(1)
	b.want("durable", "close at 16 A", "respond 7", "answer 8", "send 1", "send 3", "wake", "gate ", "reconnect", "reboot", "answer 9")
	if b.r.Waiting() != 0 {
		t.Errorf("%d reports wait", b.r.Waiting())
	}
}

func TestFullMailboxIsAnAnswer(t *testing.T) {
	b := newBench(t)
	b.deaf = true
	b.r.carry(station.Output{Reports: []station.Report{{ID: 1, Class: station.Now}, {ID: 2, Class: station.Latest}}})
	b.r.Durable()
	if len(b.r.events) != 1 || b.r.events[0].(station.ReplyReceived).ID != 1 {
		t.Errorf("events %+v, want one that says that report 1 was not sent", b.r.events)
	}
}

func TestRefusedBatchesAreOfferedAgain(t *testing.T) {
	for _, why := range []error{storage.ErrBacklog, storage.ErrOutboxFull, fmt.Errorf("write: %w", storage.ErrBacklog)} {
		b := newBench(t)
		b.refuse = why
		b.carry(synced("a", closed(16)))
		b.carry(station.Output{Records: record("b"), Responses: []station.Response{{ID: 1}}}) // owes no sync, but its answer comes after the permit
		b.carry(synced("c", closed(20)))
		b.flushed(1 << 40)
		b.want("while it refuses")
		b.refuse, b.durable = nil, 0
		b.r.Retry()
		b.r.Durable()
		b.want("taken, in order", "append a", "append b", "append c")
		b.flushed(2)
		b.want("the last of them is not durable")
		b.flushed(3)
		b.want("durable", "close at 20 A", "answer 1")
		b.carry(synced("d", closed(21)))
		b.flushed(4)
		b.want("as before", "append d", "close at 21 A")
	}
}

func TestAcknowledgementMakesRoom(t *testing.T) {
	b := newBench(t)
	b.refuse = storage.ErrOutboxFull
	b.carry(synced("a", closed(16)))
	b.refuse = nil
	b.carry(station.Output{Records: acked("0001")})
	b.want("goes before what waits", "append 0001")
	b.flushed(9)
	b.want("and what waited follows", "append a", "close at 16 A")
}

// An acknowledgement that owes a sync, as while the mains fail, goes ahead too, and nothing else does with it.
func TestUrgentAcknowledgementMakesRoom(t *testing.T) {
	b := newBench(t)
	b.refuse = storage.ErrOutboxFull
	b.carry(synced("a", closed(16)))
	b.refuse = nil
	b.carry(station.Output{Records: acked("0001"), MustSync: true, Permits: []term.Permit{closed(20)}})
	b.want("goes before what waits", "append 0001")
	b.durable = 1
	b.r.Durable()
	b.want("the permit rests on what waits")
	b.flushed(9)
	b.want("and what waited follows", "append a", "close at 20 A")
}

// A sync that is owed without a record makes durable what the journal has already.
func TestSyncWithoutARecord(t *testing.T) {
	b := newBench(t)
	b.carry(station.Output{MustSync: true, Responses: []station.Response{{ID: 1}}})
	b.want("nothing yet", "append ")
	b.flushed(1)
	b.want("durable", "answer 1")
}

func TestIllJournalDoesNotMakeDumb(t *testing.T) {
	b := newBench(t)
	b.carry(synced("a", closed(16)))
	b.r.ill = true
	o := station.Output{Records: record("b"), MustSync: true, Responses: []station.Response{{ID: 1}},
		Reports: []station.Report{{ID: 1, Class: station.Now}, {ID: 2, Class: station.Kept}, {ID: 3, Class: station.Latest}}}
	b.carry(o)
	b.want("a promise waits, the status does not", "append a", "append b", "send 3")
	b.carry(station.Output{Responses: []station.Response{{ID: 2}}, Reports: []station.Report{{ID: 4, Class: station.Now}}, Commands: []station.Command{station.Reconnect{}},
		Permits: []term.Permit{closed(20)}})
	b.want("what rests on nothing new", "answer 2", "send 4", "reconnect")
	b.r.ill = false
	b.flushed(2)
	b.want("well again", "close at 20 A", "answer 1", "send 1", "wake")
}

func TestBatchThatNeverFitsIsABug(t *testing.T) {
	b := newBench(t)
	b.refuse = fmt.Errorf("batch of 9 bytes: %w", storage.ErrTooLarge)
	wantPanic(t, "can never take 1 records: batch of 9 bytes", func() { b.carry(synced("a")) })
}

func TestJournalThatTakesNothingEndsTheProcess(t *testing.T) {
	b := newBench(t)
	b.refuse = storage.ErrBacklog
	for range maxRetry {
		b.carry(synced("a"))
	}
	wantPanic(t, "has taken nothing for too long", func() { b.carry(synced("a")) })
}

func TestDiskThatHangsForGoodEndsTheProcess(t *testing.T) {
	b := newBench(t)
	for range maxHeld {
		b.carry(station.Output{Records: record("a"), MustSync: true, Responses: []station.Response{{ID: 1}}})
	}
	wantPanic(t, "has made nothing durable for too long", func() { b.carry(station.Output{Responses: []station.Response{{ID: 1}}}) })
}

func wantPanic(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, text) {
			t.Errorf("panic %q, want %q", got, text)
		}
	}()
	f()
}
