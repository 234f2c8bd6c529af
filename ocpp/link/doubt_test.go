package link

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// stops tells every kept report as the end of a transaction.
type stops struct{ overSOAP }

func (d stops) Encode(r station.Report, t *ocpp.Table) ([]ocpp.Call, error) {
	if r.Class != station.Kept {
		return d.overSOAP.Encode(r, t)
	}
	payload := fmt.Appendf(nil, `{"transactionId":%d,"timestamp":"2026-01-01T00:00:00Z","meterStop":7}`, r.ID)
	return []ocpp.Call{{Report: r.ID, Action: "StopTransaction", Payload: payload}}, nil
}

// callsHeard is what a CSMS over SOAP got, in its order.
type callsHeard struct {
	mu   sync.Mutex // guards what follows
	got  []string
	ends int
}

// note takes down a call, and counts the ends of transactions.
func (h *callsHeard) note(m soap.Message) (end int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, m.Operation)
	if m.Operation == "StopTransaction" {
		h.ends++
		return h.ends
	}
	return 0
}

func (h *callsHeard) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// core plays the part of the core that is on the way of a kept report for as long as d, and returns what became of the reports.
func (w *world) core(d time.Duration) (settled []string) {
	w.l.SetGate(station.RegistrationAccepted)
	end := time.After(d)
	for {
		select {
		case ev := <-w.events:
			switch ev := ev.(type) {
			case station.LinkUp, station.Unheard:
				w.l.Send(station.Report{ID: 2, Body: station.Heartbeat{}})
			case station.ReplyReceived:
				if ev.Class == station.Kept {
					settled = append(settled, showEvent(ev))
				}
			}
		case <-end:
			return settled
		}
	}
}

func answerSOAP(rw http.ResponseWriter, m soap.Message) {
	payload := `{}`
	if m.Operation == "Heartbeat" {
		payload = `{"currentTime":"2026-01-01T00:00:00Z"}`
	}
	raw, err := soap.AppendResponse(nil, m.Version, soap.CentralSystem, m.Operation, soap.Header{RelatesTo: m.MessageID}, payload)
	if err != nil {
		panic(err)
	}
	rw.Header().Set("Content-Type", soapType)
	rw.Write(raw)
}

func faultSOAP(rw http.ResponseWriter, m soap.Message) {
	f := soap.Fault{Code: soap.Receiver, Subcode: soap.InternalError, Reason: "no"}
	rw.WriteHeader(f.Status())
	rw.Write(soap.AppendFault(nil, m.Version, soap.CentralSystem, soap.Header{}, f))
}

