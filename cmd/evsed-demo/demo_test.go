package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// page collects what is printed and lets a test wait for it.
type page struct {
	mu   sync.Mutex // everything below
	text bytes.Buffer
	grew chan struct{}
}

func newPage() *page { return &page{grew: make(chan struct{})} }

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.grew)
	p.grew = make(chan struct{})
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// await waits until the text behind byte from matches, and returns where the match ends.
func (p *page) await(t *testing.T, from int, pattern string) int {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		text, grew := p.text.String(), p.grew
		p.mu.Unlock()
		if at := re.FindStringIndex(text[from:]); at != nil {
			return from + at[1]
		}
		select {
		case <-grew:
		case <-deadline:
			t.Fatalf("%q did not come; since then:\n%s", pattern, text[from:])
		}
	}
}

// leftovers are the throw-away folders of this test's TMPDIR.
func leftovers(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "evsed-demo-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestStoryIsPlayedAndAddsUp(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, errs bytes.Buffer
	if code := start(t.Context(), nil, strings.NewReader("plug\n"), &out, &errs, false, false); code != exitOK {
		t.Fatalf("exit %d: %s\n%s", code, errs.String(), out.String())
	}
	text, from := out.String(), 0
	for _, want := range []string{
		"evsed 0.1.0 .* 2 EVSEs", "ws://127.0.0.1:", "BOOT   station starts", "CSMS   BootNotification PowerUp accepted",
		"CAR    evse 1.1 plugged in", "evse 1.1 is Occupied", "CARD   DEMO Accepted", "TX     .* #0  Started Authorized", "RELAY  evse 1.1 closed",
		"NET    cut", "RELAY  evse 1.1 open", "NET    restored", "Ended .* offline",
		"CAR    evse 2.2 plugged in", "CARD   GUEST Accepted", "POWER  off", "POWER  on", "BootNotification", "TxResumed",
		"RELAY  evse 2.2 closed", "Ended", "CHECK  evse 1 ", "CHECK  evse 2 ", "CHECK  as the meters counted",
	} {
		at := regexp.MustCompile(want).FindStringIndex(text[from:])
		if at == nil {
			t.Fatalf("no %q in\n%s", want, text[from:])
		}
		from += at[1]
	}
	checkLines(t, text)
	if strings.Contains(text, "\x1b") {
		t.Error("colours although the output is no terminal")
	}
	if strings.Contains(text, prompt) {
		t.Error("a prompt although nobody is there")
	}
	if found := leftovers(t); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

// checkLines checks that every line fits, and that none of our own had to be cut.
func checkLines(t *testing.T, text string) {
	t.Helper()
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "  state ") { // a path
			continue
		}
		if strings.HasSuffix(l, "..\n") && !strings.Contains(l, "TX ") {
			t.Errorf("cut: %s", l)
		}
		l = strings.TrimPrefix(l, prompt) // here nobody echoes the line that was typed behind it
		if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > width {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

// typist is a demo with a human at the prompt.
type typist struct {
	t    *testing.T
	page *page
	keys *io.PipeWriter
	at   int // how far the page was read
	done chan int
}

func sit(t *testing.T, colour bool) *typist {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	r, w := io.Pipe()
	h := &typist{t: t, page: newPage(), keys: w, done: make(chan int, 1)}
	go func() { h.done <- start(t.Context(), []string{"-rate", "20"}, r, h.page, h.page, true, colour) }()
	h.want("evse 2.2 is Available")
	return h
}

func (h *typist) types(line string) *typist {
	h.t.Helper()
	if _, err := io.WriteString(h.keys, line+"\n"); err != nil {
		h.t.Fatal(err)
	}
	return h
}

func (h *typist) want(pattern string) *typist {
	h.t.Helper()
	h.at = h.page.await(h.t, h.at, pattern)
	return h
}

func (h *typist) leaves() {
	h.t.Helper()
	h.types("q")
	if code := <-h.done; code != exitOK {
		h.t.Errorf("exit %d", code)
	}
	_ = h.keys.Close()
	if found := leftovers(h.t); len(found) > 0 {
		h.t.Errorf("left behind: %v", found)
	}
}

func TestPromptPlaysAnAfternoon(t *testing.T) {
	h := sit(t, false)
	h.types("plug").want("evse 1.1 is Occupied")
	h.types("plug 1").want("it is plugged")
	h.types("swipe nobody").want("CARD   NOBODY Unknown")
	h.types("sw 1").want("CARD   DEMO Accepted").want("Started").want("RELAY  evse 1.1 closed")
	h.types("net cut").want("NET    cut")
	h.types("status").want("NETWORK CUT").want("evse 1  state C  relay closed").want("1.1  car plugged  locked     Occupied").want("evse 2  state A")
	h.types("stop 1").want("RELAY  evse 1.1 open").want("LIGHT  evse 1.1 connected")
	h.types("net up").want("Ended .* offline")
	h.types("ledger").want("evse 1 tx .* ended Local")
	h.types("unplug").want("waits for the lock").want("evse 1.1 unplugged").want("evse 1.1 is Available")
	h.types("fault groundFailure 2.2").want("evse 2.2 groundFailure raised").want("evse 2.2 is Faulted")
	h.types("fault clear").want("groundFailure cleared").want("evse 2.2 is Available")
	h.types("power cut").want("POWER  off")
	h.types("sta").want("NO POWER")
	h.types("stop").want("no power")
	h.types("power up").want("POWER  on").want("BootNotification").want("evse 2.2 is Available")
	h.leaves()
	checkLines(t, h.page.String())
}

func TestPromptExplains(t *testing.T) {
	h := sit(t, false)
	for _, row := range []struct{ typed, want string }{
		{"", prompt},
		{"help", `plug   \[1\|2.1\|2.2\]`},
		{"?", "ledger .* what the CSMS has in its books"},
		{"plgu", `plgu: unknown; plug\? \(help lists all\)`},
		{"xyzzy", "xyzzy: unknown; help lists all"},
		{strings.Repeat("x", 5*maxLine), "xxxxxxxxxxxxxxxxxxxx..: unknown"},
		{"s", `s: swipe or stop or status\?`},
		{"plug 3", "3: there are 1, 2.1 and 2.2"},
		{"plug 1.2", "1.2: there are"},
		{"unplug", "nothing is plugged"},
		{"plug 1 2 3", "usage: plug"},
		{"net", "usage: net cut.up"},
		{"net down", "usage: net cut.up"},
		{"power off", "usage: power cut.up"},
		{"rate 0", "usage: rate 1..60"},
		{"fault", "groundFailure"},
		{"fault groundfailur", "groundfailur: no such fault; groundFailure"},
		{"fault tamper", "evse 0 tamper raised"},
		{"fault lots", "lots: no such fault; fault . lists all"},
		{"ledger", "no transactions yet"},
	} {
		h.types(row.typed).want(row.want)
	}
	h.leaves()
	checkLines(t, h.page.String())
}

func TestPromptEndsWithItsInput(t *testing.T) {
	h := sit(t, true)
	_ = h.keys.Close()
	if code := <-h.done; code != exitOK {
		t.Errorf("exit %d", code)
	}
	if !strings.Contains(h.page.String(), "\x1b[0;34mCSMS\x1b[0m") {
		t.Error("no colour on a terminal")
	}
}

func TestUsage(t *testing.T) {
	for _, row := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-h"}, exitOK, "-rate"},
		{[]string{"-rate", "0"}, exitUsage, "a rate from 1 to 60"},
		{[]string{"-rate", "NaN"}, exitUsage, "a rate from 1 to 60"},
		{[]string{"more"}, exitUsage, "no arguments"},
		{[]string{"-ocpp", "1.7"}, exitUsage, "one of the versions 2.1, 2.0.1 and 1.6"},
		{[]string{"-hello"}, exitUsage, "-hello"},
	} {
		var out, errs bytes.Buffer
		if code := start(t.Context(), row.args, nil, &out, &errs, false, false); code != row.code || !strings.Contains(errs.String(), row.says) {
			t.Errorf("%q: exit %d, %q", row.args, code, errs.String())
		}
	}
}

// The same story with a CSMS that speaks 1.6 alone.
func TestStoryIn16(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, errs bytes.Buffer
	if code := start(t.Context(), []string{"-ocpp", "1.6"}, strings.NewReader(""), &out, &errs, false, false); code != exitOK {
		t.Fatalf("exit %d: %s\n%s", code, errs.String(), out.String())
	}
	text, from := out.String(), 0
	for _, want := range []string{
		"in memory, OCPP 1.6\n", "CSMS   BootNotification accepted, OCPP 1.6", "evse 1.1 is Preparing", "CARD   DEMO Accepted",
		"TX     1    StartTransaction DEMO at connector 1", "evse 1.1 is Charging", "TX     1    MeterValues", "NET    cut", "NET    restored",
		"TX     1    StopTransaction", "evse 2.2 is Preparing", "TX     2    StartTransaction GUEST at connector 3", "POWER  off", "POWER  on",
		"TX     2    StopTransaction", "CHECK  evse 1 ", "CHECK  evse 3 ", "CHECK  as the meters counted",
	} {
		at := regexp.MustCompile(want).FindStringIndex(text[from:])
		if at == nil {
			t.Fatalf("no %q in\n%s", want, text[from:])
		}
		from += at[1]
	}
	checkLines(t, text)
}

// opened is a demo that is played by hand.
func opened(t *testing.T, wait time.Duration) *demo {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	d, err := open(options{rate: defaultRate, versions: versions, wait: wait, out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func ignored(csms.Request) csms.Answer { return csms.Answer{Ignore: true} }

func TestStoryThatDoesNotComeIsAnError(t *testing.T) {
	d := opened(t, 50*time.Millisecond)
	d.csms.On("BootNotification", ignored)
	err := d.story(t.Context())
	if err == nil || err.Error() != "the station starts, but a BootNotification and the status of three connectors did not come: waited 50ms" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.await(ctx, func(*demo) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if err := d.station.World().SetFault(halsim.FaultOptions{Code: term.FaultReader, Active: true}); err != nil {
		t.Fatal(err)
	}
	if err := swipe("DEMO", 1)(d); err == nil {
		t.Error("a dead reader read a card")
	}
}

func TestAuditFindsWhatDoesNotAddUp(t *testing.T) {
	d := opened(t, patience)
	event := func(payload string) {
		t.Helper()
		if err := d.csms.Open("other", msg2.V21); err != nil {
			t.Fatal(err)
		}
		d.csms.Handle("other", rpc.AppendCall(nil, "1", "BootNotification", []byte(`{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}`)))
		d.csms.Handle("other", rpc.AppendCall(nil, "2", "TransactionEvent", []byte(payload)))
	}
	const one = `{"eventType":"Started","timestamp":"2026-03-01T12:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"t"}}`
	if err := d.audit(); err == nil || err.Error() != "0 transactions, want 2" {
		t.Errorf("nothing charged: %v", err)
	}
	event(one)
	if err := d.audit(); err == nil || !strings.Contains(err.Error(), "1 times Started, 0 times Ended") {
		t.Errorf("never ended: %v", err)
	}
	event(strings.ReplaceAll(one, "Authorized", "RemoteStart"))
	if err := d.audit(); err == nil || !strings.Contains(err.Error(), "event 0 came again, but") {
		t.Errorf("told twice, differently: %v", err)
	}
}
