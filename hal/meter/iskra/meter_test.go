package iskra

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// virtual is the signing part of a WM3M4: a state machine behind its registers, with a key.
type virtual struct {
	*meter.Slave
	key   *ecdsa.PrivateKey
	regs  modbus.Memory
	work  int // how many times the status is still "in progress"
	first string
	page  int
	fail  uint16 // status instead of signed
	told  int    // metadata that came
}

func newVirtual(t *testing.T) *virtual {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model, err := meter.Find("iskra/wm3m4")
	if err != nil {
		t.Fatal(err)
	}
	v := &virtual{Slave: meter.NewSlave(model), key: key, regs: modbus.Memory{}}
	v.regs.Set(modbus.Holding, regState, make([]uint16, regSignature+64-regState)...)
	v.regs.Set(modbus.Holding, regStatus, 1)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	v.regs.Set(modbus.Holding, regKey, pack(string(point[1:]))...)
	v.show(1000)
	return v
}

func (v *virtual) show(wh unit.Energy) {
	v.Slave.Set(hal.MeterReading{Phases: 3, Import: wh * unit.WattHour, Voltage: [3]unit.Voltage{230_000, 230_000, 230_000}})
	v.regs[modbus.Holding][1] = uint16(wh) // what the signing part sees
}

func (v *virtual) get(at uint16) uint16 { return v.regs[modbus.Holding][at] }

func (v *virtual) ReadTable(kind modbus.Kind, address, count uint16) ([]uint16, error) {
	if kind == modbus.Input {
		return v.Slave.ReadTable(kind, address, count)
	}
	if address == regStatus && v.work > 0 {
		if v.work--; v.work == 0 {
			v.regs.Set(modbus.Holding, regStatus, v.fail)
		}
	}
	return v.regs.ReadTable(kind, address, count)
}

func (v *virtual) WriteTable(kind modbus.Kind, address uint16, values []uint16) error {
	if err := v.regs.WriteTable(kind, address, values); err != nil {
		return err
	}
	switch {
	case address == regMetaBytes:
		v.told++
	case address == regCommand:
		return v.command(values[0])
	}
	return nil
}

func (v *virtual) command(c uint16) error {
	state := v.get(regState)
	switch {
	case c == beginning && state == idle:
		v.first = v.point("B")
		v.regs.Set(modbus.Holding, regState, active)
	case c == ending && state != idle:
		v.sign(v.point("E"))
		v.regs.Set(modbus.Holding, regState, idle)
	default:
		return modbus.IllegalValue
	}
	v.regs.Set(modbus.Holding, regStatus, 2)
	v.work = 3
	if v.fail == 0 {
		v.fail = signed
	}
	return nil
}

func (v *virtual) point(reason string) string {
	at := time.Unix(int64(v.get(regTime))<<16|int64(v.get(regTime+1)), 0).UTC()
	mark := "I"
	if v.get(regSynced) == synced {
		mark = "S"
	}
	return fmt.Sprintf(`{"TM":"%s %s","TX":"%s","RV":%d,"RI":"01-00:01.08.00*FF","RU":"Wh","ST":"G"}`, at.Format("2006-01-02T15:04:05,000-0700"), mark, reason, v.get(1))
}

// sign fills the head of the record with what the station told, and signs; its signature has zeros that do not belong
// there.
func (v *virtual) sign(last string) {
	var h map[string]any
	words, _ := v.regs.ReadTable(modbus.Holding, regMeta, (v.get(regMetaBytes)+1)/2)
	if err := json.Unmarshal(unpack(words)[:v.get(regMetaBytes)], &h); err != nil {
		panic(err)
	}
	v.page++
	h["PG"], h["MS"], h["MV"] = fmt.Sprint("T", v.page), "4711", "ISKRA"
	h["RD"] = []json.RawMessage{json.RawMessage(v.first), json.RawMessage(last)}
	text, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, v.key, sum[:])
	if err != nil {
		panic(err)
	}
	der := append([]byte{0x30, 70, 2, 33}, r.FillBytes(make([]byte, 33))...)
	der = append(append(der, 2, 33), s.FillBytes(make([]byte, 33))...)
	v.regs.Set(modbus.Holding, regData, pack(string(text))...)
	v.regs.Set(modbus.Holding, regDataBytes, uint16(len(text)))
	v.regs.Set(modbus.Holding, regSignature, pack(string(der))...)
	v.regs.Set(modbus.Holding, regSigBytes, uint16(len(der)))
}

