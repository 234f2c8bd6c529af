// Command metersim is an Iskra WM3M4 at a pseudo-terminal, unit 33, with a key of its own: what a station, or evsed meter sign, can
// have for a meter that signs where there is none.
//
//	go run ./scripts/metersim [-watts 11000]
//
// It prints the port's path and then what it is told by its standard input:
//
//	watts N        the load that it measures and counts
//	refuse N       answers each command with status N (128 and more: an error); 0: it signs again
//	cut            its power goes and comes back
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial/pty"
	"github.com/evsed/evsed/hal/unit"
)

const address = 33 // that a WM3M4 has when it leaves the factory

func main() {
	watts := flag.Int64("watts", 0, "the load at the start")
	flag.Parse()
	if err := run(unit.Power(*watts)*unit.Watt, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "metersim:", err)
		os.Exit(1)
	}
}

func run(load unit.Power, in io.Reader, out io.Writer) error {
	v, err := iskra.NewVirtual(nil)
	if err != nil {
		return err
	}
	far, near, err := pty.Open()
	if err != nil {
		return err
	}
	held, err := os.OpenFile(near, os.O_RDWR, 0) // without a station the line stays
	if err != nil {
		return err
	}
	defer held.Close()
	fmt.Fprintln(out, near)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	m := &metered{Virtual: v, power: load, at: time.Now(), energy: unit.KiloWattHour}
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			if err := m.act(strings.Fields(lines.Text())); err != nil {
				fmt.Fprintln(out, err)
			}
		}
	}()
	return modbus.NewServer(map[uint8]modbus.Unit{address: m}).ServeRTU(ctx, port{far})
}

// port is the terminal as a serial line.
type port struct{ *os.File }

// Char is how long a character takes: at a terminal, nothing to speak of.
func (port) Char() time.Duration { return 100 * time.Microsecond }

// metered is the meter with a load behind it.
type metered struct {
	*iskra.Virtual

	mu     sync.Mutex // of all below
	power  unit.Power
	at     time.Time // until which energy is counted
	energy unit.Energy
	rest   int64 // mW ms that make no mWh yet
}

// millisecondsPerHour is how many mW ms make a mWh.
const millisecondsPerHour = 3_600_000

// show brings the registers up to now.
func (m *metered) show() {
	m.mu.Lock()
	defer m.mu.Unlock()
	ms := time.Since(m.at).Milliseconds()
	m.at = m.at.Add(time.Duration(ms) * time.Millisecond)
	m.rest += int64(m.power) * ms
	m.energy += unit.Energy(m.rest / millisecondsPerHour)
	m.rest %= millisecondsPerHour
	r := hal.MeterReading{Phases: 3, Import: m.energy, Power: m.power, Frequency: 50 * unit.Hertz}
	for i := range r.Voltage {
		r.Voltage[i], r.Current[i] = 230*unit.Volt, unit.Current(int64(m.power)/3/230)
	}
	m.Set(r)
}

// ReadTable implements modbus.Unit.
func (m *metered) ReadTable(k modbus.Kind, address, count uint16) ([]uint16, error) {
	m.show()
	return m.Virtual.ReadTable(k, address, count)
}

// WriteTable implements modbus.Unit.
func (m *metered) WriteTable(k modbus.Kind, address uint16, values []uint16) error {
	m.show()
	return m.Virtual.WriteTable(k, address, values)
}

var errCommand = errors.New("want watts N, refuse N or cut")

// act does what a line says.
func (m *metered) act(words []string) error {
	var n int64
	if len(words) == 1 && words[0] == "cut" {
		m.CutPower()
		return nil
	}
	if len(words) != 2 {
		return errCommand
	}
	if _, err := fmt.Sscan(words[1], &n); err != nil || n < 0 {
		return errCommand
	}
	switch words[0] {
	case "watts":
		m.show()
		m.mu.Lock()
		m.power = unit.Power(n) * unit.Watt
		m.mu.Unlock()
	case "refuse":
		m.Refuse(uint16(min(n, 1<<16-1)))
	default:
		return errCommand
	}
	return nil
}
