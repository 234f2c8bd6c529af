package cases

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp/link/faultnet"
)

// Obj is the payload of a message.
type Obj = map[string]any

// Heard is a CALL of the station.
type Heard struct {
	Action string
	At     time.Time
	Body   Obj
	Conn   int  // on which connection, counted from 1
	read   bool // a case has looked at it
}

func (h *Heard) String() string {
	text, _ := json.Marshal(h.Body)
	return fmt.Sprintf("%s %s %s", h.At.UTC().Format("15:04:05.000"), h.Action, text)
}

// Deaf is an answer that never comes.
type Deaf struct{}

// Result is what the station says to a CALL.
type Result struct {
	Body Obj
	Code string // of a CALLERROR; "" for an answer
}

// Words are what a version calls things.
type Words interface {
	Subprotocol() string
	// Decode reads a payload as strictly as the schema of its message has it.
	Decode(action string, request bool, payload []byte) error
	// Sends says whether a station may make such a CALL.
	Sends(action string) bool
	// Usual is what a CSMS says that agrees.
	Usual(h *Heard) Obj
	// Stream tells apart what is read in its own order: the statuses of each connector, and the messages of each action.
	Stream(h *Heard) string
}

// CSMS is the other end. A case tells it by On, Says and its fields what to answer; all it hears is kept. The fields are
// changed before the station starts, or within With.
type CSMS struct {
	T     *testing.T
	At    *faultnet.Network
	Words Words

	mu       sync.Mutex // everything below
	Password string     // of HTTP Basic authentication; "" asks nobody
	Shut     bool       // no handshake succeeds
	Picks    string     // subprotocol that is chosen; "" for that of the version
	TLS      *tls.Config
	Handler  http.Handler // of what is no WebSocket; nil takes every file
	Files    []File       // that the station has put

	ws       *websocket.Conn
	all      []*Heard
	answer   map[string]func(body Obj) any // by action: an Obj, an error for a CALLERROR, or Deaf
	calls    int
	waiting  map[string]pending
	trouble  []string        // what is wrong with what the station says
	requests []*http.Request // handshakes
	states   []tls.ConnectionState
	refused  []error // TLS handshakes that came to nothing, as the server saw them
	frames   []frame
}

type pending struct {
	action string
	result chan Result
}

func newCSMS(t *testing.T, w Words) *CSMS {
	return &CSMS{T: t, At: faultnet.NewNetwork(), Words: w, answer: map[string]func(Obj) any{}, waiting: map[string]pending{}}
}

// serve lets the station in until ctx ends.
func (s *CSMS) serve(ctx context.Context) {
	var wg sync.WaitGroup
	door := newDoor(s)
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
		s.welcome(ctx, w, r)
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_ = server.Serve(door)
	<-ctx.Done()
	door.wait()
	wg.Wait()
}

// welcome takes one connection, and listens until it ends.
func (s *CSMS) welcome(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		s.file(w, r)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(context.Background()))
	if r.TLS != nil {
		s.states = append(s.states, *r.TLS)
	}
	shut, password, picks := s.Shut, s.Password, s.Picks
	s.mu.Unlock()
	if _, given, _ := r.BasicAuth(); shut || password != "" && given != password {
		w.WriteHeader(map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusUnauthorized}[shut])
		return
	}
	if picks == "" {
		picks = s.Words.Subprotocol()
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{picks}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.With(func() { s.ws = ws })
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			s.lost(ws)
			return
		}
		if out := s.take(frame); out != nil {
			_ = ws.Write(ctx, websocket.MessageText, out)
		}
	}
}

// lost forgets a connection, and lets nobody wait for its answers.
func (s *CSMS) lost(ws *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != ws {
		return
	}
	s.ws = nil
	for id, p := range s.waiting {
		p.result <- Result{Code: "connection lost"}
		delete(s.waiting, id)
	}
}

// take reads a frame of the station and returns the answer, nil for none.
func (s *CSMS) take(text []byte) []byte {
	var parts []json.RawMessage
	var kind int
	var id string
	if json.Unmarshal(text, &parts) != nil || len(parts) < 3 || json.Unmarshal(parts[0], &kind) != nil || json.Unmarshal(parts[1], &id) != nil || len(id) > 36 {
		s.wrong("frame %s", text)
		return nil
	}
	switch {
	case kind == 2 && len(parts) == 4:
		return s.called(id, parts[2], parts[3])
	case kind == 3 && len(parts) == 3:
		s.answered(id, parts[2], "")
	case kind == 4 && len(parts) == 5:
		var code string
		_ = json.Unmarshal(parts[2], &code)
		s.answered(id, nil, code)
	default:
		s.wrong("frame %s", text)
	}
	return nil
}

