package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/dcbm"
	"github.com/evsed/evsed/hal/unit"
)

const meterReadUsage = busUsage + " --model NAME|FILE [--unit 1]"

// readPatience bounds one reading from the command line: a slow bus, and a meter with many registers.
const readPatience = 15 * time.Second

// meterRead takes one reading of one meter.
func meterRead(args []string, out, _ io.Writer) error {
	var o busOptions
	fs := flag.NewFlagSet("read", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.flags(fs)
	name := fs.String("model", "", "")
	at := fs.Int("unit", 0, "")
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, meterReadUsage)
	}
	switch {
	case fs.NArg() > 0:
		return usagef("unexpected argument %q", fs.Arg(0))
	case *name == "":
		return usagef("--model: want a name (evsed meter models lists them) or a file of your own")
	case *at < 0 || *at > 247:
		return usagef("--unit: %d: want 1 to 247", *at)
	}
	if err := o.check(); err != nil {
		return err
	}
	model, err := meterModel(*name)
	if err != nil {
		return usageError{err}
	}
	if *at == 0 {
		*at = max(1, int(model.Line.Unit))
	}
	m, done, err := openMeter(&o, model, uint8(*at))
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.Background(), readPatience)
	defer cancel()
	r, err := m.Read(ctx)
	if err != nil {
		return err
	}
	printReading(out, model, r)
	return nil
}

// openMeter opens a meter on its bus, or at its address; done gives it back.
func openMeter(o *busOptions, model *meter.Model, at uint8) (m hal.Meter, done func() error, err error) {
	if model.Driver == meter.DriverDCBM {
		if o.tcp == "" {
			return nil, nil, usagef("%s speaks HTTP: want --tcp HOST or HOST:PORT", model.Name)
		}
		d, err := dcbm.New(o.tcp, dcbm.Options{})
		if err != nil {
			return nil, nil, usageError{err}
		}
		return d, d.Close, nil
	}
	bus, _, err := o.open(model.Line, 2)
	if err != nil {
		return nil, nil, err
	}
	if m, err = meter.New(model, bus, at, meter.Options{}); err != nil {
		bus.Close()
		return nil, nil, usageError{err}
	}
	return m, bus.Close, nil
}

// meterModel finds a model by its name, or reads its file.
func meterModel(name string) (*meter.Model, error) {
	m, err := meter.Find(name)
	if err == nil || !strings.HasSuffix(name, ".yaml") {
		return m, err
	}
	m, ferr := meter.Load(name)
	if errors.Is(ferr, fs.ErrNotExist) {
		return nil, fmt.Errorf("--model: %w", ferr)
	}
	return m, ferr
}

// printReading prints a reading, one quantity a line.
func printReading(out io.Writer, m *meter.Model, r hal.MeterReading) {
	fmt.Fprintf(out, "%s (%s)\n", m.Title, m.Name)
	fmt.Fprintf(out, "  imported %v\n  exported %v\n  power    %v\n", kilo(r.Import), kilo(r.Export), r.Power)
	for i := range max(1, int(r.Phases)) {
		if r.Voltage[i] != 0 || r.Current[i] != 0 {
			fmt.Fprintf(out, "  %s       %v  %v\n", lineName(m, i), r.Voltage[i], r.Current[i])
		}
	}
	if r.Frequency != 0 {
		fmt.Fprintf(out, "  grid     %v\n", r.Frequency)
	}
	if r.Factor != 0 {
		fmt.Fprintf(out, "  factor   %s\n", unit.AppendMilli(nil, int64(r.Factor)))
	}
}

// lineName names a line of a meter; DC has one.
func lineName(m *meter.Model, i int) string {
	if m.Phases == 0 {
		return "DC"
	}
	return fmt.Sprint("L", i+1)
}

// kilo spells an energy in kWh, as meters show it.
func kilo(e unit.Energy) string {
	return string(unit.AppendMilli(nil, int64(e)/1000)) + " kWh"
}
