package uml

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"
)

// simulated is a GPIO chip whose lines are pulled and read by files.
type simulated struct {
	dir   string // of its lines
	lines map[string]int
}

// newSimulated makes a chip with the named lines.
func newSimulated(label string, names ...string) (*simulated, error) {
	dir := filepath.Join("/sys/kernel/config/gpio-sim", label)
	bank := filepath.Join(dir, "bank0")
	steps := []struct{ path, text string }{{bank + "/num_lines", fmt.Sprint(len(names))}, {bank + "/label", label}}
	if err := os.MkdirAll(bank, 0o755); err != nil {
		return nil, err
	}
	s := &simulated{lines: map[string]int{}}
	for i, name := range names {
		line := filepath.Join(bank, fmt.Sprintf("line%d", i))
		if err := os.Mkdir(line, 0o755); err != nil {
			return nil, err
		}
		s.lines[name] = i
		steps = append(steps, struct{ path, text string }{line + "/name", name})
	}
	steps = append(steps, struct{ path, text string }{dir + "/live", "1"})
	for _, step := range steps {
		if err := os.WriteFile(step.path, []byte(step.text), 0); err != nil {
			return nil, err
		}
	}
	device, chip := read(dir+"/dev_name"), read(bank+"/chip_name")
	s.dir = filepath.Join("/sys/devices/platform", device, chip)
	return s, nil
}

// read is a short file's text; "" where it cannot be read.
func read(path string) string {
	b, _ := os.ReadFile(path)
	return strings.TrimSpace(string(b))
}

func (s *simulated) file(name, attribute string) string {
	i, ok := s.lines[name]
	if !ok {
		panic("no line " + name)
	}
	return fmt.Sprintf("%s/sim_gpio%d/%s", s.dir, i, attribute)
}

// pull sets what an input sees: the level that hardware gives its wire.
func (s *simulated) pull(name string, high bool) {
	text := "pull-down"
	if high {
		text = "pull-up"
	}
	if err := os.WriteFile(s.file(name, "pull"), []byte(text), 0); err != nil {
		panic(fmt.Sprintf("pull %s: %v", name, err))
	}
}

// high says which level a line has, whoever drives it.
func (s *simulated) high(name string) bool { return read(s.file(name, "value")) == "1" }

// checkGPIO: what this kernel promises of lines, seen without a driver of ours.
func checkGPIO(t *testing.T) {
	s, err := newSimulated("first", "OUT", "IN")
	if err != nil {
		t.Fatal(err)
	}
	chip := filepath.Base(s.dir)
	out, err := gpiocdev.RequestLine(chip, 0, gpiocdev.AsOutput(1))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if !s.high("OUT") {
		t.Error("an output that is set is low")
	}
	events := make(chan gpiocdev.LineEvent, 16)
	in, err := gpiocdev.RequestLine(chip, 1, gpiocdev.WithBothEdges, gpiocdev.WithEventHandler(func(e gpiocdev.LineEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s.pull("IN", true)
	select {
	case e := <-events:
		if e.Type != gpiocdev.LineEventRisingEdge || e.Timestamp == 0 {
			t.Errorf("got %+v, want a rising edge with its time", e)
		}
	case <-time.After(5 * time.Second):
		t.Error("no edge: the kernel has no interrupts left for simulated lines")
	}
}
