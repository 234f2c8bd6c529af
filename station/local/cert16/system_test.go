package cert16_test

import (
	"context"
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
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
)

// subprotocol is what a station of 1.6J asks for.
const subprotocol = "ocpp1.6"

// obj is the payload of a message.
type obj = map[string]any

// heard is a CALL of the station.
type heard struct {
	Action string
	At     time.Time
	Body   obj
	conn   int  // on which connection, counted
	read   bool // a case has looked at it
}

// deaf is an answer that never comes.
type deaf struct{}

// result is what the station says to a CALL of ours.
type result struct {
	body obj
	code string // of a CALLERROR; "" for an answer
}

// system is a Central System. A case tells it by tags, reply and its switches what to answer; all it hears is kept.
type system struct {
	t  *testing.T
	at *faultnet.Network

	mu       sync.Mutex // everything below
	ws       *websocket.Conn
	all      []*heard
	tags     map[string]obj                // idTagInfo by idTag; others are Invalid
	reply    map[string]func(body obj) any // by action: an obj, an error for a CALLERROR, or deaf
	lastTx   int
	calls    int
	waiting  map[string]chan result
	trouble  []string        // what is wrong with what the station says
	requests []*http.Request // handshakes
	shut     bool            // no handshake succeeds
	password string          // of HTTP Basic authentication; "" asks nobody
	files    []file          // that the station has put
	storage  int             // status by which files are refused; 0: none is
	image    string          // firmware that the station may have; "": there is none
	picks    string          // subprotocol that is chosen; "" for the usual one
}

func newSystem(t *testing.T) *system {
	info := func(status string) obj { return obj{"status": status} }
	return &system{t: t, at: faultnet.NewNetwork(), reply: map[string]func(obj) any{}, waiting: map[string]chan result{},
		tags: map[string]obj{"TAG1": info("Accepted"), "TAG2": info("Accepted"), "EXPIRED": info("Expired"), "BLOCKED": info("Blocked"),
			"CHILD1": {"status": "Accepted", "parentIdTag": "PARENT"}, "CHILD2": {"status": "Accepted", "parentIdTag": "PARENT"}}}
}

// serve lets the station in until ctx ends.
func (s *system) serve(ctx context.Context) {
	var wg sync.WaitGroup
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
		s.welcome(ctx, w, r)
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_ = server.Serve(s.at)
	<-ctx.Done()
	wg.Wait()
}

