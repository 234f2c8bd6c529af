package link

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// witness stands beside an Engine and checks what must hold whatever comes in:
// at most one CALL is under way; every CALL of the CSMS gets at most one answer, and nothing else gets one; nothing
// leaves while no connection is open or while the registration forbids it; kept reports end in order, each once,
// without a gap; every Now report ends exactly once; the queues keep their bounds.
type witness struct {
	t     testing.TB
	e     *Engine
	shelf *shelf
	v     rpc.Version
	now   time.Time

	gate    station.Registration
	under   string         // id of the CALL under way
	due     time.Time      // when it times out
	asked   map[string]int // CALLs of the CSMS by id, less their answers
	kept    []station.ReportID
	waiting map[station.ReportID]bool // Now reports without outcome
	open    []station.RequestID       // requests that the core has not responded to
	serial  station.ReportID
	sent    map[string]bool // ids of CALLs
	deadly  bool            // the engine has asked for a close
}

func newWitness(t testing.TB, v rpc.Version) *witness {
	s := &shelf{}
	return &witness{
		t: t, shelf: s, v: v, now: epoch,
		e:     NewEngine(EngineOptions{Outbox: s, Decode: decodeShelf, IDPrefix: "w"}),
		asked: map[string]int{}, waiting: map[station.ReportID]bool{}, sent: map[string]bool{},
	}
}

func (w *witness) check(o *Output) {
	w.t.Helper()
	if len(o.Frames) > 0 && !w.e.Open() {
		w.t.Fatalf("frame without a connection: %s", o.Frames[0])
	}
	for _, f := range o.Frames {
		w.frame(f)
	}
	for _, ev := range o.Events {
		w.event(ev)
	}
	w.deadly = w.deadly || o.Close != nil
	if w.e.now.len() > MaxNow || w.e.latest.len() > MaxSlots || len(w.e.in.calls) > MaxInbound {
		w.t.Fatal("a queue has outgrown its bound")
	}
	if w.under != "" && o.Deadline.IsZero() && !w.deadly {
		w.t.Fatal("a CALL is under way without a deadline")
	}
}

func (w *witness) frame(raw []byte) {
	w.t.Helper()
	if w.deadly {
		w.t.Fatalf("frame after the wish to close: %s", raw)
	}
	f, err := rpc.Parse(raw, rpc.V21, rpc.Limits{})
	if err != nil {
		w.t.Fatalf("frame %q: %v", raw, err)
	}
	switch f.Type {
	case rpc.Call:
		if w.under != "" {
			w.t.Fatalf("CALL %s while %s is under way", f.ID, w.under)
		}
		if w.sent[f.ID] {
			w.t.Fatalf("message id %s twice", f.ID)
		}
		if f.Action != "BootNotification" && w.gate != station.RegistrationAccepted && f.Action != "NotifyReport" {
			w.t.Fatalf("%s while the registration is %q", f.Action, w.gate)
		}
		w.sent[f.ID], w.under, w.due = true, f.ID, w.now.Add(DefaultMessageTimeout)
	case rpc.CallResult, rpc.CallError, rpc.CallResultError:
		if w.asked[f.ID]--; w.asked[f.ID] < 0 {
			w.t.Fatalf("answer %s to nothing", raw)
		}
	default:
		w.t.Fatalf("frame %s", raw)
	}
}

func (w *witness) event(ev station.Event) {
	w.t.Helper()
	switch ev := ev.(type) {
	case station.RequestReceived:
		w.open = append(w.open, ev.ID)
	case station.ReplyReceived:
		if kept := ev.ID >= 1<<32; kept != (ev.Class == station.Kept) || !kept && ev.Of == nil {
			w.t.Fatalf("reply %+v does not say to what", ev)
		}
		if ev.ID < 1<<32 { // Now and Latest
			delete(w.waiting, ev.ID)
			return
		}
		if len(w.kept) == 0 || w.kept[0] != ev.ID {
			w.t.Fatalf("kept report %d ended, want %v", ev.ID, w.kept)
		}
		w.kept = w.kept[1:]
	}
}

