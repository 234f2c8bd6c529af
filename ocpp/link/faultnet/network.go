package faultnet

import (
	"context"
	"net"
	"sync"
	"time"
)

// Wire makes a connection a bad one. n counts the connections from 1. nil: there is no way there, the dialler waits until
// it gives up.
type Wire func(n int, c net.Conn) net.Conn

// Network is a net.Listener within the process, and the way to it. Its methods may be called from any goroutine.
type Network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex // everything below
	wire  Wire
	dials []time.Time
}

// NewNetwork returns a network without faults.
func NewNetwork() *Network {
	return &Network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// SetWire lets later connections run over w; nil: over nothing special.
func (n *Network) SetWire(w Wire) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wire = w
}

// Dials returns when connections were asked for.
func (n *Network) Dials() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]time.Time(nil), n.dials...)
}

// Dial connects to the listener, whatever the address.
func (n *Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	n.mu.Lock()
	n.dials = append(n.dials, time.Now())
	i, wire := len(n.dials), n.wire
	n.mu.Unlock()
	c := near
	if wire != nil {
		if c = wire(i, near); c == nil {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	select {
	case n.conns <- far:
		return c, nil
	case <-ctx.Done():
	case <-n.closed:
	}
	_ = c.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, net.ErrClosed
}

// Accept is the listener's side.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is part of net.Listener.
func (n *Network) Addr() net.Addr { return &net.UnixAddr{Name: "faultnet"} }
