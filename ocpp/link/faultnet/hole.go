package faultnet

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// Fate is what becomes of bytes beyond the budget of a Hole.
type Fate uint8

const (
	Swallow Fate = iota // written bytes vanish, nothing is read any more, and nobody says so: a black hole
	Block               // written bytes block the writer, as a full window does; reading as with Swallow
	Reset               // the connection is torn: reading and writing fail
)

// Hole is a connection that lets only so many bytes through in each direction.
type Hole struct {
	net.Conn
	fate   Fate
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex // everything below
	in, out int        // bytes still let through; < 0: all
}

// NewHole puts a hole behind in bytes read and out bytes written; < 0: none in that direction.
func NewHole(c net.Conn, in, out int, fate Fate) *Hole {
	return &Hole{Conn: c, in: in, out: out, fate: fate, closed: make(chan struct{})}
}

// Cut replaces the budgets: 0, 0 makes the connection half-open now. A Read that is under way still brings one chunk.
func (h *Hole) Cut(in, out int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.in, h.out = in, out
}

// some takes at most n from *budget; not counted: there is no budget.
func (h *Hole) some(budget *int, n int) (_ int, counted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if *budget < 0 {
		return n, false
	}
	n = min(n, *budget)
	*budget -= n
	return n, true
}

func (h *Hole) Read(p []byte) (int, error) {
	n, counted := h.some(&h.in, len(p))
	if n == 0 && len(p) > 0 {
		if h.fate == Reset {
			return 0, h.tear()
		}
		<-h.closed
		return 0, io.ErrClosedPipe
	}
	m, err := h.Conn.Read(p[:n])
	h.mu.Lock()
	if counted && h.in >= 0 {
		h.in += n - m
	}
	h.mu.Unlock()
	return m, err
}

func (h *Hole) Write(p []byte) (int, error) {
	n, _ := h.some(&h.out, len(p))
	if n > 0 {
		if m, err := h.Conn.Write(p[:n]); err != nil {
			return m, err
		}
	}
	switch {
	case n == len(p) || h.fate == Swallow:
		return len(p), nil
	case h.fate == Reset:
		return n, h.tear()
	}
	<-h.closed
	return n, io.ErrClosedPipe
}

// tear ends the connection for both sides.
func (h *Hole) tear() error {
	_ = h.Close()
	return syscall.ECONNRESET
}

// Close ends the connection and wakes whoever waits in it.
func (h *Hole) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.Conn.Close()
}
