package csms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/msg2"
)

// pipes is a listener whose connections come from net.Pipe, so that time in a bubble can pass.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func newPipes() *pipes {
	ctx, cancel := context.WithCancel(context.Background())
	return &pipes{make(chan net.Conn), ctx, cancel}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type dialFunc func(url string, o websocket.DialOptions) (*websocket.Conn, *http.Response, error)

// served runs f in a bubble with a CSMS behind a listener.
func served(t *testing.T, o Options, f func(t *testing.T, c *CSMS, dial dialFunc)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, l := New(o), newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- c.Serve(ctx, l) }()
		transport := &http.Transport{DialContext: l.dial}
		f(t, c, func(url string, o websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
			o.HTTPClient = &http.Client{Transport: transport}
			return websocket.Dial(ctx, "ws://csms.test"+url, &o)
		})
		cancel()
		if err := <-gone; err != nil {
			t.Errorf("serve: %v", err)
		}
		transport.CloseIdleConnections()
	})
}

func roundTrip(t *testing.T, ws *websocket.Conn, frame string) string {
	t.Helper()
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
	_, got, err := ws.Read(t.Context())
	if err != nil {
		t.Fatalf("after %s: %v", frame, err)
	}
	return string(got)
}

func TestServeNegotiatesAndAuthenticates(t *testing.T) {
	o := Options{Passwords: map[string]string{"cs 1": "secret"}, Versions: []msg2.Version{msg2.V21, msg2.V201}}
	served(t, o, func(t *testing.T, c *CSMS, dial dialFunc) {
		header := func(user, password string) http.Header {
			r := httptest.NewRequest("GET", "/", nil)
			r.SetBasicAuth(user, password)
			return r.Header
		}
		for _, h := range []http.Header{nil, header("cs 1", "wrong"), header("cs 2", "secret")} {
			_, resp, err := dial("/x/cs%201", websocket.DialOptions{Subprotocols: []string{"ocpp2.1"}, HTTPHeader: h})
			if err == nil || resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("header %v: %v", h, err)
			}
		}
		ws, _, err := dial("/x/cs%201", websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}, HTTPHeader: header("cs 1", "secret")})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusProtocolError {
			t.Errorf("no common subprotocol: %v", err)
		}
		for _, offer := range [][]string{{"ocpp2.0.1"}, {"ocpp1.6", "ocpp2.1"}} {
			ws, _, err := dial("/x/cs%201", websocket.DialOptions{Subprotocols: offer, HTTPHeader: header("cs 1", "secret")})
			if err != nil || ws.Subprotocol() != offer[len(offer)-1] {
				t.Fatalf("offer %q: %v", offer, err)
			}
			if got := roundTrip(t, ws, `[2,"1","BootNotification",`+bootPayload+`]`); !strings.Contains(got, "Accepted") {
				t.Errorf("answer %s", got)
			}
			if v, ok := c.Connected("cs 1"); !ok || v.Subprotocol() != ws.Subprotocol() {
				t.Errorf("connected %v %v", v, ok)
			}
			ws.CloseNow()
			synctest.Wait()
			if _, ok := c.Connected("cs 1"); ok {
				t.Error("connected after the end")
			}
		}
		if got := c.Ledger().Errors(); len(got) != 0 {
			t.Errorf("errors %q", got)
		}
	})
}

func TestServeDelaysDropsAndCloses(t *testing.T) {
	served(t, Options{}, func(t *testing.T, c *CSMS, dial dialFunc) {
		ws, _, err := dial("/cs", websocket.DialOptions{Subprotocols: []string{"ocpp2.1"}})
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, ws, `[2,"1","BootNotification",`+bootPayload+`]`)
		c.Next("Heartbeat", Answer{Delay: time.Minute}, Answer{Close: true, Drop: true})
		begin := time.Now()
		roundTrip(t, ws, `[2,"2","Heartbeat",{}]`)
		if d := time.Since(begin); d != time.Minute {
			t.Errorf("answered after %v", d)
		}
		_ = ws.Write(t.Context(), websocket.MessageText, []byte(`[2,"3","Heartbeat",{}]`))
		if _, got, err := ws.Read(t.Context()); err == nil {
			t.Errorf("got %s", got)
		}
		ws.CloseNow()
	})
}

func TestCallWaitsItsTurn(t *testing.T) {
	served(t, Options{}, func(t *testing.T, c *CSMS, dial dialFunc) {
		if _, err := c.Call(t.Context(), "cs", "ClearCache", []byte(`{}`)); err != ErrNotConnected {
			t.Errorf("unknown station: %v", err)
		}
		ws, _, err := dial("/cs", websocket.DialOptions{Subprotocols: []string{"ocpp2.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		synctest.Wait() // the client hears of the handshake's end first
		done := make(chan error, 2)
		for range 2 {
			go func() {
				m, err := c.Ask(t.Context(), "cs", &msg2.ClearCacheRequest{})
				if err == nil && m.(*msg2.ClearCacheResponse).Status != msg2.ClearCacheStatusRejected {
					err = errors.New("wrong response")
				}
				done <- err
			}()
		}
		for _, id := range []string{"csms-1", "csms-2"} {
			_, got, err := ws.Read(t.Context())
			if err != nil || string(got) != `[2,"`+id+`","ClearCache",{}]` {
				t.Fatalf("call %s, %v", got, err)
			}
			_ = ws.Write(t.Context(), websocket.MessageText, []byte(`[3,"`+id+`",{"status":"Rejected"}]`))
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { ws.Read(t.Context()) }()
		if _, err := c.Call(ctx, "cs", "ClearCache", []byte(`{}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no answer: %v", err)
		}
		go func() {
			done <- func() error { _, err := c.Call(t.Context(), "cs", "ClearCache", []byte(`{}`)); return err }()
		}()
		synctest.Wait()
		c.Close("cs")
		if err := <-done; err != ErrNotConnected {
			t.Errorf("cut: %v", err)
		}
	})
}

// With a certificate a station is who that names, whatever name it calls itself.
func TestACertificateNamesTheStation(t *testing.T) {
	c := New(Options{Passwords: map[string]string{"A": "a password of 16+", "B": "a password of 16+"}})
	r := httptest.NewRequest(http.MethodGet, "/ocpp/B", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "A"}}}}
	r.SetBasicAuth("B", "a password of 16+")
	if c.knows("B", r) || !c.knows("A", r) {
		t.Error("A is taken for B, or not for itself")
	}
}
