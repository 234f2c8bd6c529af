package iskra

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

func model(t *testing.T) *meter.Model {
	t.Helper()
	m, err := meter.Find("iskra/wm3m4")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func show(v *Virtual, wh unit.Energy) {
	v.Set(hal.MeterReading{Phases: 3, Import: wh * unit.WattHour, Voltage: [3]unit.Voltage{230_000, 230_000, 230_000}})
}

func with(t *testing.T, f func(t *testing.T, v *Virtual, m *Meter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v, err := NewVirtual(nil)
		if err != nil {
			t.Fatal(err)
		}
		show(v, 1000)
		bus := modbus.NewRTU("meters", modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{33: v}), 87*time.Microsecond), modbus.Options{})
		defer bus.Close()
		m, err := New(model(t), bus, 33, meter.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f(t, v, m)
	})
}

// session is what a station tells of a transaction now.
func session(tx string) hal.MeterSession {
	return hal.MeterSession{Transaction: tx, EVSE: "DE*EVS*E1", User: "1F2D3A4F5506C7", At: time.Now(), Synchronised: true}
}

// judged checks a record by the meter's key, and that it is of a transaction.
func judged(t *testing.T, s hal.SignedReading, tx string, fields ...string) {
	t.Helper()
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
	if s.SigningMethod != "ECDSA-secp256r1-SHA256" || s.EncodingMethod != "OCMF" {
		t.Errorf("methods %q, %q", s.SigningMethod, s.EncodingMethod)
	}
	for _, f := range append(fields, `"ID":"`+tx) {
		if !strings.Contains(string(s.Data), f) {
			t.Errorf("no %s in %s", f, s.Data)
		}
	}
}

func TestTransactionIsSigned(t *testing.T) {
	with(t, func(t *testing.T, v *Virtual, m *Meter) {
		if _, err := m.Stop(t.Context(), session("tx-1")); !errors.Is(err, meter.ErrNoTransaction) {
			t.Fatal(err)
		}
		s := session("tx-1")
		s.User += strings.Repeat("é", 50) + "|" // the bar separates the parts of a record
		if err := m.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		show(v, 8500)
		got, err := m.Stop(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		judged(t, got, "tx-1 "+s.User[:len(s.User)-1]+`\u007c"`, "DE*EVS*E1", `"RV":1000`, `"RV":8500`, `T01:00:0`, " S")
		if got.Reading.Import != 8500*unit.WattHour {
			t.Errorf("%+v", got.Reading)
		}
		again, err := m.Stop(t.Context(), s) // nobody could keep the first
		if err != nil || string(again.Data) != string(got.Data) {
			t.Errorf("%s, %v", again.Data, err)
		}
		if _, err := m.Stop(t.Context(), session("tx-2")); !errors.Is(err, meter.ErrNoTransaction) {
			t.Errorf("a record of another transaction: %v", err)
		}
	})
}

// Behind a power cut of meter and station, another driver without memory ends what goes on, with all that belongs to it.
func TestTransactionBehindAPowerCut(t *testing.T) {
	with(t, func(t *testing.T, v *Virtual, m *Meter) {
		if err := m.Start(t.Context(), session("tx-1")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		v.CutPower()
		next, err := New(model(t), m.client, 33, meter.Options{})
		if err != nil {
			t.Fatal(err)
		}
		show(v, 2000)
		got, err := next.Stop(t.Context(), session("tx-1"))
		if err != nil {
			t.Fatal(err)
		}
		judged(t, got, "tx-1 1F2D3A4F5506C7", `"RV":1000`, `"RV":2000`)
	})
}

func TestStartOfTheSameGoesOn(t *testing.T) {
	with(t, func(t *testing.T, v *Virtual, m *Meter) {
		for range 2 {
			if err := m.Start(t.Context(), session("tx-1")); err != nil {
				t.Fatal(err)
			}
			show(v, 1500)
		}
		got, err := m.Stop(t.Context(), session("tx-1"))
		if err != nil {
			t.Fatal(err)
		}
		judged(t, got, "tx-1", `"RV":1000`, `"PG":"T1"`)
	})
}

func TestForgottenTransactionIsEnded(t *testing.T) {
	with(t, func(t *testing.T, v *Virtual, m *Meter) {
		for _, id := range []string{"tx-1", "tx-2"} {
			if err := m.Start(t.Context(), session(id)); err != nil {
				t.Fatal(err)
			}
		}
		if v.page != 1 {
			t.Errorf("%d records", v.page)
		}
	})
}

func TestMeterThatRefuses(t *testing.T) {
	with(t, func(t *testing.T, v *Virtual, m *Meter) {
		v.Refuse(128) // its time is not valid
		if err := m.Start(t.Context(), session("tx-1")); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		v.Refuse(0) // it counts all the same, and ends that for the next
		if err := m.Start(t.Context(), session("tx-2")); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Stop(t.Context(), session("tx-2")); err != nil {
			t.Fatal(err)
		}
		v.Refuse(2) // for ever in progress
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := m.Start(ctx, session("tx-3")); !errors.Is(err, ErrRefused) && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		v.Refuse(0)
		if err := m.Start(t.Context(), session(strings.Repeat("x", 2000))); !errors.Is(err, ErrText) {
			t.Errorf("%v", err)
		}
	})
}

func TestPublicKey(t *testing.T) {
	with(t, func(t *testing.T, v *Virtual, m *Meter) {
		want, err := x509.MarshalPKIXPublicKey(&v.key.PublicKey)
		if got, err2 := m.PublicKey(t.Context()); err != nil || err2 != nil || string(got) != string(want) {
			t.Errorf("% x, %v, %v", got, err, err2)
		}
	})
}

func TestSignaturesAreMadePlain(t *testing.T) {
	want, err := asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(0x80), big.NewInt(5)})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"3007020200800201" + "05", "30080203000080020105", "300902020080020300000" + "5"} {
		der, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := plain(der); err != nil || string(got) != string(want) {
			t.Errorf("%s: % x, %v; want % x", s, got, err, want)
		}
	}
	for _, s := range []string{"", "30", "3000", "3006020101", "30060201010202", "310602010102" + "0101", "300702010102010100"} {
		der, _ := hex.DecodeString(s)
		if got, err := plain(der); err == nil {
			t.Errorf("%q is taken for % x", s, got)
		}
	}
}
