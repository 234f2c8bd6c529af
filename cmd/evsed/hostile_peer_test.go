package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Opcodes of WebSocket (RFC 6455, 5.2), and the bits beside them.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
	fin            = 0x80
	rsv1           = 0x40
)

// foe is a CSMS that writes its frames by hand, and so can write what no CSMS should. Left alone it is a good one.
type foe struct {
	t        *testing.T
	words    words
	address  string
	listener net.Listener

	mu      sync.Mutex                         // guards what follows
	greet   func(net.Conn, *http.Request) bool // does what it likes instead of the handshake; false: be good
	answer  func(*peer, call) bool             // answers a CALL of the station its own way; false: be good
	current *peer                              // the last connection
	open    map[net.Conn]bool                  // so that all can be closed
	offered string                             // Sec-WebSocket-Extensions of the last handshake
	calls   map[string]int                     // valid CALLs of the station by action
	inform  map[string]chan struct{}           // closed when the last part of a report has come, by request id

	dials atomic.Int64
}

// call is a message of the station.
type call struct {
	Type    int
	ID      string
	Action  string
	Payload json.RawMessage
}

func newFoe(t *testing.T, w words) *foe {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &foe{t: t, words: w, address: l.Addr().String(), listener: l, open: map[net.Conn]bool{}, calls: map[string]int{}, inform: map[string]chan struct{}{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.dials.Add(1)
			f.mu.Lock()
			f.open[c] = true
			f.mu.Unlock()
			wg.Go(func() {
				f.serve(c)
				f.mu.Lock()
				delete(f.open, c)
				f.mu.Unlock()
			})
		}
	})
	t.Cleanup(func() { f.stop(); wg.Wait() })
	return f
}

// stop closes everything; the port is free then.
func (f *foe) stop() {
	f.listener.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open {
		c.Close()
	}
}

// behave makes it a good CSMS again.
func (f *foe) behave() { f.misbehave(nil, nil) }

func (f *foe) misbehave(greet func(net.Conn, *http.Request) bool, answer func(*peer, call) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.greet, f.answer = greet, answer
}

func (f *foe) count(action string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[action]
}

// peer is the CSMS's end of a WebSocket.
type peer struct {
	f       *foe
	c       net.Conn
	r       *bufio.Reader
	writing sync.Mutex

	mu      sync.Mutex // guards what follows
	waiting map[string]chan string
	serial  int
	deaf    chan struct{} // not nil: nothing is read until it is closed
}

func (f *foe) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	f.mu.Lock()
	greet := f.greet
	f.offered = req.Header.Get("Sec-WebSocket-Extensions")
	f.mu.Unlock()
	if greet != nil && greet(c, req) {
		return
	}
	io.WriteString(c, welcome(req, ""))
	p := &peer{f: f, c: c, r: r, waiting: map[string]chan string{}}
	f.mu.Lock()
	f.current = p
	f.mu.Unlock()
	p.read()
}

// welcome is the answer to a handshake, with further header lines.
func welcome(req *http.Request, more string) string {
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	protocol, _, _ := strings.Cut(req.Header.Get("Sec-WebSocket-Protocol"), ",")
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: " + protocol + "\r\n" + more + "\r\n"
}

// read takes what the station sends until the connection ends.
func (p *peer) read() {
	for {
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		if deaf != nil {
			<-deaf
		}
		op, payload, err := p.frame()
		if err != nil {
			return
		}
		switch op {
		case opPing:
			p.send(opPong|fin, payload)
		case opClose:
			p.send(opClose|fin, payload)
			return
		case opText:
			p.text(payload)
		}
	}
}

