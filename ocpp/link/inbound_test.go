package link

import (
	"fmt"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

func TestRequestIsAnsweredOnce(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.call("c1", "ClearCache", "{}")
	h.want("request 0 ClearCache")
	h.respond(0, "Accepted")
	h.want(`> result c1 {"status":"Accepted"}`)
	h.respond(0, "Accepted")
	h.want()
}

func TestRequestsCrossOurCalls(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.send(1, station.Heartbeat{})
	h.call("c1", "ClearCache", "{}")
	h.respond(0, "Accepted")
	h.ack()
	h.want("> Heartbeat 1", "request 0 ClearCache", `> result c1 {"status":"Accepted"}`, "reply 1 Acknowledged")
}

// A CSMS that gave a call up may send the next one (part 4, 4.1.1).
func TestRequestsMayOverlapUpToABound(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	for i := range MaxInbound {
		h.call(fmt.Sprint("c", i), "ClearCache", "{}")
	}
	h.log = nil
	h.call("more", "ClearCache", "{}")
	h.want("> error more GenericError")
	h.respond(3, "Accepted")
	h.respond(0, "Rejected")
	h.want(`> result c3 {"status":"Accepted"}`, `> result c0 {"status":"Rejected"}`)
	h.call("next", "ClearCache", "{}")
	h.want(fmt.Sprintf("request %d ClearCache", MaxInbound))
}

func TestCoreThatForgetsARequestDoesNotMakeTheStationDeaf(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.call("c1", "ClearCache", "{}")
	h.pass(ResponseTimeout)
	h.want("request 0 ClearCache", "> error c1 InternalError")
	h.respond(0, "Accepted")
	h.want()
}

func TestResponsesAfterAReconnectGoNowhere(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.call("c1", "ClearCache", "{}")
	h.close()
	h.open()
	h.respond(0, "Accepted")
	h.want("request 0 ClearCache", "down", "up")
}

func TestErrorsOfRequests(t *testing.T) {
	for _, c := range []struct {
		name, action, payload string
		want                  []string
	}{
		{"unknown action", "Dance", "{}", []string{"> error c NotImplemented"}},
		{"bad payload", "ClearCache", `{"bad":1}`, []string{"> error c FormatViolation", "bad message"}},
		{"payload is a list", "ClearCache", `[]`, []string{"> error c ProtocolError", "bad message"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newTalk(t, rpc.V201)
			h.accepted()
			h.call("c", c.action, c.payload)
			h.want(c.want...)
		})
	}
}

func TestResponseOfTheCore(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	h.call("c1", "ClearCache", "{}")
	h.out(h.e.Respond(h.clock, station.Response{ID: firstRequest, Error: &station.RequestError{Code: "SecurityError"}}))
	h.want("request 0 ClearCache", "> error c1 SecurityError")
	h.call("c2", "ClearCache", "{}")
	h.out(h.e.Respond(h.clock, station.Response{ID: firstRequest + 1, Body: station.LocalListVersion{}}))
	h.want("request 1 ClearCache", "> error c2 InternalError")
	h.call("c3", "ClearCache", "{}")
	h.out(h.e.Respond(h.clock, station.Response{ID: firstRequest + 2}))
	h.want("request 2 ClearCache", "> error c3 InternalError")
}

func TestRepeatedMessageIDs(t *testing.T) {
	for _, c := range []struct {
		version rpc.Version
		want    []string
	}{
		{rpc.V201, []string{"> error c1 RpcFrameworkError", "bad message"}},
		{rpc.V21, nil},
	} {
		h := newTalk(t, c.version)
		h.accepted()
		h.call("c1", "ClearCache", "{}")
		h.want("request 0 ClearCache")
		h.call("c1", "ClearCache", "{}") // being handled already
		h.want(c.want...)
		h.respond(0, "Accepted")
		h.want(`> result c1 {"status":"Accepted"}`)
		h.pass(BadMessageEvery)
		h.call("c1", "ClearCache", "{}") // handled before
		h.want(c.want...)
		h.close()
		h.open()
		h.call("c1", "ClearCache", "{}") // the CSMS may have begun anew
		h.want("down", "up", "request 1 ClearCache")
	}
}

// A request that comes again once may be one whose answer was lost. One that comes again and again is a replay, told once and
// never carried out; where a CSMS is known to use its ids again, none is.
func TestReplayedRequests(t *testing.T) {
	for _, version := range []rpc.Version{rpc.V16, rpc.V21} {
		h := newTalk(t, version)
		h.accepted()
		h.call("c1", "ClearCache", "{}")
		h.want("request 0 ClearCache")
		for range 3 {
			h.call("c1", "ClearCache", "{}") // under way: whoever waits may ask
			h.want()
		}
		h.respond(0, "Accepted")
		h.want(`> result c1 {"status":"Accepted"}`)
		for i := range 5 {
			h.call("c1", "ClearCache", "{}")
			if i+1 == ReplaysTold {
				h.want("replayed")
			} else {
				h.want()
			}
		}
	}
}

func TestFramesThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name, frame string
		v201, v21   []string
	}{
		{"not JSON", `hello`, []string{"> error -1 RpcFrameworkError", "bad message"}, nil},
		{"cut off", `[2,"c","ClearCache",{`, []string{"> error c FormatViolation", "bad message"}, nil},
		{"no payload", `[2,"c","ClearCache"]`, []string{"> error c RpcFrameworkError", "bad message"}, nil},
		{"stray result", `[3,"c",{}]`, []string{}, nil},
		{"broken stray result", `[3,"c",7]`, []string{"bad message"}, []string{"> resulterror ProtocolError", "bad message"}},
		{"stray error", `[4,"c","InternalError","",{}]`, []string{}, nil},
		{"send", `[6,"c","Notify",{}]`, []string{"> error c MessageTypeNotSupported", "bad message"}, []string{}},
		{"result error", `[5,"c","InternalError","",{}]`, []string{"> error c MessageTypeNotSupported", "bad message"}, []string{}},
	} {
		for _, v := range []rpc.Version{rpc.V201, rpc.V21} {
			t.Run(fmt.Sprint(c.name, " in ", v), func(t *testing.T) {
				h := newTalk(t, v)
				h.accepted()
				h.frame("%s", c.frame)
				want := c.v201
				if v == rpc.V21 && c.v21 != nil {
					want = c.v21
				}
				h.want(want...)
				h.call("next", "ClearCache", "{}") // the session goes on
				h.want("request 0 ClearCache")
			})
		}
	}
}

func TestFloodOfBadFramesIsToldOnce(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	for range 100 {
		h.frame("garbage")
	}
	told := 0
	for _, line := range h.log {
		if line == "bad message" {
			told++
		}
	}
	if told != 1 || len(h.log) != 101 {
		t.Errorf("%d events and %d answers to 100 frames", told, len(h.log)-told)
	}
	h.pass(BadMessageEvery)
	o := h.e.Frame(h.clock, []byte("garbage"))
	if want := (station.BadMessage{Info: "frame is not a JSON array (and 99 before)"}); len(o.Events) != 1 || o.Events[0] != want {
		t.Errorf("got %v, want %v", o.Events, want)
	}
}

func TestFrameTooLong(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	o, more := h.e.Long(h.clock, []byte(`[2,"c","SendLocalList",{"a":"aaaaaaaa`))
	h.out(o)
	h.want("> error c FormatViolation", "bad message")
	if more {
		t.Error("more is wanted by a dialect that cannot read it")
	}
}
