package link

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// Independent lets the tests' dialect be encoded ahead.
func (plain) Independent() {}

func TestNextReportIsReadyBeforeTheAnswer(t *testing.T) {
	h := newTalk(t, rpc.V21)
	for id := station.ReportID(1); id <= HeadWindow+2; id++ {
		h.shelf.add(id, "x")
	}
	h.accepted()
	for id := 1; id <= HeadWindow+1; id++ {
		h.e.Ahead()
		ready := h.e.backlog.ready
		if ready == nil || ready.report.ID != station.ReportID(id+1) || len(ready.calls) != 1 {
			t.Fatalf("while %d is under way, ready is %+v", id, ready)
		}
		if h.e.unready() {
			t.Errorf("after %d it would be made ready again", id)
		}
		h.ack()
		h.want(fmt.Sprintf("> SecurityEvent %d", id+1), fmt.Sprintf("reply %d Acknowledged", id))
	}
	h.e.Ahead()
	if h.e.backlog.ready != nil || h.e.unready() {
		t.Errorf("there is no more, and ready is %+v", h.e.backlog.ready)
	}
}

// What was encoded for one connection is encoded anew for the next: that may speak another version.
func TestReadyReportIsEncodedForItsConnection(t *testing.T) {
	h := newTalk(t, rpc.V21)
	h.shelf.add(1, "x")
	h.shelf.add(2, "x")
	h.accepted()
	h.e.Ahead()
	h.close()
	if r := h.e.backlog.ready; r == nil || r.calls != nil {
		t.Errorf("ready after the connection is gone: %+v", r)
	}
	h.open()
	h.ack()
	h.want("down", "> SecurityEvent 1", "up", "> SecurityEvent 2", "reply 1 Acknowledged")
}

// TestAheadCannotBeTold plays random dialogues to an engine that works ahead and to one that does not.
func TestAheadCannotBeTold(t *testing.T) {
	kinds := []string{"x", "x", "x", "undecodable", "unencodable", "untold", "twice"}
	told := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 17))
		plainly, ahead := newTalk(t, rpc.V21), newTalk(t, rpc.V21)
		id := station.ReportID(0)
		for step := range 60 {
			act, kind, wait := rng.IntN(10), kinds[rng.IntN(len(kinds))], time.Duration(rng.IntN(90))*time.Second
			id++
			for _, h := range []*talk{plainly, ahead} {
				play(h, act, kind, wait, id)
				if h == ahead {
					h.e.Ahead()
				}
			}
			if !slices.Equal(plainly.log, ahead.log) || !plainly.due.Equal(ahead.due) {
				t.Fatalf("seed %d step %d: ahead\n\t%s\ndue %v, want\n\t%s\ndue %v", seed, step, strings.Join(ahead.log, "\n\t"), ahead.due,
					strings.Join(plainly.log, "\n\t"), plainly.due)
			}
		}
		told += len(ahead.log)
	}
	if told < 400*20 {
		t.Errorf("only %d lines were said", told)
	}
}

func play(h *talk, act int, kind string, wait time.Duration, id station.ReportID) {
	switch {
	case act < 3:
		h.keep(id, kind)
	case act < 6 && h.last != "":
		h.ack()
	case act == 6 && h.last != "":
		h.refuse("InternalError")
	case act == 7:
		h.gate(station.RegistrationAccepted)
		if h.e.open {
			h.close()
		}
		h.open()
	case act == 8:
		h.send(id, station.Heartbeat{})
	default:
		h.pass(wait)
	}
}
