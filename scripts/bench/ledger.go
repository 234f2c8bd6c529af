package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// told is a TransactionEvent as far as a ledger needs it.
type told struct {
	EventType       string
	SeqNo           int
	TransactionInfo struct{ TransactionID string }
}

// ledger is a CSMS that says yes and writes down every transaction event that it heard.
type ledger struct {
	url    string
	http   http.Server
	wanted int
	full   chan struct{} // closed when wanted events were heard

	mu     sync.Mutex // guards what follows
	events []told
	last   time.Time
	apart  []time.Duration // from the arrival of an event to that of the next
}

func newLedger(l net.Listener, wanted int) *ledger {
	g := &ledger{url: "ws://csms.test/", wanted: wanted, full: make(chan struct{})}
	g.http.Handler = g
	go func() { _ = g.http.Serve(l) }()
	return g
}

func (g *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{rpc.V201.Subprotocol()}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	ctx := context.Background()
	for {
		_, frame, err := c.Read(ctx)
		if err != nil {
			return
		}
		at := time.Now()
		answer, action := quickReply(frame)
		if action == "" {
			continue
		}
		if err := c.Write(ctx, websocket.MessageText, answer); err != nil {
			return
		}
		if action == transactionEvent {
			g.enter(at, frame)
		}
	}
}

const transactionEvent = "TransactionEvent"

// quickReply is reply, with a shorter way for a TransactionEvent: what the server does is in every round trip.
func quickReply(frame []byte) (answer []byte, action string) {
	head, _, ok := bytes.Cut(frame, []byte(`,"`+transactionEvent+`",{`))
	id, call := bytes.CutPrefix(head, []byte(`[2,`))
	if !ok || !call || bytes.ContainsAny(id, ",{") {
		return reply(frame)
	}
	return fmt.Appendf(nil, `[3,%s,{}]`, id), transactionEvent
}

// enter writes an event down, once it has been answered.
func (g *ledger) enter(at time.Time, frame []byte) {
	var e told
	call := []any{nil, nil, nil, &e}
	if json.Unmarshal(frame, &call) != nil {
		return // it is missed at the end
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.events) > 0 {
		g.apart = append(g.apart, at.Sub(g.last))
	}
	g.last = at
	g.events = append(g.events, e)
	if len(g.events) == g.wanted {
		close(g.full)
	}
}

var eventTypes = map[station.Phase]string{station.PhaseStarted: "Started", station.PhaseUpdated: "Updated", station.PhaseEnded: "Ended"}

// audit compares what was heard with the events that waited: all of them, each once, in their order.
func (g *ledger) audit() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, e := range g.events {
		want := queuedEvent(n)
		if e.TransactionInfo.TransactionID != string(want.Transaction) || e.SeqNo != want.SeqNo || e.EventType != eventTypes[want.Phase] {
			return fmt.Errorf("event %d is %+v, want %s number %d of %s", n, e, eventTypes[want.Phase], want.SeqNo, want.Transaction)
		}
	}
	if len(g.events) != g.wanted {
		return fmt.Errorf("%d events heard of %d", len(g.events), g.wanted)
	}
	return nil
}

// pace says how far events were apart.
func (g *ledger) pace() pace {
	g.mu.Lock()
	defer g.mu.Unlock()
	return pace(g.apart)
}

func (g *ledger) close() { _ = g.http.Close() }