// welcome takes one connection, and listens until it ends.
func (s *system) welcome(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		s.keep(w, r)
		return
	}
	if r.URL.Path == imagePath {
		s.giveImage(w)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(context.Background()))
	shut, password, picks := s.shut, s.password, s.picks
	s.mu.Unlock()
	if _, given, _ := r.BasicAuth(); shut || password != "" && given != password {
		w.WriteHeader(map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusUnauthorized}[shut])
		return
	}
	if picks == "" {
		picks = subprotocol
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{picks}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.ws = ws
	s.mu.Unlock()
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
func (s *system) lost(ws *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != ws {
		return
	}
	s.ws = nil
	for id, c := range s.waiting {
		c <- result{code: "connection lost"}
		delete(s.waiting, id)
	}
}

// take reads a frame of the station and returns the answer, nil for none.
func (s *system) take(frame []byte) []byte {
	var parts []json.RawMessage
	var kind int
	var id string
	if json.Unmarshal(frame, &parts) != nil || len(parts) < 3 || json.Unmarshal(parts[0], &kind) != nil || json.Unmarshal(parts[1], &id) != nil || len(id) > 36 {
		s.wrong("frame %s", frame)
		return nil
	}
	switch {
	case kind == 2 && len(parts) == 4:
		return s.called(id, parts[2], parts[3])
	case kind == 3 && len(parts) == 3:
		s.answered(id, result{body: s.object(parts[2])})
	case kind == 4 && len(parts) == 5:
		var code string
		_ = json.Unmarshal(parts[2], &code)
		s.answered(id, result{code: code})
	default:
		s.wrong("frame %s", frame)
	}
	return nil
}

// called keeps a CALL and answers it.
func (s *system) called(id string, name, payload json.RawMessage) []byte {
	var action string
	_ = json.Unmarshal(name, &action)
	m, known := msg16.NewRequest(action)
	info, _ := msg16.Lookup(action)
	if !known || info.From&msg16.FromStation == 0 {
		s.wrong("a charge point does not send %s", action)
		return nil
	}
	s.decode(action+".req", m, payload)
	h := &heard{Action: action, At: time.Now(), Body: s.object(payload)}
	s.mu.Lock()
	h.conn = len(s.requests)
	s.all = append(s.all, h)
	own := s.reply[action]
	s.mu.Unlock()
	var a any
	if own != nil {
		a = own(h.Body)
	}
	if a == nil {
		a = s.usual(h)
	}
	switch a := a.(type) {
	case deaf:
		return nil
	case error:
		return encode(4, id, a.Error(), "", obj{})
	}
	return encode(3, id, a)
}

// usual is what a Central System says that agrees.
func (s *system) usual(h *heard) obj {
	now := time.Now().UTC().Format(time.RFC3339)
	switch h.Action {
	case "BootNotification":
		return obj{"status": "Accepted", "currentTime": now, "interval": 86400}
	case "Heartbeat":
		return obj{"currentTime": now}
	case "Authorize":
		return obj{"idTagInfo": s.info(h.Body)}
	case "StartTransaction":
		s.mu.Lock()
		s.lastTx++
		id := s.lastTx
		s.mu.Unlock()
		return obj{"idTagInfo": s.info(h.Body), "transactionId": id}
	case "StopTransaction":
		if _, told := h.Body["idTag"]; told {
			return obj{"idTagInfo": s.info(h.Body)}
		}
	case "DataTransfer", "SignCertificate":
		return obj{"status": "Accepted"}
	}
	return obj{}
}

func (s *system) info(body obj) obj {
	s.mu.Lock()
	defer s.mu.Unlock()
	tag, _ := body["idTag"].(string)
	if i, known := s.tags[tag]; known {
		return i
	}
	return obj{"status": "Invalid"}
}

// answered hands an answer to who waits for it.
func (s *system) answered(id string, r result) {
	s.mu.Lock()
	c := s.waiting[id]
	delete(s.waiting, id)
	s.mu.Unlock()
	if c == nil {
		s.wrong("answer to %q, which nobody asked", id)
		return
	}
	c <- r
}

// decode reads a message as strictly as the schemas have it.
func (s *system) decode(what string, m msg16.Message, payload []byte) {
	var b rpc.Body
	b.Reset(string(payload), rpc.Limits{})
	if err := msg16.Decode(&b, m); err != nil {
		s.wrong("%s: %v: %s", what, err, payload)
	}
}

func (s *system) object(payload []byte) obj {
	d := json.NewDecoder(strings.NewReader(string(payload)))
	d.UseNumber()
	var o obj
	if err := d.Decode(&o); err != nil {
		s.wrong("payload %s: %v", payload, err)
	}
	return o
}

func (s *system) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = append(s.trouble, fmt.Sprintf(format, args...))
}

// send makes a CALL; the answer comes by the channel.
func (s *system) send(action string, payload any) chan result {
	s.mu.Lock()
	s.calls++
	id, ws, c := fmt.Sprint("c", s.calls), s.ws, make(chan result, 1)
	if ws != nil {
		s.waiting[id] = c
	}
	s.mu.Unlock()
	if ws == nil {
		c <- result{code: "not connected"}
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

// on changes how an action is answered; a nil f goes back to what is usual.
func (s *system) on(action string, f func(body obj) any) {
	s.with(func() { s.reply[action] = f })
}

// says answers an action with the same again and again.
func (s *system) says(action string, answer any) { s.on(action, func(obj) any { return answer }) }

// with changes what the system does, under its lock.
func (s *system) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}
