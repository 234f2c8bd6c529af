package checkup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/isolation"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/dcbm"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/rectifier"
	"github.com/evsed/evsed/hal/unit"
)

// memory is a kernel with lines in memory.
type memory struct {
	line *modbus.Line
	can  *can.Memory
	net  map[string]bool // interfaces, and whether they are up
}

func (m *memory) Interface(name string) (bool, error) {
	up, ok := m.net[name]
	if !ok {
		return false, errors.New("no such network interface")
	}
	return up, nil
}

func (m *memory) Modbus(b boards.Bus) (Modbus, error) {
	if m.line == nil {
		return nil, errors.New("no such port")
	}
	return modbus.NewRTU(b.Name, m.line, modbus.Options{}), nil
}

func (m *memory) CAN(b boards.Bus) (CAN, error) {
	if m.can == nil {
		return nil, errors.New("no such interface")
	}
	return can.Start(b.Port, can.Options{Open: m.can.Open})
}

func shipped(t *testing.T, name string) *boards.Board {
	t.Helper()
	raw, err := boards.Starter(name)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := boards.Read(boards.File{Name: name + ".yaml", Data: raw})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// want compares results: each line begins with ok or FAIL and has its text somewhere.
func want(t *testing.T, got []Result, lines ...[2]string) {
	t.Helper()
	if len(got) != len(lines) {
		t.Fatalf("%d results: %v", len(got), got)
	}
	for i, r := range got {
		if s := r.String(); !strings.HasPrefix(s, lines[i][0]) || !strings.Contains(s, lines[i][1]) {
			t.Errorf("got  %s\nwant %s ... %s", s, lines[i][0], lines[i][1])
		}
	}
}

func TestDevicesOfACabinet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := shipped(t, "dc-cabinet-60kw")
		b.EVSEs[0].Meter = nil // speaks HTTP
		monitor, ok := isolation.NewSlave("bender/isocha425hv", time.Now)
		if !ok {
			t.Fatal("no such monitor")
		}
		line := func() *modbus.Line {
			return modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{3: monitor}), 500*time.Microsecond)
		}
		k := &memory{line: line(), can: &can.Memory{}, net: map[string]bool{"eth1": true}}
		one, two := rectifier.NewSim(k.can, 1, time.Now), rectifier.NewSim(k.can, 2, time.Now)
		run := func() []Result { k.line = line(); return Run(context.Background(), b, k, Options{}) }

		want(t, run(), [2]string{"ok   evses[1].isolation", "1000000 Ohm"}, [2]string{"ok   power_modules[pm1]", "30000 W"}, [2]string{"ok   power_modules[pm2]", "30000 W"}, [2]string{"ok   evses[1].hlc", "eth1"})
		if on, _, _ := one.Now(); on {
			t.Error("a module was switched on")
		}
		k.net["eth1"] = false
		monitor.Show(isolation.Reading{Resistance: 90 * unit.KiloOhm})
		two.Mute(true)
		one.Raise(rectifier.OutputShort)
		want(t, run(), [2]string{"FAIL evses[1].isolation", "less than the"}, [2]string{"FAIL power_modules[pm1]", "alarms"}, [2]string{"FAIL power_modules[pm2]", "no power module answers"}, [2]string{"FAIL evses[1].hlc", "down"})
		b.EVSEs[0].HLC = nil
		one.Raise(0)
		two.Mute(false)
		k.net["eth1"] = false
		monitor.Show(isolation.Reading{Resistance: 900 * unit.KiloOhm})
		b.Modules[0].Power = 40 * unit.KiloWatt
		b.Modules[1].Voltage.Most = 1500 * unit.Volt
		want(t, run(), [2]string{"ok   evses[1].isolation", "900"}, [2]string{"FAIL power_modules[pm1]", "the board says 40000 W"}, [2]string{"FAIL power_modules[pm2]", "1500 V"})
		k.can = nil
		want(t, run(), [2]string{"ok", ""}, [2]string{"FAIL", "no such interface"}, [2]string{"FAIL", "no such interface"})
		b.EVSEs[0].Off = true
		want(t, run())
	})
}

func TestMetersOfAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := shipped(t, "ac-post-two-mcu")
		model, err := b.EVSEs[0].Meter.Table()
		if err != nil {
			t.Fatal(err)
		}
		slave := meter.NewSlave(model)
		slave.Set(hal.MeterReading{Phases: 3, Import: 1234 * unit.WattHour, Voltage: [3]unit.Voltage{230_000, 231_000, 229_000}})
		k := &memory{line: modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{1: slave}), 500*time.Microsecond)}
		want(t, Run(context.Background(), b, k, Options{}), [2]string{"ok   evses[1].meter", "231 V"}, [2]string{"FAIL evses[2].meter", "no answer"})
		want(t, Run(context.Background(), b, &memory{}, Options{}), [2]string{"FAIL evses[1].meter", "no such port"}, [2]string{"FAIL evses[2].meter", "no such port"})
	})
}