// receive gives raw to the engine.
func (w *witness) receive(raw []byte) {
	if w.e.Open() && !w.deadly {
		f, err := rpc.Parse(raw, w.v, rpc.Limits{})
		if bad, ok := err.(*rpc.FrameError); ok {
			if bad.Answer != 0 {
				w.asked[bad.ID]++
			}
			f.ID, f.Type = bad.ID, bad.Type
		}
		switch f.Type {
		case rpc.Call:
			if err == nil {
				w.asked[f.ID]++
			}
		case rpc.CallResult:
			if err == nil {
				w.asked[f.ID]++ // 2.1 may answer it with an error
			}
			w.answered(f.ID)
		case rpc.CallError:
			w.answered(f.ID)
		}
	}
	w.check(w.e.Frame(w.now, raw))
}

func (w *witness) answered(id string) {
	if id == w.under {
		w.under = ""
	}
}

func (w *witness) connect(up bool) {
	w.under, w.deadly = "", false
	w.open = nil
	if up {
		w.check(w.e.Opened(w.now, plain{w.v}, 1, 0))
		return
	}
	w.check(w.e.Closed(w.now, "test"))
	if len(w.waiting) != 0 {
		w.t.Fatalf("Now reports %v without outcome after the connection", w.waiting)
	}
}

func (w *witness) setGate(r station.Registration) {
	w.gate = r
	w.check(w.e.Gate(w.now, r))
}

func (w *witness) pass(d time.Duration) {
	w.now = w.now.Add(d)
	if w.under != "" && !w.due.After(w.now) {
		w.under = ""
	}
	w.check(w.e.Tick(w.now))
}

func (w *witness) keep(kind string) {
	w.serial++
	id := w.serial + 1<<32
	w.kept = append(w.kept, id)
	w.shelf.add(id, kind)
	w.check(w.e.Woken(w.now))
}

func (w *witness) say(class station.Class, body station.ReportBody, slot string, early bool) {
	w.serial++
	if class == station.Now {
		w.waiting[w.serial] = true
	}
	w.check(w.e.Send(w.now, station.Report{ID: w.serial, Class: class, Slot: slot, Early: early, Body: body}))
}

func (w *witness) respond(i int) {
	if len(w.open) == 0 {
		return
	}
	i %= len(w.open)
	id := w.open[i]
	w.open = append(w.open[:i], w.open[i+1:]...)
	w.check(w.e.Respond(w.now, station.Response{ID: id, Body: station.Status{Status: "Accepted"}}))
}

// do carries out one thing that can happen: what tells which, data is its matter. It returns what is left of data.
func (w *witness) do(what byte, data []byte) []byte {
	arg := byte(0)
	if len(data) > 0 {
		arg, data = data[0], data[1:]
	}
	switch what % 16 {
	case 0:
		w.connect(true)
	case 1:
		w.connect(false)
	case 2:
		gates := []station.Registration{"", station.RegistrationAccepted, station.RegistrationPending, station.RegistrationRejected}
		w.setGate(gates[arg%4])
	case 3:
		w.keep([]string{"event", "event", "event", "twice", "untold", "undecodable", "unencodable"}[arg%7])
	case 4:
		w.say(station.Now, station.Heartbeat{}, "", false)
	case 5:
		w.say(station.Now, station.BootNotification{}, "", false)
	case 6:
		w.say(station.Now, station.NotifyReport{}, "", true)
	case 7:
		w.say(station.Latest, station.StatusNotification{}, fmt.Sprint(arg%4), false)
	case 8, 9:
		w.receive(fmt.Appendf(nil, `[3,%q,{}]`, w.under))
	case 10:
		w.receive(fmt.Appendf(nil, `[4,%q,"InternalError","",{}]`, w.under))
	case 11:
		w.receive(fmt.Appendf(nil, `[3,%q,{"bad":1}]`, w.under))
	case 12:
		w.receive(fmt.Appendf(nil, `[2,"c%d","ClearCache",{}]`, arg%32))
	case 13:
		w.respond(int(arg))
	case 14:
		w.pass(time.Duration(arg) * time.Second)
	case 15:
		n := min(int(arg), len(data))
		w.receive(data[:n])
		data = data[n:]
	}
	return data
}

