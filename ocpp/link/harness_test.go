package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// plain is a dialect of one-line payloads: {"r":7} is report 7. What it is to fail at stands in the report or payload.
type plain struct{ version rpc.Version }

func (d plain) Version() rpc.Version { return d.version }

func (d plain) Encode(r station.Report, _ *ocpp.Table) ([]ocpp.Call, error) {
	action := strings.TrimPrefix(strings.TrimLeft(fmt.Sprintf("%T", r.Body), "*"), "station.")
	n := 1
	if s, ok := r.Body.(station.SecurityEvent); ok {
		switch s.Type {
		case "unencodable":
			return nil, errors.New("cannot be told")
		case "untold":
			n = 0
		case "twice":
			n = 2
		}
	}
	var calls []ocpp.Call
	for range n {
		calls = append(calls, ocpp.Call{Report: r.ID, Action: action, Payload: fmt.Appendf(nil, `{"r":%d}`, r.ID)})
	}
	return calls, nil
}

func (d plain) Result(c ocpp.Call, payload string, _ *ocpp.Table) (station.Reply, error) {
	if strings.Contains(payload, "bad") {
		return nil, &rpc.DecodeError{Code: rpc.TypeConstraintViolation, Path: "x", Reason: "bad"}
	}
	if c.Action == "BootNotification" {
		return station.BootReply{Status: station.RegistrationAccepted}, nil
	}
	return station.Acknowledged{}, nil
}

func (d plain) Request(action, payload string, _ *ocpp.Table, _ ocpp.Stage) (station.Request, error) {
	switch {
	case action != "ClearCache" && action != "GetVariables":
		return nil, &ocpp.RequestError{Code: rpc.NotImplemented, Description: "no " + action}
	case strings.Contains(payload, "bad"):
		return nil, &ocpp.RequestError{Code: rpc.FormatViolation, Description: "bad"}
	case action == "GetVariables":
		return station.GetVariables{}, nil
	}
	return station.ClearCache{}, nil
}

func (d plain) Respond(dst []byte, _ string, _ station.Request, body station.ResponseBody) ([]byte, error) {
	s, ok := body.(station.Status)
	if !ok {
		return dst, errors.New("wrong body")
	}
	return fmt.Appendf(dst, `{"status":%q}`, s.Status), nil
}

// shelf is an outbox in memory. The value of an entry is its SecurityEvent's type; "undecodable" is just that.
type shelf struct {
	entries []Entry
	fail    error
}

func (s *shelf) Head(after string, max int) ([]Entry, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	i, found := slices.BinarySearchFunc(s.entries, after, func(e Entry, k string) int { return strings.Compare(e.Key, k) })
	if found {
		i++
	}
	rest := s.entries[i:]
	return slices.Clone(rest[:min(len(rest), max)]), nil
}

func (s *shelf) add(id station.ReportID, kind string) {
	s.entries = append(s.entries, Entry{id.Key(), []byte(kind)})
}

func decodeShelf(id station.ReportID, value []byte) (station.Report, error) {
	if string(value) == "undecodable" {
		return station.Report{}, errors.New("broken value")
	}
	return station.Report{ID: id, Class: station.Kept, Body: station.SecurityEvent{Type: string(value)}}, nil
}

// talk is a dialogue with an Engine: inputs as methods, outputs as lines that want compares.
type talk struct {
	t     testing.TB
	e     *Engine
	shelf *shelf
	d     plain
	clock time.Time
	due   time.Time
	log   []string
	last  string // id of the last CALL
}

func newTalk(t testing.TB, v rpc.Version) *talk {
	s := &shelf{}
	e := NewEngine(EngineOptions{Outbox: s, Decode: decodeShelf, IDPrefix: "m"})
	return &talk{t: t, e: e, shelf: s, d: plain{v}, clock: epoch}
}

func (h *talk) out(o *Output) {
	for _, f := range o.Frames {
		h.log = append(h.log, h.show(f))
	}
	for _, ev := range o.Events {
		h.log = append(h.log, showEvent(ev))
	}
	if o.Close != nil {
		h.log = append(h.log, fmt.Sprintf("close %d %s", o.Close.Code, o.Close.Reason))
	}
	h.due = o.Deadline
}

