package fit

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// signing runs a test on a board with a WM3M4, with these keys behind its address.
func signing(t *testing.T, keys func(own string) string, test func(t *testing.T, v *iskra.Virtual, m hal.Meter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v, err := iskra.NewVirtual(nil)
		if err != nil {
			t.Fatal(err)
		}
		v.Set(hal.MeterReading{Phases: 3, Voltage: [3]unit.Voltage{230_000, 230_000, 230_000}, Import: unit.KiloWattHour})
		d := &desk{line: modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{1: v}), 87*time.Microsecond)}
		bus := modbus.NewRTU("key", modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{1: v}), 87*time.Microsecond), modbus.Options{})
		own, err := bus.Read(t.Context(), 1, modbus.Holding, 8124, 32)
		bus.Close()
		if err != nil {
			t.Fatal(err)
		}
		point := []byte{4}
		for _, w := range own {
			point = append(point, byte(w>>8), byte(w))
		}
		text := strings.Replace(boardFile, "model: eastron/sdm630-v2, bus: meters, address: 1", "model: iskra/wm3m4, bus: meters, address: 1"+keys(hex.EncodeToString(point)), 1)
		f, err := Open(board(t, text), d, Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, err := f.Meter(1)
		if err != nil {
			t.Fatal(err)
		}
		test(t, v, m)
	})
}

func session() hal.MeterSession {
	return hal.MeterSession{Transaction: "tx-1", EVSE: "DE*EVS*E1", User: "04A1B2C3", At: time.Now(), Synchronised: true}
}

func TestLegalMeterSigns(t *testing.T) {
	for name, keys := range map[string]func(string) string{
		"from-meter": func(string) string { return ", legal: ocmf, public_key: from-meter" },
		"its own":    func(own string) string { return ", legal: ocmf, public_key: " + own },
	} {
		signing(t, keys, func(t *testing.T, v *iskra.Virtual, m hal.Meter) {
			s, ok := m.(hal.SigningMeter)
			if !ok {
				t.Fatalf("%s: %T signs nothing", name, m)
			}
			if _, ok := m.(hal.Signer); ok {
				t.Errorf("%s: it signs whole transactions only", name)
			}
			if err := s.Start(t.Context(), session()); err != nil {
				t.Fatal(name, err)
			}
			v.Set(hal.MeterReading{Phases: 3, Voltage: [3]unit.Voltage{230_000, 230_000, 230_000}, Import: 3 * unit.KiloWattHour})
			r, err := s.Stop(t.Context(), session())
			if err != nil {
				t.Fatal(name, err)
			}
			key, err := ocmf.ParseKey(hex.EncodeToString(r.PublicKey))
			if err != nil {
				t.Fatal(err)
			}
			records, err := ocmf.ParseAll(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			if j := ocmf.Judge(records, &key); !j.Good() || !strings.Contains(string(r.Data), `"RV":3000`) {
				t.Errorf("%s: %+v\n%s", name, j, r.Data)
			}
		})
	}
}

// With another key nothing begins: there is nothing to stop.
func TestMeterWithAnotherKey(t *testing.T) {
	other := "04" + "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
	signing(t, func(string) string { return ", legal: ocmf, public_key: " + other }, func(t *testing.T, v *iskra.Virtual, m hal.Meter) {
		s := m.(hal.SigningMeter)
		if err := s.Start(t.Context(), session()); !errors.Is(err, boards.ErrKey) {
			t.Fatal(err)
		}
		if _, err := s.Stop(t.Context(), session()); err == nil {
			t.Error("a transaction had begun")
		}
	})
}

// A meter that can sign does not unless the board says so.
func TestMeterThatIsNotLegal(t *testing.T) {
	signing(t, func(string) string { return "" }, func(t *testing.T, _ *iskra.Virtual, m hal.Meter) {
		if _, ok := m.(hal.SigningMeter); ok {
			t.Errorf("%T signs", m)
		}
		if _, err := m.Read(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
