package link

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/evsed/evsed/ocpp/soap"
)

// TestSOAPLongRequestsTakeTurns: of long requests one is read at a time, whatever becomes of it, and short ones pass.
func TestSOAPLongRequestsTakeTurns(t *testing.T) {
	w := newSOAPWorld(t, nil)
	from := w.boots()
	short := request(t, soap.V16, "ClearCache", "CP 2", "{}") // refused: another station is meant
	long := short + strings.Repeat(" ", 2*shortEnvelope)
	becomes := func(what string, status int, again func()) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			again()
			got, _, _ := post(t, from, long, nil)
			if got == status {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d, want %d", what, got, status)
			}
		}
	}
	becomes("alone", http.StatusBadRequest, func() {})
	var c net.Conn
	hang := func() { // anew each time: it may come while the one before has not left, and is turned away itself then
		if c != nil {
			c.Close()
		}
		var err error
		if c, err = net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(from, "http://"), "/")); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s", 4*len(long), long)
		time.Sleep(10 * time.Millisecond) // it is read
	}
	becomes("beside one that has no end", http.StatusServiceUnavailable, hang)
	defer func() { c.Close() }()
	if got, m, _ := post(t, from, short, nil); got != http.StatusBadRequest || m.Fault == nil {
		t.Errorf("a short one beside it: %d %+v", got, m)
	}
	c.Close()
	becomes("when it has gone", http.StatusBadRequest, func() {})
}

func TestReadEnvelope(t *testing.T) {
	asked := 0
	ask := func() error { asked++; return nil }
	for n, want := range map[int]int{0: 0, 1: 1, shortEnvelope - 1: shortEnvelope - 1, shortEnvelope: shortEnvelope, shortEnvelope + 1: shortEnvelope + 1, soap.MaxEnvelope: soap.MaxEnvelope, 2 * soap.MaxEnvelope: soap.MaxEnvelope + 1} {
		text := strings.Repeat("x", n)
		asked = 0
		got, err := readEnvelope(iotest.HalfReader(strings.NewReader(text)), ask)
		if err != nil || len(got) != want || string(got) != text[:want] || asked != map[bool]int{true: 1}[n >= shortEnvelope] {
			t.Errorf("%d bytes: %d, asked %d times, %v", n, len(got), asked, err)
		}
	}
	if _, err := readEnvelope(strings.NewReader(strings.Repeat("x", 2*shortEnvelope)), func() error { return errCrowded }); !errors.Is(err, errCrowded) {
		t.Errorf("refused: %v", err)
	}
	if _, err := readEnvelope(iotest.ErrReader(errShut), ask); !errors.Is(err, errShut) {
		t.Errorf("failing: %v", err)
	}
}
