package uml

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
)

const (
	stationName = "kernel1"
	csmsAddress = "127.0.0.1:9000"
	meterModel  = "eastron/sdm630-v2"
	charging    = 5 * time.Second // that the vehicle charges: 14 Wh
	least       = 5 * unit.WattHour
)

// line is the meter's end of a pseudo-terminal.
type line struct{ *os.File }

func (line) Char() time.Duration { return time.Millisecond }

// newLine makes the first pseudo-terminal, which is the serial port of board.yaml.
func newLine() (line, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return line{}, err
	}
	unlock := 0
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSPTLCK, uintptr(unsafe.Pointer(&unlock))); e != 0 {
		return line{}, e
	}
	if n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN); err != nil || n != 0 {
		return line{}, fmt.Errorf("pseudo-terminal %d, %v: want the first", n, err)
	}
	// A master whose other end nobody has open reads as an error: this end keeps it open.
	if _, err := unix.Open("/dev/pts/0", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err != nil {
		return line{}, err
	}
	return line{os.NewFile(uintptr(fd), "ptmx")}, nil
}

// bench is the station with its CSMS and its meter.
type bench struct {
	t      *testing.T
	w      *wires
	csms   *csms.CSMS
	cmd    *exec.Cmd
	errs   text
	heard  text         // what the CSMS was told of faults, a line each
	faults atomic.Int32 // notifications of a connector that is Faulted
}

// meterRuns shows what the contactor lets through: 16 A on three lines, while it is closed.
func meterRuns(ctx context.Context, w *wires, s *meter.Slave) {
	energy, last := 10*unit.KiloWattHour, time.Now()
	for ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		r := hal.MeterReading{Phases: 3, Voltage: [3]unit.Voltage{230 * unit.Volt, 230 * unit.Volt, 230 * unit.Volt}, Frequency: 50 * unit.Hertz}
		now := time.Now()
		if w.takes() {
			for i := range r.Current {
				r.Current[i] = 15 * unit.Ampere
			}
			r.Power = 10350 * unit.Watt
			energy += unit.Energy(int64(r.Power) * int64(now.Sub(last)) / int64(time.Hour))
		}
		last, r.Import = now, energy
		s.Set(r)
	}
}

// startStation starts CSMS, meter and evsed run --board.
func startStation(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: board(t)}
	ctx, cancel := context.WithCancel(context.Background())
	b.csms = csms.New(csms.Options{Observe: func(r csms.Request) {
		faulted := r.Action == "StatusNotification" && strings.Contains(r.Payload, `"Faulted"`)
		if faulted {
			b.faults.Add(1)
		}
		if faulted || r.Action == "NotifyEvent" {
			fmt.Fprintf(&b.heard, "%s %s\n", r.Action, r.Payload)
		}
	}})
	l, err := net.Listen("tcp", csmsAddress)
	if err != nil {
		t.Fatal(err)
	}
	port, err := newLine()
	if err != nil {
		t.Fatal(err)
	}
	model, err := meter.Find(meterModel)
	if err != nil {
		t.Fatal(err)
	}
	slave := meter.NewSlave(model)
	go func() { _ = b.csms.Serve(ctx, l) }()
	go func() { _ = modbus.NewServer(map[uint8]modbus.Unit{1: slave}).ServeRTU(ctx, port) }()
	go meterRuns(ctx, b.w, slave)
	seed, err := json.Marshal(map[string]any{"format": "station-seed/1",
		"station": map[string]string{"id": stationName, "vendor": "Example", "model": "KERNEL"},
		"csms":    []map[string]any{{"slot": 1, "url": "ws://" + csmsAddress, "ocpp": []string{"ocpp2.0.1"}, "securityProfile": 0}}})
	if err == nil {
		err = os.WriteFile("/tmp/seed.json", seed, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.cmd = exec.Command("/evsed", "run", "--board", boardFile, "--seed", "/tmp/seed.json", "--state", "/tmp/state")
	b.cmd.Stdout, b.cmd.Stderr = &b.errs, &b.errs
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.cmd.Process.Signal(syscall.SIGTERM)
		_ = b.cmd.Wait()
		cancel()
		t.Logf("the station said:\n%s", b.errs.String())
		if t.Failed() {
			t.Logf("the CSMS was told of faults:\n%s", b.heard.String())
		}
	})
	return b
}

func (b *bench) within(limit time.Duration, what string, is func() bool) time.Duration {
	b.t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > limit {
			b.t.Fatalf("not within %v: %s; the CSMS has %v", limit, what, b.csms.Ledger().Transactions())
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(start)
}

func (b *bench) status(want msg2.ConnectorStatus) {
	b.t.Helper()
	b.within(60*time.Second, "the CSMS hears "+string(want), func() bool { return b.csms.Status(stationName, 1, 1) == want })
}

// checkStation: evsed run on the board file, from plug to bill: the CSMS starts it, the vehicle charges, stops and goes on, the
// emergency stop opens, and the CSMS hears of it once.
func checkStation(t *testing.T) {
	b := startStation(t)
	b.within(90*time.Second, "the station is at its CSMS", func() bool { _, ok := b.csms.Connected(stationName); return ok })
	b.status(msg2.ConnectorStatusAvailable)
	b.w.plug(inB)
	b.status(msg2.ConnectorStatusOccupied)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	answer, err := b.csms.Ask(ctx, stationName, &msg2.RequestStartTransactionRequest{EVSEID: msg2.Some(1), RemoteStartID: 1,
		IdToken: msg2.IdToken{IdToken: "REMOTE1", Type: msg2.IdTokenEnumCentral}})
	if err != nil {
		t.Fatalf("RequestStartTransaction: %+v: %v", answer, err)
	}
	b.w.plug(inC)
	b.within(60*time.Second, "power", b.w.power)
	if d := b.w.bus.duty(0); d < whole*52/100 || d > whole*55/100 {
		t.Errorf("duty of the pilot with a cable for 32 A: %d of %d, want 53.3 %%", d, whole)
	}
	b.within(60*time.Second, "the CSMS knows a transaction that charges", func() bool {
		all := b.csms.Ledger().Transactions()
		return len(all) == 1 && all[0].State == "Charging"
	})
	time.Sleep(charging)
	b.w.plug(inB)
	b.within(30*time.Second, "no power in B", func() bool { return !b.w.driven() && !b.w.power() })
	b.w.plug(inC)
	b.within(60*time.Second, "power again", b.w.power)

	b.w.lines.pull("ESTOP_OK", false)
	b.within(30*time.Second, "emergency stop opens", func() bool { return !b.w.driven() && !b.w.power() })
	b.within(60*time.Second, "the CSMS hears of it", func() bool { return b.faults.Load() > 0 })
	time.Sleep(3 * time.Second)
	if n := b.faults.Load(); n != 1 {
		t.Errorf("the CSMS heard %d times that the connector is faulted, want once", n)
	}
	b.w.lines.pull("ESTOP_OK", true)
	b.w.plug(nobody)
	b.status(msg2.ConnectorStatusAvailable)
	b.within(60*time.Second, "the transaction has ended", func() bool {
		all := b.csms.Ledger().Transactions()
		return len(all) == 1 && !all[0].Open()
	})
	tx := b.csms.Ledger().Transactions()[0]
	if tx.Energy() < least {
		t.Errorf("charged: %v, want %v or more", tx, least)
	}
	for _, found := range b.csms.Ledger().Check(nil) {
		t.Errorf("books of the CSMS: %s", found)
	}
	t.Logf("the CSMS has booked: %v", b.csms.Ledger().Transactions())
}