// called keeps a CALL and answers it.
func (s *CSMS) called(id string, name, payload json.RawMessage) []byte {
	var action string
	_ = json.Unmarshal(name, &action)
	if !s.Words.Sends(action) {
		s.wrong("a station does not send %s", action)
		return nil
	}
	s.check(action, true, payload)
	h := &Heard{Action: action, At: time.Now(), Body: s.object(payload)}
	s.mu.Lock()
	h.Conn = len(s.requests)
	s.all = append(s.all, h)
	own := s.answer[action]
	s.mu.Unlock()
	var a any
	if own != nil {
		a = own(h.Body)
	}
	if a == nil {
		a = s.Words.Usual(h)
	}
	switch a := a.(type) {
	case Deaf:
		return nil
	case error:
		return encode(4, id, a.Error(), "", Obj{})
	}
	return encode(3, id, a)
}

// answered hands an answer to who waits for it.
func (s *CSMS) answered(id string, payload json.RawMessage, code string) {
	s.mu.Lock()
	p, known := s.waiting[id]
	delete(s.waiting, id)
	s.mu.Unlock()
	if !known {
		s.wrong("answer to %q, which nobody asked", id)
		return
	}
	r := Result{Code: code}
	if code == "" {
		s.check(p.action, false, payload)
		r.Body = s.object(payload)
	}
	p.result <- r
}

// check holds a message of the station against what its version says.
func (s *CSMS) check(action string, request bool, payload []byte) {
	if err := s.Words.Decode(action, request, payload); err != nil {
		s.wrong("%s, request %v: %v: %s", action, request, err, payload)
	}
	s.With(func() { s.frames = append(s.frames, frame{action, request, string(payload)}) })
}

func (s *CSMS) object(payload []byte) Obj {
	d := json.NewDecoder(strings.NewReader(string(payload)))
	d.UseNumber()
	var o Obj
	if err := d.Decode(&o); err != nil {
		s.wrong("payload %s: %v", payload, err)
	}
	return o
}

func (s *CSMS) wrong(format string, args ...any) {
	s.With(func() { s.trouble = append(s.trouble, fmt.Sprintf(format, args...)) })
}

// Send makes a CALL; the answer comes by the channel.
func (s *CSMS) Send(action string, payload any) <-chan Result {
	s.mu.Lock()
	s.calls++
	id, ws, c := fmt.Sprint("c", s.calls), s.ws, make(chan Result, 1)
	if ws != nil {
		s.waiting[id] = pending{action, c}
	}
	s.mu.Unlock()
	if ws == nil {
		c <- Result{Code: "not connected"}
		return c
	}
	if err := ws.Write(context.Background(), websocket.MessageText, encode(2, id, action, payload)); err != nil {
		s.lost(ws)
	}
	return c
}

func encode(parts ...any) []byte {
	out, err := json.Marshal(parts)
	if err != nil {
		panic(err) // plain data only
	}
	return out
}

// On changes how an action is answered: by an Obj, an error for a CALLERROR, or Deaf; nil is what is usual, and so is a nil f.
func (s *CSMS) On(action string, f func(body Obj) any) {
	s.With(func() { s.answer[action] = f })
}

// Says answers an action with the same again and again.
func (s *CSMS) Says(action string, answer any) { s.On(action, func(Obj) any { return answer }) }

// With changes what the CSMS does, under its lock.
func (s *CSMS) With(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Hang closes the connection.
func (s *CSMS) Hang() {
	var ws *websocket.Conn
	s.With(func() { ws = s.ws })
	if ws != nil {
		_ = ws.Close(websocket.StatusGoingAway, "")
	}
}

// Connected reports whether a WebSocket is open.
func (s *CSMS) Connected() (open bool) {
	s.With(func() { open = s.ws != nil })
	return open
}

// Handshakes returns the requests for a WebSocket so far.
func (s *CSMS) Handshakes() (all []*http.Request) {
	s.With(func() { all = append(all, s.requests...) })
	return all
}

// Secured returns what was agreed by TLS for each handshake that came over it.
func (s *CSMS) Secured() (all []tls.ConnectionState) {
	s.With(func() { all = append(all, s.states...) })
	return all
}

// TurnedAway returns why TLS came to nothing, each time that it did, as the server saw it.
func (s *CSMS) TurnedAway() (all []error) {
	s.With(func() { all = append(all, s.refused...) })
	return all
}