// FuzzEngine lets anything happen in any order. Bytes are a program for do.
func FuzzEngine(f *testing.F) {
	f.Add(false, []byte{0, 0, 2, 1, 3, 0, 8, 0, 4, 0, 14, 40, 10, 0, 14, 60, 8, 0})
	f.Add(true, []byte{0, 0, 2, 1, 12, 1, 12, 1, 13, 0, 12, 1, 1, 0, 0, 0, 12, 1, 13, 0})
	f.Add(true, append([]byte{0, 0, 15, 20}, `[2,"x","ClearCache",{`...))
	f.Add(false, append([]byte{0, 0, 2, 3, 15, 23}, `[2,"x","ClearCache",{}]`...))
	f.Add(false, append([]byte{0, 0, 15, 9}, `[3,"-1",1`...))
	f.Add(true, append([]byte{0, 0, 15, 13}, `[6,"x","N",{}]`...))
	f.Fuzz(func(t *testing.T, newer bool, program []byte) {
		v := rpc.V201
		if newer {
			v = rpc.V21
		}
		w := newWitness(t, v)
		for len(program) > 1 {
			program = w.do(program[0], program[1:])
		}
	})
}

// FuzzFrame gives any bytes as a frame to an engine in the middle of its work.
func FuzzFrame(f *testing.F) {
	for _, s := range []string{
		`[2,"c","ClearCache",{}]`, `[3,"w1",{}]`, `[4,"w1","InternalError","",{}]`, `[5,"w1","InternalError","",{}]`,
		`[6,"c","Notify",{}]`, `[3,"w1",null]`, `[3,"w1"`, `[9,"c",{}]`, `[2,"` + strings.Repeat("c", 37) + `","ClearCache",{}]`, "\xff", "",
	} {
		f.Add(false, []byte(s))
		f.Add(true, []byte(s))
	}
	f.Fuzz(func(t *testing.T, newer bool, raw []byte) {
		v := rpc.V201
		if newer {
			v = rpc.V21
		}
		w := newWitness(t, v)
		w.connect(true)
		w.setGate(station.RegistrationAccepted)
		w.keep("event")
		w.receive(raw)
		w.receive(raw)
		w.receive([]byte(`[2,"after","GetVariables",{}]`))
		w.pass(time.Hour)
		old := newWitness(t, rpc.V16)
		old.connect(true)
		old.setGate(station.RegistrationAccepted)
		old.keep("event")
		old.receive(raw)
		old.receive([]byte(`[2,"after","GetVariables",{}]`))
		old.pass(time.Hour)
	})
}

// Whatever happens in between: once the CSMS answers, every kept report has ended, in order.
func TestKeptReportsEndInOrder(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := newWitness(t, []rpc.Version{rpc.V201, rpc.V21, rpc.V16}[seed%3])
		for range 400 {
			w.do(byte(random.UintN(15)), []byte{byte(random.UintN(256))})
		}
		w.heal()
		if len(w.kept) != 0 {
			t.Fatalf("seed %d: %v were never answered", seed, w.kept)
		}
		if !w.e.backlog.empty() || len(w.waiting) != 0 {
			t.Fatalf("seed %d: something is left: %v", seed, w.waiting)
		}
	}
}

// heal opens a connection to a CSMS that answers everything, for a day.
func (w *witness) heal() {
	w.connect(false)
	w.connect(true)
	w.setGate(station.RegistrationAccepted)
	for end := w.now.Add(24 * time.Hour); w.now.Before(end); {
		if w.deadly {
			w.t.Fatal("a CSMS that answers was hung up on")
		}
		if w.under != "" {
			w.receive(fmt.Appendf(nil, `[3,%q,{}]`, w.under))
			continue
		}
		w.pass(time.Minute)
	}
}
