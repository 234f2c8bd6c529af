package run

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// patient is a bench whose host wants to know how storage is.
type patient struct {
	*bench
	at time.Time
}

func (p *patient) Storage(code string)                      { p.say("storage %q", code) }
func (p *patient) Indicate(_ term.Ref, show hal.Indication) { p.say("light %v", show) }

func newPatient(t *testing.T) *patient {
	p := &patient{newBench(t), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	p.r.ports.Host, p.r.ports.Board = p, p
	return p
}

// after lets time pass, and an Output come if there is one.
func (p *patient) after(d time.Duration, outputs ...station.Output) {
	p.at = p.at.Add(d)
	p.r.now = p.at
	for _, o := range outputs {
		p.r.carry(o)
	}
	p.r.settle(p.at)
}

func TestSlowJournalIsTold(t *testing.T) {
	p := newPatient(t)
	p.after(0, station.Output{Commands: []station.Command{station.Indicate{Ref: ref, Show: hal.IndicateConnected}}})
	p.after(0, synced("a", closed(16)))
	p.want("a start", "light connected", "append a")
	if d := p.r.Deadline(); d.Sub(p.at) != slowAfter {
		t.Errorf("deadline in %v", d.Sub(p.at))
	}
	p.after(slowAfter - time.Millisecond)
	p.want("within patience")
	p.after(time.Millisecond)
	p.want("the driver is told", `storage "STO-SLOW"`, "light authorizing")
	if d := p.r.Deadline(); !d.IsZero() {
		t.Errorf("deadline %v behind the telling", d)
	}
	p.after(time.Second, station.Output{Responses: []station.Response{{ID: 1}}, Reports: []station.Report{{ID: 4, Class: station.Now}}})
	p.want("what rests on nothing new", "answer 1", "send 4")
	p.after(time.Second, station.Output{Records: record("b"), MustSync: true, Responses: []station.Response{{ID: 2}}})
	p.want("what rests on a record waits", "append b")
	p.durable = 1
	p.after(time.Second)
	p.want("the start is kept; something else has waited for as long", "close at 16 A", "light connected")
	p.durable = 2
	p.after(0)
	p.want("all is kept", "answer 2", `storage ""`)
}

func TestSlowJournalCutsAtOnce(t *testing.T) {
	p := newPatient(t)
	p.after(0, synced("a", closed(16)))
	p.durable = 1
	p.after(0)
	p.after(time.Hour, station.Output{Records: record("b"), MustSync: true})
	p.after(0, station.Output{Cut: []term.Permit{{Ref: ref}}, Records: record("end"), MustSync: true, Reports: []station.Report{{ID: 1, Class: station.Kept}}})
	p.want("power is taken away without the disk", "append a", "close at 16 A", "append b", "open", "append end")
}

func TestIllJournalIsNotCalledSlow(t *testing.T) {
	p := newPatient(t)
	p.r.ill = true
	p.after(0, synced("a", closed(16)))
	p.after(time.Minute)
	p.want("the core knows already", "append a")
}

// A status that waits for a record is old news once a newer one has left.
func TestOlderStatusNeverFollowsTheNewer(t *testing.T) {
	p := newPatient(t)
	old := synced("a")
	old.Reports = []station.Report{{ID: 1, Class: station.Latest, Slot: "status/1.1"}, {ID: 2, Class: station.Latest, Slot: "status/1.2"}}
	p.after(0, old)
	p.after(slowAfter)
	p.want("the journal is slow", "append a", `storage "STO-SLOW"`)
	p.after(0, station.Output{Reports: []station.Report{{ID: 3, Class: station.Latest, Slot: "status/1.1"}}})
	p.want("the newer one leaves at once", "send 3")
	p.durable = 1
	p.after(0)
	p.want("of the older ones only the other slot's is left", "send 2", `storage ""`)
}
