package modbus

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// connected runs f with a client over TCP whose dialer hands out near ends; the far ends come from the channel.
func connected(t *testing.T, f func(t *testing.T, b *Bus, far <-chan net.Conn, refuse *bool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fars := make(chan net.Conn, 8)
		refuse := false
		b := newTCP("meters:502", Options{}, func(context.Context, string) (net.Conn, error) {
			if refuse {
				return nil, errors.New("connection refused")
			}
			near, far := net.Pipe()
			fars <- far
			return near, nil
		})
		defer b.Close()
		f(t, b, fars, &refuse)
	})
}

// answer reads a request of a known length and writes what is given.
func answer(far net.Conn, frames ...[]byte) {
	far.SetDeadline(time.Now().Add(time.Minute))
	io.ReadFull(far, make([]byte, 12))
	for _, f := range frames {
		far.Write(f)
	}
}

func reply(transaction uint16, unit uint8, value uint16) []byte {
	return AppendTCP(nil, transaction, unit, appendRegisters([]byte{readHolding}, []uint16{value}))
}

func TestTCPAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		frames [][]byte
		err    error
	}{
		"right":             {[][]byte{reply(1, 1, 5)}, nil},
		"in pieces":         {[][]byte{reply(1, 1, 5)[:3], reply(1, 1, 5)[3:8], reply(1, 1, 5)[8:]}, nil},
		"after a late one":  {[][]byte{reply(0, 1, 9), reply(1, 1, 5)}, nil},
		"silent":            {nil, ErrNoAnswer},
		"half":              {[][]byte{reply(1, 1, 5)[:9]}, ErrShort},
		"foreign":           {[][]byte{reply(1, 2, 5)}, ErrForeign},
		"twice":             {[][]byte{append(reply(1, 1, 5), reply(1, 1, 5)...)}, ErrAnswer},
		"no Modbus":         {[][]byte{[]byte("HTTP/1.1 400 ")}, ErrAnswer},
		"gateway's refusal": {[][]byte{AppendTCP(nil, 1, 1, []byte{readHolding | refused, 11})}, GatewayNoAnswer},
	} {
		connected(t, func(t *testing.T, b *Bus, fars <-chan net.Conn, _ *bool) {
			go func() { answer(<-fars, c.frames...) }()
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond) // one attempt
			defer cancel()
			got, err := b.Read(ctx, 1, Holding, 7, 1)
			if c.err == nil && (err != nil || got[0] != 5) || c.err != nil && !errors.Is(err, c.err) && !errors.Is(err, ErrNoAnswer) {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
			if c.err != nil && err == nil {
				t.Errorf("%s: got %v without an error", name, got)
			}
		})
	}
}

func TestTCPConnectsAgain(t *testing.T) {
	connected(t, func(t *testing.T, b *Bus, fars <-chan net.Conn, refuse *bool) {
		m := Memory{}
		m.Set(Holding, 7, 5)
		serve := func() net.Conn {
			far := <-fars
			go NewServer(map[uint8]Unit{1: m}).serveConn(t.Context(), far)
			return far
		}
		read := func() error {
			_, err := b.Read(t.Context(), 1, Holding, 7, 1)
			return err
		}
		served := make(chan net.Conn, 1)
		go func() { served <- serve() }()
		if err := read(); err != nil {
			t.Fatal(err)
		}
		(<-served).Close()
		go serve()
		if err := read(); err != nil {
			t.Fatal("a connection that was closed while idle: ", err)
		}
		*refuse = true
		b.wire.(*tcp).conn.Close() // as a reset does
		for range 8 {
			if err := read(); !errors.Is(err, ErrNoAnswer) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		*refuse = false
		time.Sleep(lastRedial + lastWithheld)
		go serve()
		if err := read(); err != nil {
			t.Fatal(err)
		}
	})
}

// A server and a client of this package understand each other over a real socket, and Close ends both.
func TestServerOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := Memory{}
	m.Set(Input, 0, 1, 2, 3)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- NewServer(map[uint8]Unit{7: m}).ServeTCP(ctx, l) }()
	b := DialTCP(l.Addr().String(), Options{Timeout: time.Minute})
	if got, err := b.Read(ctx, 7, Input, 0, 3); err != nil || got[2] != 3 {
		t.Fatal(got, err)
	}
	if _, err := b.Read(ctx, 8, Input, 0, 3); !errors.Is(err, GatewayNoAnswer) {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b.Close()
}
