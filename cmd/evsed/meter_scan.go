package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
)

const meterScanUsage = busUsage + " [--units 1-32] [--model NAME|FILE]"

// meterScan asks the units of a bus, one after another, who they are.
func meterScan(args []string, out, _ io.Writer) error {
	var o busOptions
	fs := flag.NewFlagSet("scan", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.flags(fs)
	units := fs.String("units", "1-32", "")
	name := fs.String("model", "", "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, meterScanUsage)
	}
	if fs.NArg() > 0 {
		return usagef("unexpected argument %q", fs.Arg(0))
	}
	from, to, err := unitRange(*units)
	if err != nil {
		return usagef("--units: %w", err)
	}
	if err := o.check(); err != nil {
		return err
	}
	models, line := meter.Models(), meter.Line{}
	if *name != "" {
		m, err := meterModel(*name)
		if err != nil {
			return usageError{err}
		}
		models, line = []*meter.Model{m}, m.Line
	}
	bus, how, err := o.open(line, 1)
	if err != nil {
		return err
	}
	defer bus.Close()
	return scanUnits(out, bus, how, models, from, to)
}

// scanPatience bounds what is asked of one unit.
const scanPatience = time.Minute

func scanUnits(out io.Writer, bus *modbus.Bus, how string, models []*meter.Model, from, to int) error {
	found := 0
	for at := from; at <= to; at++ {
		ctx, cancel := context.WithTimeout(context.Background(), scanPatience)
		f, err := meter.Scan(ctx, bus, uint8(at), models)
		cancel()
		if err != nil {
			return err
		}
		if !f.Answers {
			continue
		}
		found++
		fmt.Fprintf(out, "%s: id %d %s\n", how, at, describeFound(f))
	}
	if found == 0 {
		return fmt.Errorf("%s: nobody answers as id %d to %d: check A and B, termination, baud rate and frame", how, from, to)
	}
	return nil
}

// describeFound says what a unit is, or may be: meters that share their registers cannot be told apart from outside.
func describeFound(f meter.Found) string {
	if len(f.Models) == 0 {
		return "unknown, answers"
	}
	m := f.Models[0]
	shown := fmt.Sprint(f.Reading.Power)
	if f.Reading.Voltage[0] != 0 {
		shown = fmt.Sprint(f.Reading.Voltage[0])
	}
	line := fmt.Sprintf("%s %s %s", m.Title, shown, kilo(f.Reading.Import))
	var names []string
	for _, o := range f.Models {
		names = append(names, o.Name)
	}
	if len(names) == 1 {
		return line + "  --model " + m.Name
	}
	return line + "  --model one of " + strings.Join(names, ", ")
}

// unitRange parses "7" or "1-32".
func unitRange(s string) (from, to int, err error) {
	a, b, dash := strings.Cut(s, "-")
	if !dash {
		b = a
	}
	from, err1 := strconv.Atoi(a)
	to, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || from < 1 || to > 247 || from > to {
		return 0, 0, fmt.Errorf("%q: want a number or a range within 1-247", s)
	}
	return from, to, nil
}
