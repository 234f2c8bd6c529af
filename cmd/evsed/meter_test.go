package main

import (
	"bytes"
	"context"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/dcbm"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial/pty"
	"github.com/evsed/evsed/hal/unit"
)

// virtualMeters are two meters and something else, as a server.
func virtualMeters(t *testing.T) *modbus.Server {
	t.Helper()
	units := map[uint8]modbus.Unit{7: modbus.Memory{}}
	for at, name := range map[uint8]string{1: "eastron/sdm630-v2", 3: "abb/b23"} {
		m, err := meter.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		s := meter.NewSlave(m)
		s.Set(hal.MeterReading{Import: 20_412_770 * unit.WattHour, Power: 4130 * unit.Watt, Frequency: 50 * unit.Hertz, Factor: 999,
			Voltage: [3]unit.Voltage{231_400, 230_000, 229_000}, Current: [3]unit.Current{6000, 6000, 6000}})
		units[at] = s
	}
	return modbus.NewServer(units)
}

// far is the other end of a pseudo-terminal, as a modbus.Port.
type far struct{ *os.File }

func (f far) Char() time.Duration { return 0 }

func TestMeterOverASerialLine(t *testing.T) {
	f, near, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- virtualMeters(t).ServeRTU(ctx, far{f}) }()
	defer func() { cancel(); <-ended }()
	var out, errs bytes.Buffer
	if code := dispatch([]string{"meter", "read", "--port", near, "--model", "eastron/sdm630-v2", "--timeout", "10s"}, &out, &errs); code != exitOK {
		t.Fatal(code, errs.String())
	}
	for _, want := range []string{"Eastron SDM630-Modbus V2 (eastron/sdm630-v2)", "imported 20412.77 kWh", "power    4130 W", "L1       231.4 V  6 A", "factor   0.999"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestMeterOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- virtualMeters(t).ServeTCP(ctx, l) }()
	defer func() { cancel(); <-ended }()
	var out, errs bytes.Buffer
	if code := dispatch([]string{"meter", "scan", "--tcp", l.Addr().String(), "--units", "1-8", "--timeout", "10s"}, &out, &errs); code != exitOK {
		t.Fatal(code, errs.String())
	}
	for _, want := range []string{"id 1 Eastron SDM630-Modbus V2 231.4 V 20412.77 kWh  --model one of eastron/sdm630-v2, ", "id 3 ABB B23, B24 231.4 V 20412.77 kWh  --model abb/b23\n",
		"id 7 unknown, answers\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}

func TestMeterOverHTTP(t *testing.T) {
	v, err := dcbm.NewVirtual("12024072805")
	if err != nil {
		t.Fatal(err)
	}
	v.Set(dcbm.Reading(time.Now(), 400*unit.Volt, 125*unit.Ampere, 196_614*unit.WattHour))
	s := httptest.NewServer(v)
	defer s.Close()
	var out, errs bytes.Buffer
	if code := dispatch([]string{"meter", "read", "--tcp", s.Listener.Addr().String(), "--model", "lem/dcbm400600"}, &out, &errs); code != exitOK {
		t.Fatal(code, errs.String())
	}
	if want := "imported 196.614 kWh\n  exported 0 kWh\n  power    50000 W\n  DC       400 V  125 A\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}

func TestMeterModelsAreListed(t *testing.T) {
	var out, errs bytes.Buffer
	if code := dispatch([]string{"meter", "models"}, &out, &errs); code != exitOK || strings.Count(out.String(), "\n") != len(meter.Models()) {
		t.Fatal(code, out.String(), errs.String())
	}
}

func TestMeterUsage(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(own, []byte("schema: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"", "want a command: models; read --port"},
		{"sell", "want a command"},
		{"models now", `unexpected argument "now"`},
		{"read --model abb/b23", "either --port PORT or --tcp"},
		{"read --port x --tcp y --model abb/b23", "either --port PORT or --tcp"},
		{"read --port x", "evsed meter models lists them"},
		{"read --port x --model abb/b99", "there are: abb/b21, abb/b23"},
		{"read --port x --model no-such.yaml", "no-such.yaml"},
		{"read --port x --model " + own, "want evse.meter/1"},
		{"read --port x --model abb/b23 --unit 248", "want 1 to 247"},
		{"read --port x --model abb/b23 --baud 1", "baud rate 1"},
		{"read --port x --model abb/b23 --frame 9X1", "like 8N1"},
		{"read --tcp x --model abb/b23 --baud 9600", "of a serial port"},
		{"read --port x --model lem/dcbm400600", "speaks HTTP: want --tcp"},
		{"read --tcp a/b --model lem/dcbm400600", "want HOST or HOST:PORT"},
		{"read --tcp x --model abb/b23 --timeout 1h", "want up to 10s"},
		{"scan --port x --units 0-3", "within 1-247"},
		{"scan --port x extra", "unexpected argument"},
	} {
		var out, errs bytes.Buffer
		if code := dispatch(append([]string{"meter"}, strings.Fields(c.args)...), &out, &errs); code != exitUsage || !strings.Contains(errs.String(), c.want) {
			t.Errorf("meter %s: exit %d, %q; want %q", c.args, code, errs.String(), c.want)
		}
	}
	var out, errs bytes.Buffer
	if code := dispatch([]string{"meter", "read", "--port", "/dev/no-such-port", "--model", "abb/b23"}, &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "plug the adapter in") {
		t.Errorf("a port that is not there: exit %d, %q", code, errs.String())
	}
}
