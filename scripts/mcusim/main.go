// Command mcusim is a safety controller behind a pseudo-terminal, with simulated cars, for trying the agent or the
// firmware's other end:
//
//	go run ./scripts/mcusim -cars 2
//
// It prints the terminal's path and then what happens at the connectors. What it reads from its standard input moves the
// cars: plug N, unplug N, ready N on|off, fault N NAME on|off.
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
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/mcu/mcusim"
	"github.com/evsed/evsed/hal/serial/pty"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func main() {
	cars := flag.Int("cars", 1, "connectors, each an EVSE of its own")
	fallback := flag.Int64("fallback", 0, "A that are offered while the agent is silent, if it asks for that")
	flag.Parse()
	if err := run(*cars, unit.Current(*fallback)*unit.Ampere, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mcusim:", err)
		os.Exit(1)
	}
}

func run(cars int, fallback unit.Current, in io.Reader, out io.Writer) error {
	world, err := newWorld(cars, out)
	if err != nil {
		return err
	}
	cfg := mcusim.Config{Firmware: "mcusim", Fallback: fallback}
	for n := 1; n <= cars; n++ {
		dev, err := world.Devices(term.Ref{EVSE: term.EVSEID(n), Connector: 1})
		if err != nil {
			return err
		}
		cfg.Connectors = append(cfg.Connectors, mcusim.Connector{Devices: dev, Ventilation: true})
	}
	sim, err := mcusim.New(cfg)
	if err != nil {
		return err
	}
	far, near, err := pty.Open()
	if err != nil {
		return err
	}
	keep, err := os.OpenFile(near, os.O_RDWR, 0) // without an agent the line stays: a UART is always there
	if err != nil {
		return err
	}
	defer keep.Close()
	fmt.Fprintln(out, near)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			if err := act(world, strings.Fields(lines.Text())); err != nil {
				fmt.Fprintln(out, err)
			}
		}
	}()
	return mcusim.Serve(ctx, sim, far)
}

func newWorld(cars int, out io.Writer) (*halsim.World, error) {
	cfg := halsim.Config{Clock: time.Now, Observe: func(e halsim.Event) { fmt.Fprintf(out, "%v %s\n", e.Ref, describe(e)) }}
	for n := 1; n <= cars; n++ {
		cfg.EVSEs = append(cfg.EVSEs, halsim.EVSE{ID: term.EVSEID(n), Phases: 3, MaxCurrent: 32 * unit.Ampere,
			Connectors: []halsim.Connector{{ID: 1, Socket: true, Lock: true}}})
	}
	if cars < 1 || cars > mcu.MaxConnectors {
		return nil, fmt.Errorf("%d cars: 1 to %d", cars, mcu.MaxConnectors)
	}
	return halsim.New(cfg, nil)
}

func describe(e halsim.Event) string {
	switch e.Kind {
	case halsim.EventPlugged:
		return "plugged"
	case halsim.EventUnplugged:
		return "unplugged"
	case halsim.EventPilot:
		return "pilot " + e.Pilot.String()
	case halsim.EventRelay:
		return fmt.Sprintf("contactor closed %v", e.On)
	case halsim.EventLock:
		return fmt.Sprintf("locked %v", e.On)
	case halsim.EventFault:
		return fmt.Sprintf("fault %v %v", e.Fault, e.On)
	}
	return "changed"
}

var errCommand = errors.New("want plug N, unplug N, ready N on|off or fault N NAME on|off")

// act does what a line says.
func act(w *halsim.World, words []string) error {
	var n int
	if len(words) < 2 {
		return errCommand
	}
	if _, err := fmt.Sscan(words[1], &n); err != nil {
		return errCommand
	}
	id := term.EVSEID(n)
	on := words[len(words)-1] == "on"
	switch words[0] {
	case "plug":
		return w.Plug(id, 1, halsim.PlugOptions{})
	case "unplug":
		_, err := w.Unplug(id, 1, halsim.UnplugOptions{})
		return err
	case "ready":
		return w.SetEV(id, halsim.EVOptions{Ready: &on})
	case "fault":
		f, ok := term.ParseFault(words[min(2, len(words)-1)])
		if !ok || len(words) != 4 {
			return errCommand
		}
		return w.SetFault(halsim.FaultOptions{Ref: term.Ref{EVSE: id, Connector: 1}, Code: f, Active: on})
	}
	return errCommand
}
