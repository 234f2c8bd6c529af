package halsim

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// signs is a lab whose first EVSE has a meter that signs.
type signs struct {
	lab
	kept []byte // what would be in the file
}

func newSigns(t *testing.T, station string) *signs {
	l := &signs{lab: lab{t: t, now: epoch}}
	l.boot(station)
	return l
}

// boot makes the world of what was kept, as a program does that is started again.
func (l *signs) boot(station string) {
	l.t.Helper()
	var saved *Saved
	if l.kept != nil {
		saved = new(Saved)
		l.ok(json.Unmarshal(l.kept, saved))
	}
	w, err := New(Config{Clock: func() time.Time { return l.now }, Station: station, Keep: func(s *Saved) error {
		var err error
		l.kept, err = json.Marshal(s)
		return err
	}, EVSEs: []EVSE{
		{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Signs: true, Connectors: []Connector{{ID: 1}}},
		{ID: 2, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []Connector{{ID: 1}}},
	}}, saved)
	l.ok(err)
	l.w = w
}

// flow lets energy flow for an hour.
func (l *signs) flow(wh unit.Energy) {
	l.t.Helper()
	l.run(time.Hour)
	energy := l.read(1).Import + wh
	l.ok(l.w.SetMeter(1, MeterOptions{Energy: &energy}))
}

func (l *signs) meter() signingDevice {
	l.t.Helper()
	m, err := l.w.Meter(1)
	l.ok(err)
	return m.(signingDevice)
}

// good judges a record by the key that came with it, and returns its text.
func (l *signs) good(r hal.SignedReading, err error) string {
	l.t.Helper()
	l.ok(err)
	key, err := ocmf.ParseKey(base64.StdEncoding.EncodeToString(r.PublicKey))
	l.ok(err)
	records, err := ocmf.ParseAll(r.Data)
	l.ok(err)
	if j := ocmf.Judge(records, &key); !j.Good() {
		l.t.Errorf("%+v\n%s", j, r.Data)
	}
	if r.EncodingMethod != "OCMF" || r.SigningMethod != records[0].Algorithm() {
		l.t.Errorf("methods %q, %q", r.EncodingMethod, r.SigningMethod)
	}
	return string(r.Data)
}

func (l *signs) has(text string, parts ...string) {
	l.t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			l.t.Errorf("want %s in\n%s", p, text)
		}
	}
}

var session = hal.MeterSession{Transaction: "a", EVSE: "DE*X*1", User: "A|1"}

func TestMeterSigns(t *testing.T) {
	l, ctx := newSigns(t, "cp001"), context.Background()
	l.flow(5 * unit.WattHour)
	m := l.meter()
	if _, err := m.ReadSigned(ctx, "a"); !errors.Is(err, errNotCounted) {
		t.Error(err)
	}
	l.ok(m.Start(ctx, session))
	l.flow(700 * unit.WattHour)
	part, err := m.ReadSigned(ctx, "a")
	l.ok(err)
	l.has(string(part.Data), `"PG":"T1"`, `"TX":"C","RV":0.705000`)
	l.ok(m.Start(ctx, session)) // goes on
	l.flow(300 * unit.WattHour)
	whole, err := m.Stop(ctx, hal.MeterSession{Transaction: "a"})
	text := l.good(whole, err)
	l.has(text, `"PG":"T2"`, `"MS":"cp001-1"`, `"IS":true,"IT":"UNDEFINED","ID":"A\u007c1","CT":"EVSEID","CI":"DE*X*1"`,
		`{"TM":"2026-01-01T01:00:00,000+0000 S","TX":"B","RV":0.005000,"RI":"01-00:B0.08.00*FF","RU":"kWh","RT":"AC","EF":"","ST":"G"}`,
		`{"TM":"2026-01-01T03:00:00,000+0000 S","TX":"E","RV":1.005000,`)
	if whole.Reading.Import != 1005*unit.WattHour {
		t.Errorf("reads %v", whole.Reading.Import)
	}
	if _, err := m.Stop(ctx, hal.MeterSession{Transaction: "b"}); !errors.Is(err, errNotCounted) {
		t.Error(err)
	}
	if _, err := m.ReadSigned(ctx, "a"); !errors.Is(err, errNotCounted) {
		t.Error(err)
	}
	l.has(l.good(m.Stop(ctx, hal.MeterSession{Transaction: "a"})), text) // the same again
	if other, err := l.w.Meter(2); err != nil || isSigning(other) {
		t.Errorf("a meter that signs nothing: %T, %v", other, err)
	}
}

