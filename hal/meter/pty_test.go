package meter

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/serial/pty"
)

// The recorded traffic again, over a terminal of the kernel.
func TestRecordedTrafficOverAPseudoTerminal(t *testing.T) {
	for _, m := range Models() {
		if m.Driver != DriverModbus {
			continue
		}
		far, near, err := pty.Open()
		if err != nil {
			t.Skip("no pseudo-terminals here: ", err)
		}
		tr := readTraffic(t, filepath.Join("testdata", strings.ReplaceAll(m.Name, "/", "-")+".txt"))
		ended := make(chan error, 1)
		go func() { ended <- replay(far, tr) }()
		port, err := serial.Open(serial.Config{Port: near, Baud: 115200, Frame: "8E1"})
		if err != nil {
			t.Fatal(err)
		}
		bus := modbus.NewRTU("test", port, modbus.Options{Timeout: time.Minute, Attempts: 1})
		meter, err := New(m, bus, tr.asked[0][0], Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := meter.Read(t.Context())
		if err != nil {
			t.Error(m.Name, err)
		} else if got, want := strings.Join(describe(r), "\n"), strings.Join(tr.means, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", m.Name, got, want)
		}
		bus.Close()
		far.Close()
		if err := <-ended; err != nil {
			t.Error(m.Name, err)
		}
	}
}

// replay answers requests as they were recorded.
func replay(far *os.File, tr traffic) error {
	for i, want := range tr.asked {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(far, got); err != nil {
			return err
		}
		if string(got) != string(want) {
			return os.ErrInvalid
		}
		if _, err := far.Write(tr.answered[i]); err != nil {
			return err
		}
	}
	return nil
}