// frame reads one frame; the station masks what it sends and never fragments.
func (p *peer) frame() (op byte, payload []byte, err error) {
	var h [14]byte
	if _, err = io.ReadFull(p.r, h[:2]); err != nil {
		return 0, nil, err
	}
	n := int(h[1] & 0x7f)
	switch n {
	case 126:
		_, err = io.ReadFull(p.r, h[2:4])
		n = int(binary.BigEndian.Uint16(h[2:]))
	case 127:
		_, err = io.ReadFull(p.r, h[2:10])
		n = int(binary.BigEndian.Uint64(h[2:]))
	}
	if err != nil || n > 1<<20 {
		return 0, nil, fmt.Errorf("frame of %d bytes: %v", n, err)
	}
	if _, err = io.ReadFull(p.r, h[10:14]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(p.r, payload)
	for i := range payload {
		payload[i] ^= h[10+i%4]
	}
	return h[0] & 0xf, payload, err
}

func (p *peer) text(payload []byte) {
	var parts []json.RawMessage
	var c call
	if json.Unmarshal(payload, &parts) != nil || len(parts) < 3 || json.Unmarshal(parts[0], &c.Type) != nil || json.Unmarshal(parts[1], &c.ID) != nil {
		p.f.t.Errorf("the station sent %.200q", payload)
		return
	}
	if c.Type != 2 {
		p.mu.Lock()
		if answer := p.waiting[c.ID]; answer != nil {
			delete(p.waiting, c.ID)
			answer <- string(payload)
		}
		p.mu.Unlock()
		return
	}
	_ = json.Unmarshal(parts[2], &c.Action)
	c.Payload = parts[3]
	p.f.mu.Lock()
	answer := p.f.answer
	p.f.calls[c.Action]++
	p.f.mu.Unlock()
	if answer == nil || !answer(p, c) {
		p.answer(c)
	}
}

// answer says what a good CSMS says.
func (p *peer) answer(c call) {
	if c.Action == "NotifyReport" {
		p.f.reported(c.Payload)
	}
	p.write(fmt.Sprintf(`[3,%q,%s]`, c.ID, p.f.words.answer(c.Action)))
}

// reported notes the last part of a report.
func (f *foe) reported(payload []byte) {
	var part struct {
		RequestID int
		TBC       bool
	}
	if json.Unmarshal(payload, &part) != nil || part.TBC {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if done := f.inform[fmt.Sprint(part.RequestID)]; done != nil {
		close(done)
		delete(f.inform, fmt.Sprint(part.RequestID))
	}
}

// ask sends a CALL and returns the whole answer, or "" if there is none in time.
func (p *peer) ask(action, payload string) string { return p.askFor(action, payload, 60*time.Second) }

func (p *peer) askFor(action, payload string, patience time.Duration) string {
	p.mu.Lock()
	p.serial++
	id := fmt.Sprintf("ask-%d", p.serial)
	answer := make(chan string, 1)
	p.waiting[id] = answer
	p.mu.Unlock()
	p.write(fmt.Sprintf(`[2,%q,%q,%s]`, id, action, payload))
	select {
	case a := <-answer:
		return a
	case <-time.After(patience):
		return ""
	}
}

// write sends a text message.
func (p *peer) write(text string) bool { return p.send(opText|fin, []byte(text)) }

// send sends a frame: its first byte as it is, its length as it is written.
func (p *peer) send(first byte, payload []byte) bool {
	return p.raw(append(header(first, len(payload)), payload...))
}

// header is the head of an unmasked frame.
func header(first byte, n int) []byte {
	switch {
	case n < 126:
		return []byte{first, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(n))
	}
	return binary.BigEndian.AppendUint64([]byte{first, 127}, uint64(n))
}

// raw writes bytes, and gives up when the station has stopped reading for long.
func (p *peer) raw(b []byte) bool {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.part(b)
}

// part is raw for who has locked writing, so that nothing comes between the parts of a frame.
func (p *peer) part(b []byte) bool {
	_ = p.c.SetWriteDeadline(time.Now().Add(20 * time.Second))
	_, err := p.c.Write(b)
	return err == nil
}

// repeat writes a piece n times; false: the station has closed the connection.
func (p *peer) repeat(write func([]byte) bool, piece string, n int) bool {
	const chunk = 64 << 10
	per := max(chunk/len(piece), 1)
	many := []byte(strings.Repeat(piece, per))
	for ; n >= per; n -= per {
		if !write(many) {
			return false
		}
	}
	return n == 0 || write(many[:n*len(piece)])
}

// stuff sends one frame with a middle that is repeated.
func (p *peer) stuff(head, piece string, n int, tail string) bool {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.part(append(header(opText|fin, len(head)+n*len(piece)+len(tail)), head...)) && p.repeat(p.part, piece, n) && p.part([]byte(tail))
}
