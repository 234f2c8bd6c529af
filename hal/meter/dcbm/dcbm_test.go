package dcbm

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rig is a virtual meter behind a server, and its driver.
type rig struct {
	t     *testing.T
	v     *Virtual
	meter *Meter
	told  []error
}

func newRig(t *testing.T) *rig {
	t.Helper()
	v, err := NewVirtual("12024072805")
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, v: v}
	s := httptest.NewServer(v)
	t.Cleanup(s.Close)
	g.meter = g.at(s.URL)
	v.Set(Reading(noon, 400*unit.Volt, 125*unit.Ampere, 196_614*unit.WattHour))
	return g
}

func (g *rig) at(url string) *Meter {
	g.t.Helper()
	m, err := New(strings.TrimPrefix(url, "http://"), Options{Now: func() time.Time { return noon }, Notify: func(err error) { g.told = append(g.told, err) }})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { m.Close() })
	return m
}

func TestReading(t *testing.T) {
	g := newRig(t)
	r, err := g.meter.Read(t.Context())
	want := hal.MeterReading{At: noon, Voltage: [3]unit.Voltage{400_000}, Current: [3]unit.Current{125_000}, Power: 50 * unit.KiloWatt, Import: 196_614 * unit.WattHour}
	if err != nil || r != want {
		t.Fatalf("got %+v, %v", r, err)
	}
}

// Traffic as the meter's documents show it: what is not ours to interpret is passed over.
func TestRecordedAnswer(t *testing.T) {
	text, err := os.ReadFile("testdata/livemeasure.json")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.String() != "/v1/livemeasure" {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		w.Write(text)
	}))
	defer s.Close()
	g := &rig{t: t}
	r, err := g.at(s.URL).Read(t.Context())
	if err != nil || r.Voltage[0] != 398_125 || r.Current[0] != -12_500 || r.Power != -4_976_600 || r.Import != 196_614_000 || r.Export != 1_250 || r.Phases != 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestTransactionIsSigned(t *testing.T) {
	g := newRig(t)
	ctx := t.Context()
	if _, err := g.meter.ReadSigned(ctx, ""); !errors.Is(err, meter.ErrNoTransaction) {
		t.Fatal(err)
	}
	if err := g.meter.Start(ctx, hal.MeterSession{Transaction: "left-over", EVSE: "DE*EVS*E1", User: "1F2D3A4F5506C7"}); err != nil {
		t.Fatal(err)
	}
	if err := g.meter.Start(ctx, hal.MeterSession{Transaction: "tx 1", EVSE: "DE*EVS*E1", User: strings.Repeat("x", 99)}); err != nil {
		t.Fatal("a transaction that is still open: ", err)
	}
	if _, err := g.meter.ReadSigned(ctx, "tx 1"); err != nil {
		t.Fatal(err)
	}
	g.v.Set(Reading(noon.Add(time.Hour), 400*unit.Volt, 0, 246_614*unit.WattHour))
	s, err := g.meter.Stop(ctx, hal.MeterSession{Transaction: "tx 1"})
	if err != nil {
		t.Fatal(err)
	}
	if s.EncodingMethod != "OCMF" || s.SigningMethod != "ECDSA-secp256r1-SHA256" || s.Reading.Import != 246_614*unit.WattHour {
		t.Errorf("got %+v", s)
	}
	key, err := ocmf.ParseKey(hex.EncodeToString(s.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := ocmf.ParseAll(s.Data)
	if err != nil {
		t.Fatal(err)
	}
	if j := ocmf.Judge(rs, &key); !j.Good() {
		t.Errorf("%+v\n%s", j, s.Data)
	}
	if again, err := g.meter.Stop(ctx, hal.MeterSession{Transaction: "tx 1"}); err != nil || string(again.Data) != string(s.Data) {
		t.Errorf("ended already, and nobody could keep it: %v", err)
	}
	if _, err := g.meter.Stop(ctx, hal.MeterSession{Transaction: "never"}); !errors.Is(err, ErrAnswer) {
		t.Errorf("a transaction that never was: %v", err)
	}
}

// The same transaction goes on, also for a driver that has been started anew; another one's end leaves it alone.
func TestSameTransactionGoesOn(t *testing.T) {
	g := newRig(t)
	for range 2 {
		if err := g.meter.Start(t.Context(), hal.MeterSession{Transaction: "tx 1"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.meter.Stop(t.Context(), hal.MeterSession{Transaction: "tx 0"}); !errors.Is(err, ErrAnswer) {
		t.Errorf("%v", err)
	}
	g.v.Set(Reading(noon.Add(time.Hour), 400*unit.Volt, 0, 250_000*unit.WattHour))
	s, err := g.meter.Stop(t.Context(), hal.MeterSession{Transaction: "tx 1"})
	if err != nil || !strings.Contains(string(s.Data), `"PG":"T1"`) {
		t.Errorf("%v: %s", err, s.Data)
	}
}

func TestFaultsAreToldOnce(t *testing.T) {
	g := newRig(t)
	g.v.Fail(true)
	for range 5 {
		if _, err := g.meter.Read(t.Context()); !errors.Is(err, ErrAnswer) {
			t.Fatal(err)
		}
	}
	g.v.Fail(false)
	if _, err := g.meter.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(g.told) != 2 || g.told[0] == nil || g.told[1] != nil {
		t.Fatalf("told %v", g.told)
	}
	g.v.Set(Reading(noon, 0, 0, 5))
	if _, err := g.meter.Read(t.Context()); !errors.Is(err, meter.ErrFell) {
		t.Fatal(err)
	}
}

func TestOddAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":           "<html>",
		"text for a number": `{"voltage":"high"}`,
		"nothing":           `{}`,
		"endless":           strings.Repeat(" ", maxAnswer+1),
		"huge":              `{"voltage":1e999999999,"current":0,"power":0,"energyImportTotal":0,"energyExportTotal":0}`,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text)) }))
		g := &rig{t: t}
		if r, err := g.at(s.URL).Read(t.Context()); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		s.Close()
	}
	g := &rig{t: t}
	s := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	defer s.Close()
	if _, err := g.at(s.URL).Read(t.Context()); !errors.Is(err, ErrAnswer) {
		t.Errorf("sent elsewhere: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.at(s.URL).Read(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, address := range []string{"", "http://x", "a b", "x/y", "u:p@x"} {
		if _, err := New(address, Options{}); err == nil {
			t.Errorf("%q is an address", address)
		}
	}
}
