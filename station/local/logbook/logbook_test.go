package logbook

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
)

// clock is a monotonic time that the test moves.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newClock() *clock { return &clock{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)} }

// wall is the time of day at the end of a test.
var wall = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

func TestLines(t *testing.T) {
	c := newClock()
	b := New(c.now)
	var out bytes.Buffer
	log := slog.New(b.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	log.Info("boot", "reason", "PowerUp")
	c.Time = c.Add(time.Minute)
	log.With("evse", 1).WithGroup("g").Warn("hot", "t", 90)
	log.Debug("noise")
	c.Time = c.Add(time.Minute)
	log.Error("two\nlines")
	f := &Facts{State: station.DiagnosticState{Clock: wall}}

	got := string(Diagnostics(f, b, c.now(), time.Time{}, time.Time{}))
	want := "\n[log]\n2026-01-05T09:58:00.000Z level=INFO msg=boot reason=PowerUp\n" +
		"2026-01-05T09:59:00.000Z level=WARN msg=hot evse=1 g.t=90\n2026-01-05T10:00:00.000Z level=ERROR msg=\"two\\nlines\"\n\n0 older lines are gone\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant at its end\n%s", got, want)
	}
	if s := out.String(); strings.Contains(s, "boot") || !strings.Contains(s, "hot") || !strings.Contains(s, "time=") {
		t.Errorf("the next handler got\n%s", s)
	}

	got = string(Diagnostics(f, b, c.now(), wall.Add(-90*time.Second), wall.Add(-time.Minute)))
	if n := strings.Count(got, "level="); n != 1 || !strings.Contains(got, "msg=hot") {
		t.Errorf("%d lines of a time:\n%s", n, got)
	}
	if got := string(Diagnostics(f, nil, c.now(), time.Time{}, time.Time{})); !strings.HasSuffix(got, "[log]\n") {
		t.Errorf("without a book:\n%s", got)
	}
}

func TestBookIsBounded(t *testing.T) {
	b := New(newClock().now)
	log := slog.New(b.Handler(slog.DiscardHandler))
	const lines = 100_000
	for i := range lines {
		log.Info("line", "number", i)
	}
	log.Info(strings.Repeat("x", 10*MaxLine))
	b.mu.Lock()
	kept, bytes, lost := len(b.lines), b.bytes, b.lost
	sum, room := 0, cap(b.lines)
	for _, l := range b.lines {
		sum += l.size()
	}
	newest := b.lines[kept-2].text
	b.mu.Unlock()
	if bytes > MaxBytes || bytes != sum || kept+lost != lines+1 || kept < 1000 {
		t.Errorf("%d lines of %d bytes (%d by sum), %d lost", kept, bytes, sum, lost)
	}
	if room > 4*MaxBytes/overhead {
		t.Errorf("room for %d lines", room)
	}
	if want := fmt.Sprintf("number=%d", lines-1); !strings.Contains(newest, want) {
		t.Errorf("newest %q", newest)
	}
	if d := Diagnostics(&Facts{}, b, time.Time{}, time.Time{}, time.Time{}); len(d) > MaxFacts+2*MaxBytes || !strings.Contains(string(d), fmt.Sprintf("%d older lines are gone", lost)) {
		t.Errorf("%d bytes", len(d))
	}
}

func row(variable string, kind model.DataType, attributes ...model.AttributeValue) model.ReportRow {
	return model.ReportRow{Component: model.Component{Name: "SecurityCtrlr"}, Variable: model.Variable{Name: variable}, Attributes: attributes,
		Characteristics: model.Characteristics{DataType: kind}}
}

// TestNoSecrets: whatever a row holds, what may not be read is not told, and no address tells whose it is.
func TestNoSecrets(t *testing.T) {
	const secret = "0123456789ABCDEF"
	f := &Facts{CSMS: "wss://user:" + secret + "@csms.test/ocpp/CP1", Settings: []model.ReportRow{
		row("BasicAuthPassword", model.TypePassword, model.AttributeValue{Value: secret, HasValue: true, Mutability: model.WriteOnly}),
		row("Password", model.TypePassword, model.AttributeValue{Value: secret, HasValue: true}),
		row("Token", model.TypeString, model.AttributeValue{Value: secret, HasValue: true, Mutability: model.WriteOnly}),
		row("Hidden", model.TypeString, model.AttributeValue{Value: secret}),
		row("Identity", model.TypeString, model.AttributeValue{Value: "CP1\nforged: 1", HasValue: true}, model.AttributeValue{Type: model.MaxSet, Value: "48", HasValue: true}),
	}}
	got := string(Diagnostics(f, nil, time.Time{}, time.Time{}, time.Time{}))
	for _, word := range []string{secret, "user", "Password", "Token", "Hidden", "\nforged"} {
		if strings.Contains(got, word) {
			t.Errorf("%q is told:\n%s", word, got)
		}
	}
	for _, want := range []string{"CSMS: wss://csms.test/ocpp/CP1\n", "SecurityCtrlr.Identity = CP1 forged: 1\n", "SecurityCtrlr.Identity MaxSet = 48\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
}

func TestFactsAreBounded(t *testing.T) {
	f := &Facts{}
	for range 100 {
		f.Settings = append(f.Settings, row("X", model.TypeString, model.AttributeValue{Value: strings.Repeat("x", 10_000), HasValue: true}))
	}
	if d := Diagnostics(f, nil, time.Time{}, time.Time{}, time.Time{}); len(d) > MaxFacts+100 || !strings.Contains(string(d), "left out") {
		t.Errorf("%d bytes", len(d))
	}
}

func TestCertificatesAreTold(t *testing.T) {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	f := &Facts{State: station.DiagnosticState{Certificates: []cert.Summary{
		{Use: cert.CSMSRootCertificate, Subject: "CN=A\nCN=B", State: cert.Fallback, From: at, Until: at.AddDate(1, 0, 0)}}}}
	want := "[certificates]\nCSMSRootCertificate: CN=A CN=B (fallback), from 2026-01-05T10:00:00.000Z until 2027-01-05T10:00:00.000Z\n"
	if got := string(Diagnostics(f, nil, time.Time{}, time.Time{}, time.Time{})); !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