func TestKeyOfAMeter(t *testing.T) {
	v, err := dcbm.NewVirtual("4711")
	if err != nil {
		t.Fatal(err)
	}
	v.Set(hal.MeterReading{Voltage: [3]unit.Voltage{400_000}, Import: 5 * unit.KiloWattHour})
	server := httptest.NewServer(v)
	defer server.Close()
	b := shipped(t, "dc-cabinet-60kw")
	e := &b.EVSEs[0]
	e.Isolation, e.Source, e.HLC, e.Meter.HTTP = nil, nil, nil, strings.TrimPrefix(server.URL, "http://")
	r := Run(context.Background(), b, &memory{}, Options{})
	want(t, r, [2]string{"ok   evses[1].meter", "400 V"})
	_, key, ok := strings.Cut(r[0].Text, "public key ")
	if !ok {
		t.Fatal(r[0])
	}
	e.Meter.PublicKey = strings.ToUpper(key)
	want(t, Run(context.Background(), b, &memory{}, Options{}), [2]string{"ok", "400 V"})
	e.Meter.PublicKey = key[len(key)-130:] // the bare point
	want(t, Run(context.Background(), b, &memory{}, Options{}), [2]string{"ok", "400 V"})
	other, err := dcbm.NewVirtual("4712")
	if err != nil {
		t.Fatal(err)
	}
	second := httptest.NewServer(other)
	defer second.Close()
	dev, err := dcbm.New(strings.TrimPrefix(second.URL, "http://"), dcbm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	foreign, err := dev.PublicKey(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	e.Meter.PublicKey = hex.EncodeToString(foreign)
	want(t, Run(context.Background(), b, &memory{}, Options{}), [2]string{"FAIL", "another public key"})
	v.Fail(true)
	want(t, Run(context.Background(), b, &memory{}, Options{}), [2]string{"FAIL", "dcbm"})
}

// TestOtherMachinesAreNotAsked: an address of a file may be anybody's here. None is asked unless that is wanted.
func TestOtherMachinesAreNotAsked(t *testing.T) {
	b := shipped(t, "dc-cabinet-60kw")
	b.EVSEs[0].Isolation, b.EVSEs[0].Source, b.EVSEs[0].HLC = nil, nil, nil
	want(t, Run(context.Background(), b, &memory{}, Options{}), [2]string{"-    evses[1].meter", "lem/dcbm400600 at 192.0.2.100: not asked, it is on the network: --network asks it"})

	b = shipped(t, "ac-post-two-mcu")
	for i := range b.Buses {
		if b.Buses[i].Name == b.EVSEs[0].Meter.Bus {
			b.Buses[i].Kind, b.Buses[i].Port = boards.BusTCP, "192.0.2.9:1502"
		}
	}
	asked := &memory{} // that has no such port, if it is asked for one
	want(t, Run(context.Background(), b, asked, Options{}), [2]string{"-    evses[1].meter", "192.0.2.9:1502: not asked"}, [2]string{"-    evses[2].meter", "not asked"})
	want(t, Run(context.Background(), b, asked, Options{Network: true}), [2]string{"FAIL evses[1].meter", "no such port"}, [2]string{"FAIL evses[2].meter", "no such port"})
	for host, here := range map[string]bool{"127.0.0.1": true, "127.1.2.3:502": true, "[::1]:502": true, "::1": true, "localhost:80": true, "::ffff:127.0.0.1": true,
		"192.0.2.1": false, "meter.example": false, "localhost.example": false, "127.0.0.1.example": false, "[2001:db8::1]:502": false} {
		if isHere(host) != here {
			t.Errorf("%s: here %v, want %v", host, !here, here)
		}
	}
}

// A WM3M4 that the board calls legal is asked for its key, which the board's must be.
func TestKeyOfALegalMeterOnABus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := shipped(t, "ac-wallbox-cm4")
		v, err := iskra.NewVirtual(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		v.Set(hal.MeterReading{Phases: 3, Import: 7 * unit.KiloWattHour, Voltage: [3]unit.Voltage{230_000, 230_000, 230_000}})
		run := func(key string) []Result {
			b.EVSEs[0].Meter = &boards.Meter{Model: "iskra/wm3m4", Bus: "meters", Address: 33, Legal: true, PublicKey: key}
			return Run(context.Background(), b, &memory{line: modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{33: v}), time.Millisecond)}, Options{})
		}
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		other, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		want(t, run("from-meter"), [2]string{"ok   evses[1].meter", "; public key 3059"})
		want(t, run(hex.EncodeToString(other)), [2]string{"FAIL evses[1].meter", boards.ErrKey.Error()})
	})
}
