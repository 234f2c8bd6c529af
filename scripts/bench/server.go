package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// server is a CSMS that says yes, as small as can be: it is in every measurement and must not be what is measured.
type server struct {
	url      string // ws://127.0.0.1:port
	listener net.Listener
	http     *http.Server
	seen     func(at time.Time, what, station string) // accepted, opened, and every action; nil: nobody looks
	mute     bool                                     // it answers nothing
	mu       sync.Mutex                               // for conns
	conns    map[string]*websocket.Conn
}

// startServer listens on loopback.
func startServer(seen func(at time.Time, what, station string)) (*server, error) {
	return listen(seen, false)
}

// startMute starts a server that hears and says nothing.
func startMute(seen func(at time.Time, what, station string)) (*server, error) {
	return listen(seen, true)
}

func listen(seen func(at time.Time, what, station string), mute bool) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if seen == nil {
		seen = func(time.Time, string, string) {}
	}
	s := &server{url: "ws://" + l.Addr().String(), listener: l, seen: seen, mute: mute, conns: map[string]*websocket.Conn{}}
	s.http = &http.Server{Handler: s, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			seen(time.Now(), accepted, "")
		}
	}}
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

func (s *server) close() {
	_ = s.http.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.CloseNow()
	}
}

// What a server sees besides actions.
const (
	accepted = "accepted" // the TCP connection
	opened   = "opened"   // the WebSocket
)

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	station := r.URL.Path[1:]
	s.seen(time.Now(), opened, station)
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"ocpp2.0.1"}})
	if err != nil {
		return
	}
	c.SetReadLimit(1 << 20)
	s.mu.Lock()
	s.conns[station] = c
	s.mu.Unlock()
	defer c.CloseNow()
	ctx := context.Background()
	for {
		_, frame, err := c.Read(ctx)
		if err != nil {
			return
		}
		answer, action := reply(frame)
		if action == "" {
			continue
		}
		s.seen(time.Now(), action, station)
		if s.mute {
			continue
		}
		if err := c.Write(ctx, websocket.MessageText, answer); err != nil {
			return
		}
	}
}

// heartbeatEnd is how the frame of a Heartbeat ends: the round trip is measured with it, and takes the short way here.
var heartbeatEnd = []byte(`,"Heartbeat",{}]`)

// reply answers a CALL; action is empty for every other frame.
func reply(frame []byte) (answer []byte, action string) {
	if rest, ok := bytes.CutSuffix(frame, heartbeatEnd); ok && len(rest) > 3 {
		out := append([]byte("[3"), rest[2:]...)
		return append(out, `,{"currentTime":"2026-11-22T07:01:35Z"}]`...), "Heartbeat"
	}
	var parts []json.RawMessage
	if json.Unmarshal(frame, &parts) != nil || len(parts) != 4 || string(parts[0]) != "2" || json.Unmarshal(parts[2], &action) != nil {
		return nil, ""
	}
	payload := "{}"
	now := time.Now().UTC().Format(time.RFC3339)
	switch action {
	case "BootNotification":
		payload = fmt.Sprintf(`{"currentTime":"%s","interval":86400,"status":"Accepted"}`, now)
	case "Authorize":
		payload = `{"idTokenInfo":{"status":"Accepted"}}`
	case "DataTransfer":
		payload = `{"status":"Accepted"}`
	}
	return fmt.Appendf(nil, `[3,%s,%s]`, parts[1], payload), action
}
