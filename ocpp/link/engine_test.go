package link

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

func TestBootGoesFirstAndOpensTheGate(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.latest(1, "status/1.1")
	h.keep(2, "event")
	h.want()
	h.open()
	h.want("up") // B01.FR.08: nothing before the boot, cached messages neither
	h.send(3, station.Heartbeat{})
	h.send(4, station.BootNotification{})
	h.want("> BootNotification 4")
	h.ack()
	h.want("reply 4 BootReply")
	h.gate(station.RegistrationAccepted)
	h.want("> Heartbeat 3")
	h.ack()
	h.want("> StatusNotification 1", "reply 3 Acknowledged")
	h.ack()
	h.want("> SecurityEvent 2", "reply 1 Acknowledged")
	h.ack()
	h.want("reply 2 Acknowledged")
	if !h.e.Idle() || h.e.Pending() != 0 {
		t.Errorf("idle %v, pending %d", h.e.Idle(), h.e.Pending())
	}
}

func TestPendingLetsOnlyWhatWasAskedForLeave(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.open()
	h.gate(station.RegistrationPending)
	h.want("up")
	h.keep(1, "event")
	h.latest(2, "status/1.1")
	h.send(3, station.Heartbeat{})
	h.want()
	h.early(4, station.NotifyReport{}) // B02.FR.02
	h.want("> NotifyReport 4")
	h.ack()
	h.want("reply 4 Acknowledged")
	h.pass(DefaultMessageTimeout)
	h.want("reply 3 Unanswered") // nobody waits for ever for a registration
}

func TestRejectedIsSilent(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.open()
	h.gate(station.RegistrationPending)
	h.send(1, station.Heartbeat{})
	h.want("up")
	h.gate(station.RegistrationRejected)
	h.want("reply 1 Unanswered")
	h.early(2, station.NotifyReport{})
	h.latest(3, "status/1.1")
	h.want("reply 2 Unanswered") // B03.FR.02
	h.call("c1", "ClearCache", "{}")
	h.want("> error c1 SecurityError") // B03.FR.08
	h.frame(`[2,"c2","ClearCache",`)
	h.want("> error c2 SecurityError", "bad message")
	h.send(4, station.BootNotification{})
	h.want("> BootNotification 4")
}

func TestOneCallAtATime(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.send(1, station.Heartbeat{})
	h.send(2, station.Authorize{})
	h.send(3, station.Heartbeat{})
	h.want("> Heartbeat 1")
	first := h.last
	h.frame(`[3,"nobody",{}]`)
	h.want()
	h.ack()
	h.want("> Authorize 2", "reply 1 Acknowledged")
	h.frame(`[3,%q,{}]`, first) // a second answer
	h.want()
	h.refuse("InternalError")
	h.want("> Heartbeat 3", "reply 2 Refused InternalError")
	if got := h.e.Stats(); got.Stray != 2 || got.Calls != 3 || got.Answers != 2 {
		t.Errorf("stats %+v", got)
	}
}

func TestMessageIDsAreNeverUsedTwice(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.e.prefix = strings.Repeat("p", MaxIDPrefix)
	h.accepted()
	seen := map[string]bool{}
	h.keep(1, "event")
	for range 20 {
		if seen[h.last] || len(h.last) > rpc.MaxMessageID {
			t.Fatalf("message id %q", h.last)
		}
		seen[h.last] = true
		h.close()
		h.open() // the same report again, under another id
	}
}

func TestSilenceNeverGivesUpAKeptReport(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "event")
	h.want("> SecurityEvent 1")
	h.pass(30 * time.Second)
	h.want("unheard")
	h.pass(60*time.Second - 1)
	h.want()
	h.pass(1)
	h.want("> SecurityEvent 1") // E13.FR.03: interval times one preceding transmission
	h.pass(30*time.Second + 120*time.Second)
	h.want("unheard", "> SecurityEvent 1")
	h.pass(30 * time.Second)
	h.want("unheard", "close 1001 3 calls without an answer")
	h.latest(2, "status/1.1")
	h.want() // nothing more on a connection that is dead
	h.close()
	h.want("down")
	h.pass(time.Hour)
	h.open()
	h.want("> StatusNotification 2", "up")
	h.ack()
	h.want("> SecurityEvent 1", "reply 2 Acknowledged")
	h.ack()
	h.want("reply 1 Acknowledged")
}

