package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// Goals of a call on an open connection.
const (
	goalRoundTrip       = 1.15
	goalRoundTripAllocs = 3
)

// caller makes one Heartbeat and waits for its answer.
type caller interface {
	call() error
	close()
}

// rawCaller is a WebSocket and nothing else: the limit.
type rawCaller struct{ c *websocket.Conn }

func newRawCaller(url string) (caller, error) {
	c, err := dialRaw(context.Background(), url+"/raw")
	return &rawCaller{c}, err
}

var rawHeartbeat = []byte(`[2,"` + callID + `","Heartbeat",{}]`)

func (r *rawCaller) call() error {
	if err := r.c.Write(context.Background(), websocket.MessageText, rawHeartbeat); err != nil {
		return err
	}
	_, _, err := r.c.Read(context.Background())
	return err
}

func dialRaw(ctx context.Context, url string) (*websocket.Conn, error) {
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{rpc.V201.Subprotocol()}})
	return c, err
}

func (r *rawCaller) close() { _ = r.c.CloseNow() }

// linkCaller is the product's link: queue, dialect, engine and socket.
type linkCaller struct {
	l      *link.Link
	events chan station.Event
	cancel context.CancelFunc
	done   chan struct{}
	id     station.ReportID
}

// patience is how long an answer on loopback may take.
const patience = 10 * time.Second

func newLinkCaller(url string) (caller, error) {
	c := &linkCaller{events: make(chan station.Event, 16), done: make(chan struct{})}
	var err error
	c.l, err = link.New(link.Options{
		Config: link.Config{Identity: "evsed", Profiles: []link.Profile{{Slot: 1,
			NetworkProfile: station.NetworkProfile{URL: url, Versions: []string{rpc.V201.Subprotocol()}}}}},
		Dialects: []ocpp.Dialect{dialect2.New(rpc.V201)}, Events: c.events, IDPrefix: "bench",
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() {
		defer close(c.done)
		_ = c.l.Run(ctx)
	}()
	c.l.SetGate(station.RegistrationAccepted)
	for {
		select {
		case ev := <-c.events:
			if _, up := ev.(station.LinkUp); up {
				return c, nil
			}
		case <-time.After(patience):
			c.close()
			return nil, errors.New("no connection")
		}
	}
}

func (c *linkCaller) call() error {
	c.id++
	if !c.l.Send(station.Report{ID: c.id, Body: station.Heartbeat{}}) {
		return errors.New("the link took no report")
	}
	for ev := range c.events {
		r, ok := ev.(station.ReplyReceived)
		if !ok {
			continue
		}
		if _, ok := r.Reply.(station.HeartbeatReply); !ok || r.ID != c.id {
			return fmt.Errorf("got %+v", r)
		}
		break
	}
	return nil
}

func (c *linkCaller) close() { c.cancel(); <-c.done }

// peerCaller is ocpp-go's station.
type peerCaller struct{ s ocpp2.ChargingStation }

func newPeerCaller(url string) (caller, error) {
	s := ocpp2.NewChargingStation("ocpp-go", nil, nil)
	return &peerCaller{s}, s.Start(url)
}

func (p *peerCaller) call() error {
	_, err := p.s.Heartbeat()
	return err
}

func (p *peerCaller) close() { p.s.Stop() }

// roundTripSection compares calls on open connections to one server in a process of its own.
func roundTripSection(o options) (*section, error) {
	url, _, stop, err := startChild("serve")
	if err != nil {
		return nil, err
	}
	defer stop()
	var contenders []contender
	for _, c := range []struct {
		name string
		open func(url string) (caller, error)
	}{{"coder/websocket", newRawCaller}, {"evsed link", newLinkCaller}, {"ocpp-go", newPeerCaller}} {
		caller, err := c.open(url)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		defer caller.close()
		contenders = append(contenders, contender{c.name, repeat(caller.call)})
	}
	times := race(o.laps, contenders...)
	s := &section{
		title: "A call and its answer on an open connection",
		about: "Heartbeat over loopback to a server in a process of its own, one at a time. The link's way is the whole one: from a report\n" +
			"of the core to the event that brings its reply.",
		head: []string{"client", "min", "median", "allocs", "ratio", "of min"},
	}
	for _, t := range times {
		s.row(t.name, short(t.min), short(t.median), fmt.Sprintf("%.0f", t.allocs), fmt.Sprintf("%.2f", t.against(times[0])),
			fmt.Sprintf("%.2f", ratio(t.min, times[0].min)))
	}
	r := times[1].against(times[0])
	s.goal(r <= goalRoundTrip, "call round trip", fmt.Sprintf("<= %.2f x raw WebSocket", goalRoundTrip), "%.2f x", r)
	s.goal(times[1].allocs <= goalRoundTripAllocs, "call round trip", fmt.Sprintf("<= %d allocs", goalRoundTripAllocs), "%.0f", times[1].allocs)
	return s, nil
}
