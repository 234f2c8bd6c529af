package meter

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// traffic is what was said between a client and a meter: lines of > request, < answer and = what it means.
type traffic struct {
	asked, answered [][]byte
	means           []string
}

func readTraffic(t *testing.T, name string) traffic {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var tr traffic
	for n, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		rest := strings.TrimSpace(line[1:])
		if line[0] == '=' {
			tr.means = append(tr.means, rest)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			t.Fatalf("%s:%d: %v", name, n+1, err)
		}
		switch line[0] {
		case '>':
			tr.asked = append(tr.asked, b)
			tr.answered = append(tr.answered, nil)
		case '<':
			tr.answered[len(tr.answered)-1] = append(tr.answered[len(tr.answered)-1], b...)
		default:
			t.Fatalf("%s:%d: want >, < or =", name, n+1)
		}
	}
	return tr
}

// playback is a modbus.Port that answers what was recorded, and only to what was asked then.
type playback struct {
	t       *testing.T
	traffic traffic
	out     []byte
}

func (p *playback) Write(b []byte) (int, error) {
	if len(p.traffic.asked) == 0 || string(p.traffic.asked[0]) != string(b) {
		p.t.Errorf("asked % x, want % x", b, p.traffic.asked[:min(1, len(p.traffic.asked))])
		return 0, os.ErrClosed
	}
	p.out = p.traffic.answered[0]
	p.traffic.asked, p.traffic.answered = p.traffic.asked[1:], p.traffic.answered[1:]
	return len(b), nil
}

func (p *playback) Read(b []byte) (int, error) {
	if len(p.out) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, p.out[:min(7, len(p.out))]) // in pieces, as a UART gives them
	p.out = p.out[n:]
	return n, nil
}

func (p *playback) SetDeadline(time.Time) error { return nil }
func (p *playback) Char() time.Duration         { return 0 }
func (p *playback) Close() error                { return nil }

// describe is a reading as traffic files tell it.
func describe(r hal.MeterReading) []string {
	trim := func(v any) string { return strings.TrimSuffix(fmt.Sprint(v), ".0") }
	return []string{
		fmt.Sprint("phases ", r.Phases), "import " + trim(r.Import), "export " + trim(r.Export), "power " + trim(r.Power),
		fmt.Sprintf("voltage %v %v %v", r.Voltage[0], r.Voltage[1], r.Voltage[2]),
		fmt.Sprintf("current %v %v %v", r.Current[0], r.Current[1], r.Current[2]),
		"frequency " + trim(r.Frequency), "factor " + string(unit.AppendMilli(nil, int64(r.Factor))),
	}
}

// Every model that speaks Modbus has traffic, and reads from it what it means.
func TestRecordedTraffic(t *testing.T) {
	for _, m := range Models() {
		if m.Driver != DriverModbus {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			tr := readTraffic(t, filepath.Join("testdata", strings.ReplaceAll(m.Name, "/", "-")+".txt"))
			p := &playback{t: t, traffic: tr}
			bus := modbus.NewRTU("test", p, modbus.Options{Attempts: 1})
			defer bus.Close()
			meter, err := New(m, bus, tr.asked[0][0], Options{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := meter.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(p.traffic.asked) > 0 {
				t.Errorf("%d requests were not made", len(p.traffic.asked))
			}
			if got, want := strings.Join(describe(r), "\n"), strings.Join(tr.means, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
