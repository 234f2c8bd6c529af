package main

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// laggedNet is a network in this process: every byte arrives half a round trip after it was sent, in its order.
type laggedNet struct {
	delay time.Duration // one way
	early time.Duration // how long before that it stays awake, because a timer wakes late; 0 in virtual time
	calls chan net.Conn
	once  sync.Once
	gone  chan struct{}
}

// timerLate is what a timer is late at most, on a machine that is not overloaded.
const timerLate = time.Millisecond

func newLaggedNet(roundTrip, early time.Duration) *laggedNet {
	return &laggedNet{delay: roundTrip / 2, early: early, calls: make(chan net.Conn), gone: make(chan struct{})}
}

// Accept, Close and Addr make it the listener of its only server.
func (n *laggedNet) Accept() (net.Conn, error) {
	select {
	case c := <-n.calls:
		return c, nil
	case <-n.gone:
		return nil, net.ErrClosed
	}
}

func (n *laggedNet) Close() error {
	n.once.Do(func() { close(n.gone) })
	return nil
}

func (n *laggedNet) Addr() net.Addr { return &net.UnixAddr{Name: "lagged"} }

// dial is a link's way to the server.
func (n *laggedNet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	station, near := net.Pipe()
	far, server := net.Pipe()
	select {
	case n.calls <- server:
	case <-n.gone:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	go n.carry(near, far)
	go n.carry(far, near)
	return station, nil
}

// parcel is what was sent at once.
type parcel struct {
	data []byte
	due  time.Time
}

// underWay bounds the parcels between two ends; a sender that is faster waits.
const underWay = 256

// carry takes from one end to the other until either is closed, and then closes the other.
func (n *laggedNet) carry(from, to net.Conn) {
	way := make(chan parcel, underWay)
	go func() {
		defer close(way)
		buf := make([]byte, 16<<10)
		for {
			k, err := from.Read(buf)
			if err != nil {
				return
			}
			way <- parcel{append([]byte(nil), buf[:k]...), time.Now().Add(n.delay)}
		}
	}()
	for p := range way {
		n.wait(p.due)
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
	for range way { // until the reader has seen that it is over
	}
}

func (n *laggedNet) wait(due time.Time) {
	time.Sleep(time.Until(due) - n.early)
	for time.Now().Before(due) {
		runtime.Gosched()
	}
}

// client is an HTTP client's way to the server.
func (n *laggedNet) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.dial, DisableKeepAlives: true}}
}