func isSigning(m hal.Meter) bool { _, ok := m.(hal.SigningMeter); return ok }

// A meter is a device of its own: a kill of the station does not end what it counts, nor change its key or its pages.
func TestMeterThatSignsSurvivesAKill(t *testing.T) {
	l, ctx := newSigns(t, "cp001"), context.Background()
	l.ok(l.meter().Start(ctx, session))
	key, err := l.meter().PublicKey(ctx)
	l.ok(err)
	l.flow(100 * unit.WattHour)
	l.made(l.meter().ReadSigned(ctx, "a"))
	l.boot("cp001")
	l.flow(100 * unit.WattHour)
	whole, err := l.meter().Stop(ctx, hal.MeterSession{Transaction: "a"})
	text := l.good(whole, err)
	l.has(text, `"PG":"T2"`, `"TX":"B","RV":0.000000`, `"TX":"E","RV":0.200000`)
	if !bytes.Equal(key, whole.PublicKey) {
		t.Error("another key after a kill")
	}
	l.boot("cp001")
	l.has(l.good(l.meter().Stop(ctx, hal.MeterSession{Transaction: "a"})), text)
	l.boot("cp002")
	if other, _ := l.meter().PublicKey(ctx); bytes.Equal(key, other) {
		t.Error("two stations have one key")
	}
}

func (l *signs) made(_ hal.SignedReading, err error) {
	l.t.Helper()
	l.ok(err)
}

// A transaction that nobody has ended is ended by the next one; its record is still there for who asks late.
func TestMeterEndsWhatIsOpen(t *testing.T) {
	l, ctx := newSigns(t, "cp001"), context.Background()
	m := l.meter()
	l.ok(m.Start(ctx, session))
	l.flow(100 * unit.WattHour)
	l.ok(m.Start(ctx, hal.MeterSession{Transaction: "b"}))
	l.has(l.good(m.Stop(ctx, hal.MeterSession{Transaction: "a"})), `"TX":"E","RV":0.100000`)
	l.now = l.now.Add(-3 * time.Hour) // a clock that is set back
	l.has(l.good(m.Stop(ctx, hal.MeterSession{Transaction: "b"})), `"IS":false,"IT":"NONE","RD":`, `"PG":"T2"`)
}

func TestMeterRefusesToSign(t *testing.T) {
	l, ctx := newSigns(t, "cp001"), context.Background()
	l.ok(l.w.SetMeter(1, MeterOptions{Refuses: ptr(true)}))
	l.wants(l.meter().Start(ctx, session), errRefused)
	l.boot("cp001") // it goes on refusing
	l.wants(l.meter().Start(ctx, session), errRefused)
	if l.read(1).Phases != 3 {
		t.Error("it measures all the same")
	}
	l.wants(l.w.SetMeter(1, MeterOptions{Refuses: ptr(false), Frequency: ptr(unit.Frequency(-1))}), ErrBadValue)
	l.wants(l.meter().Start(ctx, session), errRefused)
	l.ok(l.w.ClearFaults())
	l.ok(l.meter().Start(ctx, session))
	l.wants(l.w.SetMeter(2, MeterOptions{Refuses: ptr(true)}), ErrImpossible)
	l.wants(l.w.SetMeter(3, MeterOptions{Refuses: ptr(true)}), ErrNotFound)
	l.ok(l.w.SetFault(FaultOptions{Ref: term.Ref{EVSE: 1}, Code: term.FaultMeter, Active: true}))
	_, err := l.meter().Stop(ctx, hal.MeterSession{Transaction: "a"})
	l.wants(err, errMeter)
	l.ok(l.w.ClearFaults())
	l.ok(l.w.SetPower(false))
	_, err = l.meter().Stop(ctx, hal.MeterSession{Transaction: "a"})
	l.wants(err, errMeter)
	l.ok(l.w.SetPower(true))
	gone, cancel := context.WithCancel(ctx)
	cancel()
	l.wants(l.meter().Start(gone, session), context.Canceled)
	l.good(l.meter().Stop(ctx, hal.MeterSession{Transaction: "a"}))
}
