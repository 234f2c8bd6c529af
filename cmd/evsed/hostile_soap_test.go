package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/soap"
)

// TestHostileSOAP lets a CSMS loose on a station that speaks SOAP 1.6: as a client of the station's server, and as the server
// that the station calls. A few attacks in every run, all of them with EVSED_HOSTILE.
func TestHostileSOAP(t *testing.T) {
	f := newSOAPFoe(t)
	s := &siege{csms: f, soap: f, words: words16}
	s.prepare(t, "http://"+f.address+"/ocpp", `"soap1.6"`)
	seed, err := os.ReadFile(s.seed)
	must(t, err)
	must(t, os.WriteFile(s.seed, []byte(strings.Replace(string(seed), `"ocpp":["soap1.6"]`, `"ocpp":["soap1.6"],"soapListen":"127.0.0.1:0"`, 1)), 0o600))
	s.begin()
	s.withstand("hostilesoap", soapAttacks(f))
	if n := f.trapped.Load(); n > 0 {
		t.Errorf("the station called %d times where a message had told it to", n)
	}
}

// soapFoe is a CSMS over SOAP that writes its HTTP by hand. Left alone it is a good one.
type soapFoe struct {
	t        *testing.T
	address  string
	listener net.Listener
	trap     string // an address of which the station is told in messages, and that it must never call
	trapped  atomic.Int64
	client   *http.Client

	mu     sync.Mutex                                       // guards what follows
	answer func(net.Conn, *http.Request, soap.Message) bool // does what it likes instead of an answer; false: be good
	from   string                                           // where the station can be called
	calls  map[string]int                                   // of the station by operation
	open   map[net.Conn]bool
}

func newSOAPFoe(t *testing.T) *soapFoe {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f := &soapFoe{t: t, address: l.Addr().String(), listener: l, trap: trap.Addr().String(), calls: map[string]int{}, open: map[net.Conn]bool{},
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := trap.Accept()
			if err != nil {
				return
			}
			f.trapped.Add(1)
			c.Close()
		}
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.open[c] = true
			f.mu.Unlock()
			wg.Go(func() {
				f.serve(c)
				c.Close()
				f.mu.Lock()
				delete(f.open, c)
				f.mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		trap.Close()
		f.mu.Lock()
		for c := range f.open {
			c.Close()
		}
		f.mu.Unlock()
		wg.Wait()
	})
	return f
}

// serve answers the calls of the station on one connection.
func (f *soapFoe) serve(c net.Conn) {
	for r := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		m, err := soap.Parse(raw, soap.CentralSystem)
		if err != nil {
			f.t.Errorf("the station sent %.200q: %v", raw, err)
			return
		}
		f.mu.Lock()
		answer := f.answer
		f.from = m.From
		f.calls[m.Operation]++
		f.mu.Unlock()
		if answer != nil && answer(c, req, m) {
			return
		}
		if _, err := c.Write(f.response(m, m.MessageID)); err != nil {
			return
		}
	}
}

// response is what a good CSMS says.
func (f *soapFoe) response(m soap.Message, relates string) []byte {
	body, err := soap.AppendResponse(nil, m.Version, soap.CentralSystem, m.Operation, soap.Header{RelatesTo: relates}, words16.answer(m.Operation))
	if err != nil {
		panic(err)
	}
	return whole("200 OK", "", string(body))
}

// whole is a response of HTTP with a length.
func whole(status, header, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), header, body)
}

func (f *soapFoe) behave() { f.misbehave(nil) }

func (f *soapFoe) misbehave(answer func(net.Conn, *http.Request, soap.Message) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *soapFoe) count(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

// station is where the station can be called.
func (f *soapFoe) station() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.from
}

// dial opens a connection to the station's server; nil: it listens no more, or has enough of them.
func (f *soapFoe) dial() net.Conn {
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(f.station(), "http://"), "/"))
	if err != nil {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// envelope is a request to the station.
func envelope(operation, payload string) string {
	raw, err := soap.AppendRequest(nil, soap.V16, soap.ChargePoint, operation, soap.Header{Identity: "cp001", MessageID: "urn:uuid:1"}, payload)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// ask makes a good call and returns the payload of the response, or what else came.
func (f *soapFoe) ask(operation, payload string) string {
	status, m := f.post(strings.NewReader(envelope(operation, payload)), "")
	if status == http.StatusOK && m.Response {
		return string(m.Payload)
	}
	return fmt.Sprintf("%d %v", status, m.Fault)
}

// post sends an envelope and returns what was answered; 0: nothing.
func (f *soapFoe) post(body io.Reader, coding string) (int, soap.Message) {
	r, err := http.NewRequest(http.MethodPost, f.station(), body)
	if err != nil {
		return 0, soap.Message{}
	}
	r.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	if coding != "" {
		r.Header.Set("Content-Encoding", coding)
	}
	response, err := f.client.Do(r)
	if err != nil {
		return 0, soap.Message{}
	}
	defer response.Body.Close()
	raw, _ := io.ReadAll(response.Body)
	m, _ := soap.Parse(bytes.TrimSpace(raw), soap.ChargePoint)
	return response.StatusCode, m
}

// works asks for a heartbeat and for every key, of which none has the value that the attacks try to set.
func (f *soapFoe) works(s *siege) bool {
	beats := f.count("Heartbeat")
	if f.ask("TriggerMessage", `{"requestedMessage":"Heartbeat"}`) != `{"status":"Accepted"}` {
		time.Sleep(100 * time.Millisecond) // the station has its own time
		return false
	}
	all := f.ask("GetConfiguration", `{}`)
	if strings.Contains(all, `"`+forbidden+`"`) {
		s.t.Errorf("an attack has changed what it must not: %s", all)
		f.ask("ChangeConfiguration", `{"key":"HeartbeatInterval","value":"300"}`) // for the attacks that follow
	}
	for end := time.Now().Add(10 * time.Second); f.count("Heartbeat") == beats && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond) // the station has its own time
	}
	return strings.Contains(all, `"HeartbeatInterval"`) && f.count("Heartbeat") > beats
}

// normal looks once more whether the station works: there is no other CSMS over SOAP here.
func (f *soapFoe) normal(s *siege) {
	s.recover()
	s.charging("with an ordinary CSMS")
}
