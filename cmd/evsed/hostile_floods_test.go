package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/link"
)

// floods are sound messages, and answers, that nobody asked for.
func floods() []attack {
	return []attack{
		{name: "flood: unread answers", run: deaf},
		{name: "flood: triggered heartbeats", run: flood(2e3, func(int) string { return `"TriggerMessage",{"requestedMessage":"Heartbeat"}` })},
		{name: "flood: ClearCache", wrote: mostWrote, run: flood(2e3, func(int) string { return `"ClearCache",{}` })},
		{name: "flood: one id", run: texts(repeated(2e3, func(int) string { return `[2,"same","GetLocalListVersion",{}]` })...)},
		{name: "flood: malformed", quick: true, wrote: mostWrote, run: texts(repeated(2e3, func(i int) string { return "[" })...)},
		{name: "flood: pings", once: true, run: pings},
		{name: "flood: answers to nothing", run: texts(repeated(2e3, func(i int) string { return fmt.Sprintf(`[%d,"no-%d","x","",{}]`, 3+i%2, i) })...)},
		{name: "answers: other ids", run: answers(func(p *peer, c call) { p.write(fmt.Sprintf(`[3,"%sx",{}]`, c.ID)) })},
		{name: "answers: twice and again", quick: true, run: answers(func(p *peer, c call) {
			p.answer(c)
			p.answer(c)
			p.write(fmt.Sprintf(`[4,%q,"GenericError","",{}]`, c.ID))
		})},
		{name: "answers: 500 kB", run: answers(func(p *peer, c call) {
			p.write(fmt.Sprintf(`[3,%q,{"customData":{"vendorId":"x","a":%q}}]`, c.ID, strings.Repeat("a", 5e5)))
		})},
		{name: "answers: errors of 400 kB", run: answers(func(p *peer, c call) {
			p.write(fmt.Sprintf(`[4,%q,%q,%q,{}]`, c.ID, strings.Repeat("E", 2e5), strings.Repeat("d", 2e5)))
		})},
		{name: "answers: of other kinds", run: answers(func(p *peer, c call) { p.write(fmt.Sprintf(`[3,%q,{"status":7,"interval":-1}]`, c.ID)) })},
	}
}

// mostWrote is what a flood of requests that are kept may write: the burst that the station allows, and what it writes
// anyway. The simulator's own file is in it, a new one for each reading of the meter that a triggered event carries: with
// what the file system adds, 14 to 50 kB an event have been seen. Without a limit on the rate it would be 30 to 100 MB.
const mostWrote = 24 << 20

func repeated(n int, text func(int) string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text(i)
	}
	return all
}

// flood sends n CALLs as fast as they are taken, and reads the answers.
func flood(n int, request func(int) string) func(*siege) {
	id := rand.Text()[:8]
	return func(s *siege) {
		p := s.peer()
		for i := range n {
			if !p.write(fmt.Sprintf(`[2,"%s%d",%s]`, id, i, request(i))) {
				return
			}
		}
		p.ask("GetLocalListVersion", `{}`)
	}
}

// deaf asks without listening: the answers must wait in the kernel, and what does not fit there must not be asked.
func deaf(s *siege) {
	p := s.peer()
	hear := make(chan struct{})
	p.mu.Lock()
	p.deaf = hear
	p.mu.Unlock()
	go func() { time.Sleep(2 * time.Second); close(hear) }() // the station has its own time
	for i := range 600 {
		if !p.write(fmt.Sprintf(`[2,"deaf%d",%s]`, i, s.words.much)) {
			break
		}
	}
	<-hear
}

func pings(s *siege) {
	p := s.peer()
	p.repeat(p.raw, "\x89\x04ping", 5e3)
	p.ask("GetLocalListVersion", `{}`)
}

// answers lets the CSMS answer its own way while the station heartbeats and charges.
func answers(how func(*peer, call)) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		s.foe.misbehave(nil, func(p *peer, c call) bool {
			if c.Action == "BootNotification" {
				return false
			}
			how(p, c)
			return true
		})
		for range 20 {
			p.askFor("TriggerMessage", `{"requestedMessage":"StatusNotification"}`, 2*time.Second)
		}
		s.foe.behave()
	}
}

// handshakes are what may happen to a station before it is connected.
func handshakes() []attack {
	return []attack{
		{name: "handshake: 10 MB of headers", once: true, run: greets(1, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n")
			io.WriteString(c, strings.Repeat("X-Flood: "+strings.Repeat("x", 1000)+"\r\n", 1e4))
		})},
		{name: "handshake: one header of 10 MB", soak: true, run: greets(1, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nX: "+strings.Repeat("x", 1e7))
		})},
		{name: "handshake: 64 MB of body", once: true, run: greets(2, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 64000000\r\n\r\n")
			io.WriteString(c, strings.Repeat("b", 64e6))
		})},
		{name: "handshake: redirect to itself", once: true, run: greets(2, func(c net.Conn, r *http.Request) {
			fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: http://%s/trap\r\nContent-Length: 0\r\n\r\n", r.Host)
		})},
		{name: "handshake: compression unasked", once: true, run: greets(1, func(c net.Conn, r *http.Request) {
			io.WriteString(c, welcome(r, "Sec-WebSocket-Extensions: permessage-deflate\r\n"))
			time.Sleep(100 * time.Millisecond) // the station has its own time
		})},
		{name: "handshake: wrong key", soak: true, run: greets(1, func(c net.Conn, r *http.Request) {
			r.Header.Set("Sec-WebSocket-Key", "other")
			io.WriteString(c, welcome(r, ""))
			time.Sleep(100 * time.Millisecond) // the station has its own time
		})},
		{name: "handshake: no subprotocol", soak: true, run: greets(1, func(c net.Conn, r *http.Request) {
			r.Header.Del("Sec-WebSocket-Protocol")
			io.WriteString(c, welcome(r, ""))
			time.Sleep(100 * time.Millisecond) // the station has its own time
		})},
		{name: "handshake: 100 Continue for ever", soak: true, run: greets(1, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1e5))
		})},
		{name: "handshake: garbage", soak: true, run: greets(1, func(c net.Conn, _ *http.Request) { c.Write(make([]byte, 1e6)) })},
		{name: "reconnect storm: at TCP", once: true, run: greets(2, func(net.Conn, *http.Request) {})},
		{name: "reconnect storm: after the handshake", once: true, run: greets(2, func(c net.Conn, r *http.Request) { io.WriteString(c, welcome(r, "")) })},
		{name: "handshake: slow loris", soak: true, run: slowLoris},
	}
}

// slowLoris answers a handshake a byte a second, until the station has had enough.
func slowLoris(s *siege) {
	greets(1, func(c net.Conn, r *http.Request) {
		for _, b := range []byte(welcome(r, "")) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(time.Second) // the station has its own time
		}
	})(s)
	time.Sleep(link.HandshakeTimeout)
}

// greets breaks the connection and does the same to each of the next n.
func greets(n int64, how func(net.Conn, *http.Request)) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		s.foe.misbehave(func(c net.Conn, r *http.Request) bool { how(c, r); return true }, nil)
		first := s.foe.dials.Load()
		began := time.Now()
		p.c.Close()
		s.until("the station has tried again", func() bool { return s.foe.dials.Load() >= first+n })
		s.foe.behave()
		if dials := s.foe.dials.Load() - first; time.Since(began) < time.Duration(dials-1)*time.Second/2 {
			s.t.Errorf("%d attempts within %v", dials, time.Since(began))
		}
	}
}