func (h *talk) show(f []byte) string {
	var parts []json.RawMessage
	if err := json.Unmarshal(f, &parts); err != nil {
		h.t.Fatalf("frame %q: %v", f, err)
	}
	str := func(i int) (s string) {
		if err := json.Unmarshal(parts[i], &s); err != nil {
			h.t.Fatalf("frame %q: %v", f, err)
		}
		return s
	}
	switch string(parts[0]) {
	case "2":
		h.last = str(1)
		var p struct{ R int }
		if err := json.Unmarshal(parts[3], &p); err != nil {
			h.t.Fatalf("frame %q: %v", f, err)
		}
		return fmt.Sprintf("> %s %d", str(2), p.R)
	case "3":
		return fmt.Sprintf("> result %s %s", str(1), parts[2])
	case "4":
		return fmt.Sprintf("> error %s %s", str(1), str(2))
	case "5":
		return fmt.Sprintf("> resulterror %s", str(2))
	}
	h.t.Fatalf("frame %q", f)
	return ""
}

func showEvent(ev station.Event) string {
	switch ev := ev.(type) {
	case station.ReplyReceived:
		kind := strings.TrimPrefix(fmt.Sprintf("%T", ev.Reply), "station.")
		if r, ok := ev.Reply.(station.Refused); ok {
			kind += " " + r.Code
		}
		return fmt.Sprintf("reply %d %s", ev.ID, kind)
	case station.RequestReceived:
		return fmt.Sprintf("request %d %s", ev.ID-firstRequest, strings.TrimPrefix(fmt.Sprintf("%T", ev.Request), "station."))
	case station.BadMessage:
		return "bad message"
	case station.Replayed:
		return "replayed"
	case station.LinkUp:
		return "up"
	case station.LinkDown:
		return "down"
	}
	if _, ok := ev.(station.Unregistered); ok {
		return "unregistered"
	}
	if _, ok := ev.(station.Unheard); ok {
		return "unheard"
	}
	return fmt.Sprintf("%T", ev)
}

func (h *talk) open()                        { h.out(h.e.Opened(h.clock, h.d, 1, 0)) }
func (h *talk) close()                       { h.out(h.e.Closed(h.clock, "test")) }
func (h *talk) gate(r station.Registration)  { h.out(h.e.Gate(h.clock, r)) }
func (h *talk) wake()                        { h.out(h.e.Woken(h.clock)) }
func (h *talk) frame(f string, args ...any)  { h.out(h.e.Frame(h.clock, fmt.Appendf(nil, f, args...))) }
func (h *talk) ack()                         { h.frame(`[3,%q,{}]`, h.last) }
func (h *talk) refuse(code string)           { h.frame(`[4,%q,%q,"",{}]`, h.last, code) }
func (h *talk) call(id, action, body string) { h.frame(`[2,%q,%q,%s]`, id, action, body) }

func (h *talk) respond(n int, status string) {
	h.out(h.e.Respond(h.clock, station.Response{ID: firstRequest + station.RequestID(n), Body: station.Status{Status: status}}))
}

func (h *talk) send(id station.ReportID, body station.ReportBody) {
	h.out(h.e.Send(h.clock, station.Report{ID: id, Body: body}))
}

func (h *talk) early(id station.ReportID, body station.ReportBody) {
	h.out(h.e.Send(h.clock, station.Report{ID: id, Body: body, Early: true}))
}

func (h *talk) latest(id station.ReportID, slot string) {
	h.out(h.e.Send(h.clock, station.Report{ID: id, Class: station.Latest, Slot: slot, Body: station.StatusNotification{}}))
}

func (h *talk) keep(id station.ReportID, kind string) {
	h.shelf.add(id, kind)
	h.wake()
}

// pass lets time pass, ticking at every deadline.
func (h *talk) pass(d time.Duration) {
	end := h.clock.Add(d)
	for !h.due.IsZero() && !h.due.After(end) {
		if h.due.After(h.clock) {
			h.clock = h.due
		}
		before := h.due
		h.out(h.e.Tick(h.clock))
		if h.due.Equal(before) {
			h.t.Fatalf("deadline %v stands after its tick", before)
		}
	}
	h.clock = end
	h.out(h.e.Tick(h.clock))
}

// accepted opens the connection of a station that the CSMS has accepted, and forgets what was said.
func (h *talk) accepted() {
	h.gate(station.RegistrationAccepted)
	h.open()
	h.log = nil
}

// want compares everything that came out since the last want.
func (h *talk) want(lines ...string) {
	h.t.Helper()
	if !slices.Equal(h.log, lines) {
		h.t.Fatalf("got\n\t%s\nwant\n\t%s", strings.Join(h.log, "\n\t"), strings.Join(lines, "\n\t"))
	}
	h.log = nil
}
