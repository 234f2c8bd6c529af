package csms

import (
	"context"
	"crypto/subtle"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"path"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// writeTimeout bounds the writing of one frame.
const writeTimeout = 10 * time.Second

// conn is a WebSocket of a station.
type conn struct {
	ws     *websocket.Conn
	cancel context.CancelFunc
}

func (k *conn) write(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return k.ws.Write(ctx, websocket.MessageText, frame)
}

// Serve lets stations in until ctx ends; it returns when every connection is gone, and closes l. The last element of the
// URL's path names the station.
func (c *CSMS) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: writeTimeout,
		ConnState: func(_ net.Conn, s http.ConnState) { // a handler that is about to run is waited for as well
			switch s {
			case http.StateNew:
				wg.Add(1)
			case http.StateHijacked, http.StateClosed:
				wg.Done()
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wg.Add(1)
			defer wg.Done()
			c.station(ctx, w, r)
		})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(l)
	ended := ctx.Err() != nil
	cancel()
	_ = server.Close()
	wg.Wait()
	if ended {
		return nil
	}
	return err
}

// station serves one connection.
func (c *CSMS) station(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	name, err := url.PathUnescape(path.Base(r.URL.EscapedPath()))
	if err != nil || name == "" || name == "/" || name == "." {
		http.Error(w, "the path names no station", http.StatusNotFound)
		return
	}
	if !c.knows(name, r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="csms"`)
		http.Error(w, "wrong credentials", http.StatusUnauthorized)
		return
	}
	var spoken []string
	for _, v := range c.o.Versions {
		spoken = append(spoken, v.Subprotocol())
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: spoken})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	for _, v := range c.o.Versions {
		if ws.Subprotocol() == v.Subprotocol() {
			c.talk(ctx, name, v, ws)
			return
		}
	}
	_ = ws.Close(websocket.StatusProtocolError, "no common subprotocol") // part 4, 3.2
}

// knows checks the password, where passwords are asked for.
func (c *CSMS) knows(name string, r *http.Request) bool {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 { // who that is says its certificate, not the URL
		return r.TLS.PeerCertificates[0].Subject.CommonName == name
	}
	if c.o.Passwords == nil {
		return true
	}
	user, password, _ := r.BasicAuth()
	want, ok := c.o.Passwords[name]
	return ok && user == name && subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1
}

// talk reads and answers until the connection ends.
func (c *CSMS) talk(ctx context.Context, name string, v msg2.Version, ws *websocket.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k := &conn{ws: ws, cancel: cancel}
	ws.SetReadLimit(rpc.DefaultFrame)
	if err := c.open(name, v, k); err != nil {
		_ = ws.Close(websocket.StatusTryAgainLater, err.Error())
		return
	}
	defer c.closeIf(name, k)
	for {
		kind, frame, err := ws.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			c.ledger.fault(name, "a binary message")
			continue
		}
		r := c.handle(name, frame)
		if r.delay > 0 && !pause(ctx, r.delay) {
			return
		}
		if r.frame != nil && k.write(ctx, r.frame) != nil || r.close {
			return
		}
	}
}

// pause waits; false: ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
