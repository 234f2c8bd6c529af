package dialect16

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

var at = time.Date(2026, 11, 22, 7, 1, 35, 120_000_000, time.UTC)

var rfid = term.IdToken{Value: "04E1A2B3", Type: term.TokenISO14443}

// evses are two EVSEs with two connectors and one.
var evses = []station.EVSE{
	{ID: 1, Phases: 3, Connectors: []station.Connector{{ID: 1, Type: "cType2"}, {ID: 2, Type: "sType2"}}},
	{ID: 2, Phases: 1, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}},
}

// golden compares lines with testdata/name. A .golden file holds messages, each under "--- 1.6 Action".
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from its golden file; got\n%s\nwant\n%s", name, got, want)
	}
}

// wire is a dialect with its table.
type wire struct {
	*Dialect
	t     *testing.T
	table *ocpp.Table
}

func newWire(t *testing.T) *wire { return &wire{New(evses), t, ocpp.NewTable()} }

// say encodes a report, which becomes at most one call.
func (w *wire) say(body station.ReportBody) (ocpp.Call, bool) {
	w.t.Helper()
	calls, err := w.Encode(station.Report{ID: 1, Body: body}, w.table)
	if err != nil || len(calls) > 1 {
		w.t.Fatalf("%d calls, %v", len(calls), err)
	}
	if len(calls) == 0 {
		return ocpp.Call{}, false
	}
	return calls[0], true
}

// line says what a report becomes.
func (w *wire) line(body station.ReportBody) string {
	w.t.Helper()
	c, ok := w.say(body)
	if !ok {
		return "nothing"
	}
	return c.Action + " " + string(c.Payload)
}

// hear hands an answer to a call to the dialect.
func (w *wire) hear(c ocpp.Call, payload string) station.Reply {
	w.t.Helper()
	r, err := w.Result(c, payload, w.table)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// want compares what a report becomes.
func (w *wire) want(body station.ReportBody, want string) {
	w.t.Helper()
	if got := w.line(body); got != want {
		w.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVersion(t *testing.T) {
	if v := New(evses).Version(); v != rpc.V16 {
		t.Errorf("speaks %v", v)
	}
}

func TestConnectorsAreNumberedThrough(t *testing.T) {
	top := newTopology(evses)
	for n, want := range []term.Ref{{}, {EVSE: 1, Connector: 1}, {EVSE: 1, Connector: 2}, {EVSE: 2, Connector: 1}} {
		if got := top.ref(n); got != want {
			t.Errorf("%d is %v, want %v", n, got, want)
		}
		if got := top.number(want); int(got) != n {
			t.Errorf("%v is %d, want %d", want, got, n)
		}
	}
	for _, n := range []int{-1, 4, 1 << 30} {
		if got := top.ref(n); got != nowhere {
			t.Errorf("%d is %v", n, got)
		}
	}
	if got := top.connector(0); got != nowhere {
		t.Errorf("connector 0 is %v", got)
	}
	if got := fmt.Sprint(top.number(term.Ref{EVSE: 1}), top.number(term.Ref{EVSE: 2}), top.number(nowhere)); got != "1 3 0" {
		t.Errorf("EVSEs are %s", got)
	}
	if top.alone(1) || !top.alone(2) || top.alone(3) {
		t.Error("EVSE 2 alone has one connector")
	}
}
