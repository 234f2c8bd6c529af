package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// Goals of a replay: the share of what one call at a time allows, and what an event adds to its round trip.
const (
	goalReplay      = 0.97
	goalReplayAdded = 0.01 // of the round trip, against a bare WebSocket
	replayRoundTrip = 20 * time.Millisecond
	rawCalls        = 100 // of a bare WebSocket, before and after
)

// turns is how long the link takes from an answer to the next frame: the agent's own part of a round trip.
type turns struct {
	heard time.Time
	took  []time.Duration
}

// trace sees the frames of a link, in its goroutine.
func (t *turns) trace(_ time.Time, d link.Direction, _ []byte) {
	if d == link.Received {
		t.heard = time.Now()
		return
	}
	t.took = append(t.took, time.Since(t.heard))
}

// replay lets an agent tell a queue of events over a network.
func replay(dir string, events int, n *laggedNet, t *turns) (*ledger, error) {
	if err := fillQueue(dir, events); err != nil {
		return nil, err
	}
	g := newLedger(n, events)
	defer g.close()
	a, err := openAgent(dir, g.url, n.dial, t.trace)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	end, err := a.start(ctx)
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(10*n.delay*time.Duration(events) + time.Minute)
	defer patience.Stop()
	select {
	case <-g.full:
		err = a.drained()
	case <-patience.C:
		err = errors.New("the queue was not told in time")
	}
	cancel()
	end()
	_ = n.Close()
	if left := a.store.OutboxLen(); left > 0 {
		err = errors.Join(err, fmt.Errorf("%d events are kept though they were answered", left))
	}
	return g, errors.Join(err, a.writer.Close(), g.audit())
}

// drained waits until the answer to the last event has been taken in.
func (a *agent) drained() error {
	for range 100 {
		if a.store.OutboxLen() == 0 {
			return nil
		}
		time.Sleep(replayRoundTrip)
	}
	return errors.New("the last answer was not taken in")
}

// pace is how far calls were apart, one by one.
type pace []time.Duration

// rate is calls a second.
func (p pace) rate() float64 {
	var sum time.Duration
	for _, d := range p {
		sum += d
	}
	return float64(len(p)) / sum.Seconds()
}

// rawReplay makes calls one at a time over such a network with a bare WebSocket, which has the bytes of an event ready: the
// limit in practice.
func rawReplay(calls int, roundTrip time.Duration) (pace, error) {
	frame, err := queuedFrame()
	if err != nil {
		return nil, err
	}
	n := newLaggedNet(roundTrip, timerLate)
	defer n.Close()
	g := newLedger(n, calls)
	defer g.close()
	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, g.url, &websocket.DialOptions{Subprotocols: []string{rpc.V201.Subprotocol()}, HTTPClient: n.client()})
	if err != nil {
		return nil, err
	}
	defer c.CloseNow()
	for range calls {
		if err := c.Write(ctx, websocket.MessageText, frame); err != nil {
			return nil, err
		}
		if _, _, err := c.Read(ctx); err != nil {
			return nil, err
		}
	}
	return g.pace(), nil
}

// queuedFrame is an event as it is sent.
func queuedFrame() ([]byte, error) {
	calls, err := dialect2.New(rpc.V201).Encode(station.Report{ID: 1, Class: station.Kept, Body: queuedEvent(queuePerTx / 2)}, ocpp.NewTable())
	if err != nil {
		return nil, err
	}
	if len(calls) != 1 {
		return nil, fmt.Errorf("an event became %d calls", len(calls))
	}
	return rpc.AppendCall(nil, "bench-1", calls[0].Action, calls[0].Payload), nil
}

// replaySection measures a replay in real time against the limit.
func replaySection(o options) (*section, error) {
	before, err := rawReplay(rawCalls, replayRoundTrip)
	if err != nil {
		return nil, err
	}
	var t turns
	g, err := replay(filepath.Join(o.work, "replay"), o.replay, newLaggedNet(replayRoundTrip, timerLate), &t)
	if err != nil {
		return nil, err
	}
	after, err := rawReplay(rawCalls, replayRoundTrip)
	if err != nil {
		return nil, err
	}
	return replayReport(g.pace(), append(before, after...), t.took)
}

func replayReport(ours, raw pace, turns []time.Duration) (*section, error) {
	events, limit := len(ours)+1, 1/replayRoundTrip.Seconds()
	s := &section{
		title: fmt.Sprintf("A replay at a round trip of %v", replayRoundTrip),
		about: fmt.Sprintf("%d events that waited in the outbox, told by core, loop, storage and link as the product wires them, over a network in this\n"+
			"process that delays every byte by half the round trip. OCPP allows one call at a time: the limit is one event a round trip.\n"+
			"A bare WebSocket sends %d such events over such a network before, and as many after. All were heard once, in their order.", events, rawCalls),
		head: []string{"", "events/s", "of the limit", "apart, median", "p99"},
	}
	s.row("one a round trip", fmt.Sprintf("%.2f", limit), "100.0 %", ms(replayRoundTrip), "")
	for _, p := range []struct {
		name string
		pace pace
	}{{"bare WebSocket", raw}, {"evsed", ours}} {
		rate := p.pace.rate()
		s.row(p.name, fmt.Sprintf("%.2f", rate), fmt.Sprintf("%.1f %%", 100*rate/limit), ms(median(p.pace)), ms(percentile(p.pace, 99)))
	}
	share, added := ours.rate()/limit, (median(ours)-median(raw)).Seconds()/replayRoundTrip.Seconds()
	s.goal(share >= goalReplay, "replay, of one event a round trip", fmt.Sprintf(">= %.0f %%", 100*goalReplay), "%.1f %%", 100*share)
	s.goal(added <= goalReplayAdded, "replay, added to a round trip", fmt.Sprintf("<= %.0f %%", 100*goalReplayAdded), "%.2f %%", 100*added)
	own := median(turns).Seconds() / replayRoundTrip.Seconds()
	s.goal(own <= goalReplayAdded, "replay, from an answer to the next event in the link", fmt.Sprintf("<= %.0f %%", 100*goalReplayAdded), "%.2f %%", 100*own)
	f := &figures{rig: "replay"}
	f.add("own", float64(median(turns).Nanoseconds())/1e3, "us", "from an answer to the next event in the link, median")
	f.add("events", float64(events), "events", "told in real time at a round trip of %v, each once, in order", replayRoundTrip)
	f.add("share", 100*share, "%", "of one event a round trip")
	f.add("raw-share", 100*raw.rate()/limit, "%", "of one event a round trip: a bare WebSocket over such a network")
	f.add("added", 100*added, "%", "of a round trip that an event takes longer than with a bare WebSocket, median")
	return s, f.write()
}