// A CSMS may stay silent as often as it may refuse, within bounds.
func TestSilencesFollowMessageAttempts(t *testing.T) {
	for attempts, want := range map[int]int{1: MinSilences, 5: 5, 1000: MaxSilences} {
		h := newTalk(t, rpc.V201)
		h.out(h.e.Configure(h.clock, EngineConfig{MessageAttempts: attempts, MessageTimeout: time.Second, AttemptInterval: time.Second}))
		h.accepted()
		h.keep(1, "event")
		h.pass(time.Hour)
		calls := strings.Count(strings.Join(h.log, "\n"), "> ")
		if last := h.log[len(h.log)-1]; calls != want || !strings.HasPrefix(last, "close") {
			t.Errorf("%d attempts: %d calls, then %q", attempts, calls, last)
		}
	}
}

func TestAnswerEndsTheRowOfSilences(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	for i := station.ReportID(1); i <= 12; i++ {
		h.send(i, station.Heartbeat{})
		if i%3 == 0 {
			h.ack()
		} else {
			h.pass(30 * time.Second)
		}
	}
	for _, line := range h.log {
		if strings.HasPrefix(line, "close") {
			t.Fatal(line)
		}
	}
}

// A CSMS that answers everything else and never this: the attempts count (TC_E_41_CS). The core asks with a Heartbeat.
func TestIgnoredReportIsGivenUp(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "event")
	h.keep(2, "event")
	for i := range 3 {
		h.want("> SecurityEvent 1")
		h.pass(30 * time.Second)
		h.want("unheard")
		h.send(station.ReportID(10+i), station.Heartbeat{})
		h.want(fmt.Sprintf("> Heartbeat %d", 10+i))
		h.ack()
		if i < 2 {
			h.want(fmt.Sprintf("reply %d Acknowledged", 10+i))
			h.pass(time.Duration(i+1) * 60 * time.Second)
		}
	}
	h.want("> SecurityEvent 2", "reply 1 Refused NoAnswer", "reply 12 Acknowledged")
}

// An answer on another connection proves nothing.
func TestSilenceBeforeAReconnectIsNotCounted(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "event")
	for i := range 6 {
		h.pass(30 * time.Second)
		h.close()
		h.open()
		h.send(station.ReportID(10+i), station.Heartbeat{})
		h.pass(time.Second)
	}
	for _, line := range h.log {
		if strings.Contains(line, "Refused") {
			t.Fatal(line)
		}
	}
}

func TestRefusalsOfAKeptReportEnd(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "event")
	h.keep(2, "event")
	h.want("> SecurityEvent 1")
	h.refuse("InternalError")
	h.want()
	h.pass(60 * time.Second)
	h.want("> SecurityEvent 1")
	h.refuse("InternalError")
	h.pass(120*time.Second - 1)
	h.want()
	h.pass(1)
	h.want("> SecurityEvent 1")
	h.refuse("GenericError")
	h.want("> SecurityEvent 2", "reply 1 Refused GenericError") // E13.FR.04
}

func TestRefusalsAreCountedOverConnections(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "event")
	for i := range 2 {
		h.refuse("InternalError")
		h.close()
		h.open()
		h.pass(time.Duration(i+1) * 60 * time.Second)
	}
	h.want("> SecurityEvent 1", "down", "up", "> SecurityEvent 1", "down", "up", "> SecurityEvent 1")
	h.refuse("InternalError")
	h.want("reply 1 Refused InternalError")
}

func TestBacklogDoesNotHoldUpOthersWhileItWaits(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "event")
	h.refuse("InternalError")
	h.want("> SecurityEvent 1")
	h.send(2, station.Authorize{})
	h.want("> Authorize 2")
}

func TestKeptReportsThatCannotBeToldDoNotBlock(t *testing.T) {
	for _, kind := range []string{"undecodable", "unencodable"} {
		h := newTalk(t, rpc.V201)
		h.accepted()
		h.keep(1, kind)
		h.want("reply 1 Refused InternalError")
		h.keep(2, "untold")
		h.want("reply 2 Untold")
		h.shelf.entries = append(h.shelf.entries, Entry{Key: "not a key"})
		h.shelf.entries = append(h.shelf.entries, Entry{Key: station.ReportID(3).Key()})
		h.wake()
		if h.e.Stats().Skipped != 1 {
			t.Error("entry with a broken key was not counted")
		}
	}
}

