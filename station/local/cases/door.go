package cases

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// door is a listener that tells TLS from plain text by the first byte, so that one address has both.
type door struct {
	s    *CSMS
	in   chan net.Conn
	gone chan struct{}
	once sync.Once
	wg   sync.WaitGroup
}

func newDoor(s *CSMS) *door {
	d := &door{s: s, in: make(chan net.Conn), gone: make(chan struct{})}
	d.wg.Go(d.run)
	return d
}

// run takes connections until the network is closed.
func (d *door) run() {
	for {
		c, err := d.s.At.Accept()
		if err != nil {
			return
		}
		d.wg.Go(func() { d.let(c) })
	}
}

const recordHandshake = 22 // the content type of the first record of TLS

// shakeTime bounds a handshake, for a station that waits for ever.
const shakeTime = time.Minute

func (d *door) let(c net.Conn) {
	p := &peeked{Conn: c, r: bufio.NewReader(c)}
	first, err := p.r.Peek(1)
	if err != nil {
		_ = c.Close()
		return
	}
	var out net.Conn = p
	if first[0] == recordHandshake {
		if out = d.shake(p); out == nil {
			return
		}
	}
	select {
	case d.in <- out:
	case <-d.gone:
		_ = c.Close()
	}
}

// shake makes a handshake; nil: it came to nothing.
func (d *door) shake(c net.Conn) net.Conn {
	var config *tls.Config
	d.s.With(func() { config = d.s.TLS })
	if config == nil {
		_ = c.Close()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), shakeTime)
	defer cancel()
	t := tls.Server(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		d.s.With(func() { d.s.refused = append(d.s.refused, err) })
		_ = c.Close()
		return nil
	}
	return t
}

// Accept, Close and Addr make it a listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.in:
		return c, nil
	case <-d.gone:
		return nil, net.ErrClosed
	}
}

// Close lets nobody in any more.
func (d *door) Close() error {
	d.once.Do(func() { close(d.gone) })
	return nil
}

// Addr is that of the network.
func (d *door) Addr() net.Addr { return d.s.At.Addr() }

// wait is until everybody has left, which they do when the network closes.
func (d *door) wait() {
	_ = d.s.At.Close()
	d.wg.Wait()
}

// peeked is a connection of which the first byte was looked at.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

// File is what the station has put.
type File struct {
	Path, User, Password string
	Data                 string
}

// file takes a file of the station, or answers as the case wants.
func (s *CSMS) file(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		data, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		s.With(func() { s.Files = append(s.Files, File{r.URL.Path, user, password, string(data)}) })
	}
	var h http.Handler
	s.With(func() { h = s.Handler })
	switch {
	case h != nil:
		h.ServeHTTP(w, r)
	case r.Method == http.MethodGet:
		http.NotFound(w, r)
	}
}
