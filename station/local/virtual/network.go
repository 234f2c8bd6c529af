package virtual

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/link/faultnet"
)

// wire is the simulated way to the CSMS: real TCP on loopback with latency, and with the delays that lost packets cost.
type wire struct {
	base link.DialFunc // what lies below; nil: TCP. Set before the first dial

	mu      sync.Mutex // everything below
	latency time.Duration
	loss    float64 // percent
}

// retransmission is what the first loss of a packet costs; each further one doubles it (RFC 6298 has 1 s to begin with,
// Linux 200 ms).
const retransmission = 200 * time.Millisecond

// maxRetransmissions bounds the doubling.
const maxRetransmissions = 6

func (w *wire) set(latency time.Duration, loss float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency, w.loss = latency, loss
}

// delay is how long the next chunk takes.
func (w *wire) delay() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.latency
	for i := 0; i < maxRetransmissions && rand.Float64()*100 < w.loss; i++ {
		d += retransmission << i
	}
	return d
}

// dial connects through the wire.
func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dial := w.base
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	c, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return faultnet.Line(c, w.delay), nil
}