// Between two attempts to tell the end of a transaction stands a Heartbeat. A CSMS that answers that and never the other is
// given the end as often as it is configured, and then what comes behind it. A CSMS that answers neither, and one that cannot
// be reached, lose nothing (OCPP-S 1.6 errata 3.2).
func TestSOAPHeartbeatTellsWhoseFaultItIs(t *testing.T) {
	gateway := func(rw http.ResponseWriter, _ soap.Message) {
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(http.StatusInternalServerError)
		io.WriteString(rw, "<html>500</html>")
	}
	silence := func(http.ResponseWriter, soap.Message) { time.Sleep(50 * time.Second) }
	cut := func(http.ResponseWriter, soap.Message) { panic(http.ErrAbortHandler) }
	for _, c := range []struct {
		name    string
		first   func(http.ResponseWriter, soap.Message) // answers the first transaction's end
		other   func(http.ResponseWriter, soap.Message) // answers Heartbeats
		settled []string
		most    int // attempts in two hours
	}{
		{"fault", faultSOAP, answerSOAP, []string{"reply 1 Refused InternalError", "reply 3 HeartbeatReply"}, 3},
		{"error page", gateway, answerSOAP, []string{"reply 1 Refused NoAnswer", "reply 3 HeartbeatReply"}, 3},
		{"silence", silence, answerSOAP, []string{"reply 1 Refused NoAnswer", "reply 3 HeartbeatReply"}, 3},
		{"fault to everything", faultSOAP, faultSOAP, nil, 42},
		{"error page to everything", gateway, gateway, nil, 2},
		{"silence to everything", silence, silence, nil, 2},
		{"cut", cut, answerSOAP, nil, 721},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &callsHeard{}
			answer := func(_ *world, _ int, rw http.ResponseWriter, m soap.Message) {
				h.note(m)
				switch {
				case strings.Contains(string(m.Payload), `"transactionId":1,`):
					c.first(rw, m)
				case m.Operation == "Heartbeat":
					c.other(rw, m)
				default:
					answerSOAP(rw, m)
				}
			}
			s := &shelf{}
			s.add(1, "end")
			s.add(3, "end")
			change := func(o *Options) {
				o.Dialects, o.Outbox, o.Decode = []ocpp.Dialect{stops{overSOAP{plain{rpc.V16}}}}, s, decodeShelf
			}
			soapIn(t, change, answer, func(w *world) {
				if settled := w.core(2 * time.Hour); !slices.Equal(settled, c.settled) {
					t.Errorf("settled %q, want %q", settled, c.settled)
				}
			})
			got := h.list()
			ends := 0
			for i, op := range got {
				if op != "StopTransaction" {
					continue
				}
				if ends++; i > 0 && got[i-1] == op && ends <= c.most {
					t.Errorf("two attempts in a row: %q", got[:i+1])
				}
			}
			if ends -= len(c.settled) / 2; ends == 0 || ends > c.most || c.settled != nil && ends != c.most {
				t.Errorf("%d attempts, want %d", ends, c.most)
			}
		})
	}
}

// A CSMS that was away for a while, behind a gateway that said so, gets the end once, unchanged.
func TestSOAPEndComesAfterAnOutage(t *testing.T) {
	h := &callsHeard{}
	var payloads []string
	answer := func(w *world, _ int, rw http.ResponseWriter, m soap.Message) {
		h.note(m)
		if m.Operation == "StopTransaction" {
			payloads = append(payloads, string(m.Payload))
		}
		if time.Since(w.start) < 30*time.Minute {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		answerSOAP(rw, m)
	}
	s := &shelf{}
	s.add(1, "end")
	change := func(o *Options) {
		o.Dialects, o.Outbox, o.Decode = []ocpp.Dialect{stops{overSOAP{plain{rpc.V16}}}}, s, decodeShelf
	}
	soapIn(t, change, answer, func(w *world) {
		if settled := w.core(40 * time.Minute); !slices.Equal(settled, []string{"reply 1 HeartbeatReply"}) {
			t.Errorf("settled %q", settled)
		}
	})
	if len(payloads) != 2 || payloads[0] != payloads[1] {
		t.Errorf("told %q", payloads)
	}
}

// Over SOAP a fault is no attempt until another call was answered, and a Heartbeat that nobody sends is not waited for.
func TestFaultOverSOAPIsDoubted(t *testing.T) {
	h := newTalk(t, rpc.V16)
	h.gate(station.RegistrationAccepted)
	h.out(h.e.Opened(h.clock, stops{overSOAP{plain{rpc.V16}}}, 1, 0))
	h.log = nil
	h.keep(1, "end")
	for i := range 2 { // the core is silent
		h.want("> StopTransaction 0")
		h.refuse("InternalError")
		h.want("unheard")
		h.pass(time.Duration(i+1) * DefaultAttemptInterval)
	}
	for i := range 3 {
		h.want("> StopTransaction 0")
		h.refuse("InternalError")
		h.want("unheard")
		h.send(2, station.Heartbeat{})
		h.want("> Heartbeat 0")
		h.ack()
		if i < 2 {
			h.want("reply 2 HeartbeatReply")
			h.pass(3 * DefaultAttemptInterval)
		}
	}
	h.want("reply 1 Refused InternalError", "reply 2 HeartbeatReply")
}