func with(t *testing.T, f func(t *testing.T, v *virtual, m *Meter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := newVirtual(t)
		bus := modbus.NewRTU("meters", modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{33: v}), 87*time.Microsecond), modbus.Options{})
		defer bus.Close()
		m, err := New(bus, 33, Options{Synchronised: func() bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		f(t, v, m)
	})
}

func TestTransactionIsSigned(t *testing.T) {
	with(t, func(t *testing.T, v *virtual, m *Meter) {
		if _, err := m.Stop(t.Context(), "tx-1"); !errors.Is(err, meter.ErrNoTransaction) {
			t.Fatal(err)
		}
		long := strings.Repeat("é", 50)
		if err := m.Start(t.Context(), hal.MeterSession{Transaction: "tx-1", EVSE: "DE*EVS*E1", User: "1F2D3A4F5506C7" + long}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		v.show(8500)
		v.regs.Set(modbus.Holding, regTime, uint16(time.Now().Unix()>>16), uint16(time.Now().Unix()))
		s, err := m.Stop(t.Context(), "tx-1")
		if err != nil {
			t.Fatal(err)
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
		if s.Reading.Import != 8500*unit.WattHour || !strings.Contains(string(s.Data), "1F2D3A4F5506C7"+long) {
			t.Errorf("%+v\n%s", s.Reading, s.Data)
		}
	})
}

func TestTransactionBehindAPowerCut(t *testing.T) {
	with(t, func(t *testing.T, v *virtual, m *Meter) {
		if err := m.Start(t.Context(), hal.MeterSession{Transaction: "tx-1", EVSE: "E1"}); err != nil {
			t.Fatal(err)
		}
		v.regs.Set(modbus.Holding, regState, afterPower)
		if _, err := m.Stop(t.Context(), "tx-1"); err != nil {
			t.Fatal(err)
		}
		if v.told != 2 {
			t.Errorf("metadata told %d times, want again behind the power cut", v.told)
		}
	})
}

func TestForgottenTransactionIsEnded(t *testing.T) {
	with(t, func(t *testing.T, v *virtual, m *Meter) {
		for _, id := range []string{"tx-1", "tx-2"} {
			if err := m.Start(t.Context(), hal.MeterSession{Transaction: id, EVSE: "E1"}); err != nil {
				t.Fatal(err)
			}
		}
		if v.page != 1 {
			t.Errorf("%d records", v.page)
		}
	})
}

func TestMeterThatRefuses(t *testing.T) {
	with(t, func(t *testing.T, v *virtual, m *Meter) {
		v.fail = 128 // its time is not valid
		if err := m.Start(t.Context(), hal.MeterSession{Transaction: "tx-1"}); !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		v.fail = 2 // for ever in progress
		v.regs.Set(modbus.Holding, regState, idle)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := m.Start(ctx, hal.MeterSession{Transaction: "tx-1"}); !errors.Is(err, ErrRefused) && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
	with(t, func(t *testing.T, v *virtual, m *Meter) {
		for _, s := range []hal.MeterSession{{Transaction: "a|b"}, {Transaction: strings.Repeat("x", 2000)}} {
			if err := m.Start(t.Context(), s); !errors.Is(err, ErrText) {
				t.Errorf("%.20q: %v", s.Transaction, err)
			}
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
