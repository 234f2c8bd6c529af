package faultnet

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Refuse answers each request with a status and nothing else.
func Refuse(status int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) })
}

// Redirect sends each request elsewhere.
func Redirect(to string, status int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, to, status) })
}

// Never takes each request and does not answer it.
func Never() http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// Speak takes each WebSocket with a subprotocol of the server's choice, asked for or not; "" for none. Then it only
// listens.
func Speak(subprotocol string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		o := &websocket.AcceptOptions{}
		if subprotocol != "" {
			r.Header.Set("Sec-WebSocket-Protocol", subprotocol)
			o.Subprotocols = []string{subprotocol}
		}
		if ws, err := websocket.Accept(rw, r, o); err == nil {
			listen(ws)
		}
	})
}

// Mute takes each WebSocket, keeps it alive and says nothing.
func Mute(subprotocols ...string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if ws, err := accept(rw, r, subprotocols); err == nil {
			listen(ws)
		}
	})
}

// Slam takes each WebSocket and closes it after a while with the given code. 1006 cannot be sent: it stands for the end of
// a connection without a word.
func Slam(code int, after time.Duration, subprotocols ...string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ws, err := accept(rw, r, subprotocols)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ctx := ws.CloseRead(context.Background())
		select {
		case <-time.After(after):
		case <-ctx.Done():
			return
		}
		if code != int(websocket.StatusAbnormalClosure) {
			_ = ws.Close(websocket.StatusCode(code), "slam")
		}
	})
}

// Answers is a CSMS that answers each message in its own time, so that answers overtake each other, come late, twice or
// never.
type Answers struct {
	Subprotocols []string

	// Answer returns what to say to a message; nil: nothing. Called in the order of the messages of one connection.
	Answer func(r *http.Request, message []byte) [][]byte

	// Delays says when the n-th message of the server's life is answered, counted from 1: once for each delay.
	Delays func(n int) []time.Duration

	Opened func(r *http.Request, subprotocol string) // nil: nobody wants to know

	mu sync.Mutex // everything below
	n  int
}

// ServeHTTP is part of http.Handler.
func (a *Answers) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	ws, err := accept(rw, r, a.Subprotocols)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	if a.Opened != nil {
		a.Opened(r, ws.Subprotocol())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for {
		_, message, err := ws.Read(ctx)
		if err != nil {
			return
		}
		answers := a.Answer(r, message)
		for _, d := range a.delays() {
			wg.Go(func() {
				select {
				case <-time.After(d):
				case <-ctx.Done():
					return
				}
				for _, f := range answers {
					_ = ws.Write(ctx, websocket.MessageText, f)
				}
			})
		}
	}
}

func (a *Answers) delays() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	return a.Delays(a.n)
}

func accept(rw http.ResponseWriter, r *http.Request, subprotocols []string) (*websocket.Conn, error) {
	ws, err := websocket.Accept(rw, r, &websocket.AcceptOptions{Subprotocols: subprotocols})
	if err == nil {
		ws.SetReadLimit(-1)
	}
	return ws, err
}

// listen reads until the connection ends.
func listen(ws *websocket.Conn) {
	defer ws.CloseNow()
	for {
		if _, _, err := ws.Read(context.Background()); err != nil {
			return
		}
	}
}
