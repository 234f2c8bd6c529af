package faultnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

func TestNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetWire(func(i int, c net.Conn) net.Conn {
			if i == 1 {
				return nil // no way
			}
			return c
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if c, err := n.Dial(ctx, "tcp", "x"); c != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("%v, %v after %v", c, err, time.Since(begin))
		}
		go func() {
			c, err := n.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}()
		c, err := n.Dial(t.Context(), "tcp", "x")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(c); string(text) != "hello" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		_ = n.Close()
		if _, err := n.Dial(t.Context(), "tcp", "x"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		if _, err := n.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		if len(n.Dials()) != 3 {
			t.Errorf("dials %v", n.Dials())
		}
	})
}

// TestHoleLetsSoManyBytesThrough: in each direction, and then comes its fate.
func TestHoleLetsSoManyBytesThrough(t *testing.T) {
	message := []byte("0123456789")
	for _, fate := range []Fate{Swallow, Block, Reset} {
		for n := range len(message) + 1 {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				h := NewHole(near, -1, n, fate)
				var got []byte
				done := make(chan struct{})
				go func() {
					defer close(done)
					got, _ = io.ReadAll(far)
				}()
				blocked := time.AfterFunc(time.Hour, func() { _ = h.Close() })
				m, err := h.Write(message)
				waited := !blocked.Stop()
				_ = h.Close()
				<-done
				if !bytes.Equal(got, message[:n]) {
					t.Errorf("fate %d: %q came through of %d", fate, got, n)
				}
				switch whole := n == len(message); {
				case whole || fate == Swallow:
					if m != len(message) || err != nil || waited {
						t.Errorf("fate %d: wrote %d, %v", fate, m, err)
					}
				case fate == Block && (!waited || err == nil), fate == Reset && !errors.Is(err, syscall.ECONNRESET):
					t.Errorf("fate %d: wrote %d, %v, waited is %v", fate, m, err, waited)
				}
				in := NewHole(far, 0, -1, Reset)
				if _, err := in.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("read: %v", err)
				}
			})
		}
	}
}

// TestLineKeepsTheOrder: a chunk with a shorter way does not overtake the one before.
func TestLineKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		delays := []time.Duration{5 * time.Second, time.Second, 0}
		l := Line(near, func() time.Duration {
			if len(delays) == 0 {
				return 0
			}
			d := delays[0]
			delays = delays[1:]
			return d
		})
		begin := time.Now()
		for _, s := range []string{"a", "b", "c"} {
			if _, err := l.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "abc" || time.Since(begin) != 5*time.Second {
			t.Errorf("%q, %v after %v", got, err, time.Since(begin))
		}
		_ = l.Close()
		if _, err := l.Write([]byte("d")); err == nil {
			t.Error("a closed line takes bytes")
		}
		if _, err := l.Read(got); err == nil {
			t.Error("a closed line brings bytes")
		}
	})
}

// TestServers: what a client sees of each.
func TestServers(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler http.Handler
		status  int // of the handshake
		code    websocket.StatusCode
		after   time.Duration
	}{
		{"refused", Refuse(503), 503, -1, 0},
		{"redirected", Redirect("/elsewhere", 302), 302, -1, 0},
		{"closed with 1008", Slam(1008, time.Minute, "a"), 101, 1008, time.Minute},
		{"closed without a word", Slam(1006, 0, "a"), 101, -1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				s := &http.Server{Handler: test.handler}
				go s.Serve(n)
				begin := time.Now()
				transport := &http.Transport{DialContext: n.Dial}
				ws, resp, err := websocket.Dial(t.Context(), "ws://x", &websocket.DialOptions{Subprotocols: []string{"a"}, HTTPClient: &http.Client{
					Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
				if resp == nil || resp.StatusCode != test.status {
					t.Fatalf("%v, %v", resp, err)
				}
				if err == nil {
					_, _, err = ws.Read(t.Context())
					_ = ws.CloseNow()
				}
				if got := websocket.CloseStatus(err); got != test.code || time.Since(begin) != test.after {
					t.Errorf("%v after %v: %v", got, time.Since(begin), err)
				}
				transport.CloseIdleConnections()
				_ = n.Close()
				_ = s.Close()
			})
		})
	}
}

// TestAnswersComeInTheirOwnTime: later messages may be answered first, some twice and some never.
func TestAnswersComeInTheirOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		s := &http.Server{Handler: &Answers{
			Answer: func(_ *http.Request, m []byte) [][]byte { return [][]byte{m} },
			Delays: func(i int) []time.Duration {
				return [][]time.Duration{{3 * time.Second}, {time.Second, 4 * time.Second}, nil}[i-1]
			}}}
		go s.Serve(n)
		transport := &http.Transport{DialContext: n.Dial}
		ws, _, err := websocket.Dial(t.Context(), "ws://x", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{"1", "2", "3"} {
			if err := ws.Write(t.Context(), websocket.MessageText, []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for range 3 {
			_, m, err := ws.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m))
		}
		if !slices.Equal(got, []string{"2", "1", "2"}) {
			t.Errorf("%q", got)
		}
		_ = ws.CloseNow()
		transport.CloseIdleConnections()
		_ = n.Close()
		_ = s.Close()
	})
}