func TestReportOfTwoCallsEndsWithTheSecondAnswer(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.keep(1, "twice")
	h.ack()
	h.want("> SecurityEvent 1", "> SecurityEvent 1")
	h.ack()
	h.want("reply 1 Acknowledged")
}

func TestUnreadableOutboxIsReadAgain(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.shelf.fail = errors.New("input/output error")
	h.keep(1, "event")
	h.want()
	h.shelf.fail = nil
	h.pass(OutboxRetry)
	h.want("> SecurityEvent 1")
}

func TestResponseThatCannotBeReadIsDelivered(t *testing.T) {
	for _, answer := range []string{`[3,%q,{"bad":1}]`, `[3,%q,[]]`, `[3,%q`} {
		for v, line := range map[rpc.Version][]string{rpc.V201: nil, rpc.V21: {"> resulterror"}} {
			h := newTalk(t, v)
			h.accepted()
			h.keep(1, "event")
			h.want("> SecurityEvent 1")
			h.frame(answer, h.last)
			if v >= rpc.V21 {
				if !strings.HasPrefix(h.log[0], line[0]) {
					t.Errorf("%s in %v: got %q", answer, v, h.log)
				}
				h.log = h.log[1:]
			}
			h.want("bad message", "reply 1 Acknowledged")
			h.pass(BadMessageEvery)
			h.send(2, station.Authorize{})
			h.frame(answer, h.last)
			if len(h.log) == 0 || !strings.HasPrefix(h.log[len(h.log)-1], "reply 2 Refused") {
				t.Errorf("%s in %v: got %q", answer, v, h.log)
			}
		}
	}
}

func TestLatestKeepsTheNewestOfASlot(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.latest(1, "a")
	h.latest(2, "b")
	h.latest(3, "a")
	h.accepted()
	if h.last != "m1" {
		t.Fatalf("nothing was sent")
	}
	h.latest(4, "a") // 3 is under way
	h.pass(30 * time.Second)
	h.want("> StatusNotification 2") // 3 is not sent again: 4 is newer
	h.ack()
	h.want("> StatusNotification 4", "reply 2 Acknowledged")
	h.close()
	h.open()
	h.want("down", "> StatusNotification 4", "up")
}

func TestNowIsNowOrNever(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.send(1, station.Heartbeat{})
	h.want("reply 1 Unanswered")
	h.accepted()
	h.send(2, station.Heartbeat{})
	h.send(3, station.Heartbeat{})
	h.close()
	h.want("> Heartbeat 2", "down", "reply 2 Unanswered", "reply 3 Unanswered")
}

func TestQueuesAreBounded(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	for i := range station.ReportID(MaxNow + 1) {
		h.send(i, station.Heartbeat{})
	}
	h.want("> Heartbeat 0")
	h.send(9000, station.Heartbeat{})
	h.want("reply 9000 Unanswered")
	for i := range station.ReportID(MaxSlots) {
		h.latest(10000+i, fmt.Sprint(i))
	}
	h.want()
	h.latest(20000, "one more")
	h.want("reply 10000 Unanswered")
	if got, want := h.e.Pending(), MaxNow+1+MaxSlots; got != want {
		t.Errorf("pending %d, want %d", got, want)
	}
	if h.e.Stats().Dropped != 2 {
		t.Errorf("stats %+v", h.e.Stats())
	}
}

// With every lane full, none waits for more than MaxOvertakes calls of the others each.
func TestNoLaneStarves(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	for i := range station.ReportID(100) {
		h.shelf.add(1000+i, "event")
	}
	h.wake()
	h.ack()
	h.log = nil
	since := map[string]int{}
	for i := range station.ReportID(60) {
		h.send(2000+i, station.Heartbeat{})
		h.latest(3000+i, fmt.Sprint(i))
		h.ack()
		for _, line := range h.log {
			if !strings.HasPrefix(line, "> ") {
				continue
			}
			for _, kind := range []string{"Heartbeat", "StatusNotification", "SecurityEvent"} {
				since[kind]++
				if strings.Contains(line, kind) {
					since[kind] = 0
				}
				if since[kind] > MaxOvertakes+2 {
					t.Fatalf("%s has not had its turn for %d calls", kind, since[kind])
				}
			}
		}
		h.log = nil
	}
}
