package meter_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/unit"
)

// patience bounds what a peer of another project takes, on a machine with other things to do.
const patience = 60 * time.Second

// start starts a program and returns the first line that it prints; closing its input ends it.
func start(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	cmd := exec.CommandContext(ctx, name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		cancel()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, said.String())
	}
	return strings.TrimSpace(line)
}

// pair is two pseudo-terminals with socat between them: a line that two programs open by name.
func pair(t *testing.T) (a, b string) {
	t.Helper()
	socat, err := exec.LookPath("socat")
	if err != nil {
		t.Skip("socat is not installed: it makes the serial line between two programs")
	}
	dir := t.TempDir()
	a, b = filepath.Join(dir, "a"), filepath.Join(dir, "b")
	cmd := exec.Command(socat, "pty,raw,echo=0,link="+a, "pty,raw,echo=0,link="+b)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, errA := os.Stat(a)
		_, errB := os.Stat(b)
		if errA == nil && errB == nil {
			return a, b
		}
		if time.Now().After(deadline) {
			t.Fatal("socat made no terminals: ", errA, errB)
		}
	}
}

// python is an interpreter that has pymodbus.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PYMODBUS_PYTHON"), "python3"} {
		if name != "" && exec.Command(name, "-c", "import pymodbus.datastore").Run() == nil {
			return name
		}
	}
	t.Skip("no python3 with pymodbus: it is the Modbus slave that others wrote")
	return ""
}

// A slave that others wrote, over a serial line.
func TestPymodbusOverRTU(t *testing.T) {
	py := python(t)
	ours, theirs := pair(t)
	if line := start(t, py, "testdata/slave.py", "rtu", theirs); line != "ready" {
		t.Fatal(line)
	}
	p, err := serial.Open(serial.Config{Port: ours, Baud: 9600, Frame: "8E1"})
	if err != nil {
		t.Fatal(err)
	}
	bus := modbus.NewRTU(ours, p, modbus.Options{Timeout: patience / 4})
	defer bus.Close()
	talk(t, bus)
}

func TestPymodbusOverTCP(t *testing.T) {
	line := start(t, python(t), "testdata/slave.py", "tcp")
	var port int
	if _, err := fmt.Sscanf(line, "ready %d", &port); err != nil {
		t.Fatal(line, err)
	}
	bus := modbus.DialTCP(fmt.Sprint("127.0.0.1:", port), modbus.Options{Timeout: patience / 4})
	defer bus.Close()
	talk(t, bus)
}

// talk reads the meter, and uses every function of the client.
func talk(t *testing.T, bus *modbus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	model, err := meter.Find("eastron/sdm630-v2")
	if err != nil {
		t.Fatal(err)
	}
	m, err := meter.New(model, bus, 5, meter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Read(ctx)
	r.At = time.Time{}
	want := hal.MeterReading{Phases: 3, Import: 1234500 * unit.WattHour, Export: 2250 * unit.WattHour, Power: 10875 * unit.Watt,
		Voltage: [3]unit.Voltage{230500, 231250, 229750}, Current: [3]unit.Current{15500, 15750, 16000}, Frequency: 50 * unit.Hertz, Factor: 998}
	if err != nil || r != want {
		t.Fatalf("got %+v, %v", r, err)
	}
	write := func(kind modbus.Kind, address uint16, values ...uint16) {
		t.Helper()
		if err := bus.Write(ctx, 5, kind, address, values...); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(kind modbus.Kind, address uint16, want ...uint16) {
		t.Helper()
		got, err := bus.Read(ctx, 5, kind, address, uint16(len(want)))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v %d: got %v, %v; want %v", kind, address, got, err, want)
		}
	}
	reads(modbus.Discrete, 1, 1, 0, 1)
	write(modbus.Holding, 10, 4711)
	write(modbus.Holding, 11, 1, 2, 3)
	reads(modbus.Holding, 9, 9, 4711, 1, 2, 3, 14)
	write(modbus.Coil, 3, 1)
	write(modbus.Coil, 8, 1, 0, 1, 1, 0, 0, 0, 0, 1)
	reads(modbus.Coil, 2, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0)
	if got, err := bus.ReadWrite(ctx, 5, 20, 2, 21, 99); err != nil || got[0] != 20 || got[1] != 99 {
		t.Fatal(got, err)
	}
	if _, err := bus.Read(ctx, 5, modbus.Holding, 60000, 1); !errors.Is(err, modbus.IllegalAddress) {
		t.Fatalf("a register that is not there: %v", err)
	}
}

// A client that others wrote (libmodbus, by mbpoll) asks our server.
func TestMbpollAsksTheServer(t *testing.T) {
	mbpoll, err := exec.LookPath("mbpoll")
	if err != nil {
		t.Skip("mbpoll is not installed: it is the Modbus client that others wrote")
	}
	model, err := meter.Find("eastron/sdm630-v2")
	if err != nil {
		t.Fatal(err)
	}
	slave := meter.NewSlave(model)
	slave.Set(hal.MeterReading{Phases: 3, Power: 10875 * unit.Watt, Voltage: [3]unit.Voltage{230500, 231250, 229750}})
	notes := modbus.Memory{}
	notes.Set(modbus.Holding, 0, 1, 2, 3)
	notes.Set(modbus.Coil, 0, 0, 0, 0)
	server := modbus.NewServer(map[uint8]modbus.Unit{5: slave, 6: notes})
	asks := func(want string, args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, mbpoll, args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("mbpoll %v: %v, want %q in\n%s", args, err, want, out)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	go func() { ended <- server.ServeTCP(ctx, l) }()
	tcp := func(args ...string) []string {
		return append([]string{"-m", "tcp", "-p", port, "-o", "10", "-0", "-1"}, args...)
	}
	asks("230.5", tcp("-a", "5", "-t", "3:float", "-B", "-r", "0", "-c", "3", "127.0.0.1")...)
	asks("10875", tcp("-a", "5", "-t", "3:float", "-B", "-r", "52", "-c", "1", "127.0.0.1")...)
	asks("Written 2", tcp("-a", "6", "-t", "4", "-r", "1", "127.0.0.1", "77", "78")...)
	asks("Written 1", tcp("-a", "6", "-t", "0", "-r", "2", "127.0.0.1", "1")...)
	if got, _ := notes.ReadTable(modbus.Holding, 0, 3); fmt.Sprint(got) != "[1 77 78]" {
		t.Errorf("written %v", got)
	}
	if got, _ := notes.ReadTable(modbus.Coil, 0, 3); fmt.Sprint(got) != "[0 0 1]" {
		t.Errorf("written %v", got)
	}
	waits := 1
	if _, err := exec.LookPath("socat"); err == nil {
		ours, theirs := pair(t)
		p, err := serial.Open(serial.Config{Port: ours, Baud: 9600, Frame: "8E1"})
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- server.ServeRTU(ctx, p) }()
		waits++
		asks("231.25", "-m", "rtu", "-b", "9600", "-P", "even", "-o", "10", "-0", "-1", "-a", "5", "-t", "3:float", "-B", "-r", "0", "-c", "3", theirs)
		asks("78", "-m", "rtu", "-b", "9600", "-P", "even", "-o", "10", "-0", "-1", "-a", "6", "-t", "4", "-r", "2", "-c", "1", theirs)
	}
	cancel()
	for range waits {
		if err := <-ended; err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}
