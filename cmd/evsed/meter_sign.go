package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/dcbm"
	"github.com/evsed/evsed/hal/meter/iskra"
	"github.com/evsed/evsed/hal/meter/ocmf"
)

const meterSignUsage = busUsage + " --model NAME [--unit N] --out FILE [--for 2m] [--evse ID]"

// Bounds of a transaction that is counted for a test, and of the time that a meter takes to sign.
const (
	maxSignFor   = time.Hour
	signPatience = 30 * time.Second
)

// signOptions are the flags of evsed meter sign.
type signOptions struct {
	busOptions
	model *meter.Model
	unit  int
	out   string
	evse  string
	wait  time.Duration
}

func parseSign(args []string) (signOptions, error) {
	var o signOptions
	fs := flag.NewFlagSet("sign", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.flags(fs)
	name := fs.String("model", "", "")
	fs.IntVar(&o.unit, "unit", 0, "")
	fs.StringVar(&o.out, "out", "", "")
	fs.StringVar(&o.evse, "evse", "test", "")
	fs.DurationVar(&o.wait, "for", 2*time.Minute, "")
	if err := fs.Parse(args); err != nil {
		return o, usagef("%w: want %s", err, meterSignUsage)
	}
	switch {
	case fs.NArg() > 0:
		return o, usagef("unexpected argument %q", fs.Arg(0))
	case *name == "":
		return o, usagef("--model: want lem/dcbm400600 or iskra/wm3m4")
	case o.out == "":
		return o, usagef("--out: want a file for the signed record")
	case o.wait <= 0 || o.wait > maxSignFor:
		return o, usagef("--for: %v: want up to %v", o.wait, maxSignFor)
	case o.unit < 0 || o.unit > 247:
		return o, usagef("--unit: %d: want 1 to 247", o.unit)
	}
	if err := o.check(); err != nil {
		return o, err
	}
	if _, err := os.Lstat(o.out); err == nil {
		return o, usagef("--out: %s is there already: want a new name, nothing is written over", o.out)
	}
	var err error
	if o.model, err = meter.Find(*name); err != nil {
		return o, usageError{err}
	}
	if o.unit == 0 {
		o.unit = max(1, int(o.model.Line.Unit))
	}
	return o, nil
}

// meterSign lets a meter count and sign a transaction of its own, and judges what it signed: the test of key, clock and
// wiring before the first customer.
func meterSign(args []string, out, _ io.Writer) error {
	o, err := parseSign(args)
	if err != nil {
		return err
	}
	m, done, err := openSigning(&o)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	s := hal.MeterSession{Transaction: fmt.Sprintf("test-%d", time.Now().Unix()), EVSE: o.evse, At: time.Now()}
	if err := patiently(func(ctx context.Context) error { return m.Start(ctx, s) }); err != nil {
		return err
	}
	fmt.Fprintf(out, "transaction %s counts for %v\n", s.Transaction, o.wait)
	select {
	case <-time.After(o.wait):
	case <-ctx.Done():
	}
	var data, key []byte
	err = patiently(func(ctx context.Context) error {
		s.At = time.Now()
		r, err := m.Stop(ctx, s)
		data, key = r.Data, r.PublicKey
		return err
	})
	if err != nil {
		return err
	}
	if err := writeNew(o.out, append(data, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "public key %s\n", hex.EncodeToString(key))
	return judgeRecords(out, data, hex.EncodeToString(key))
}

// patiently bounds what a meter is asked for.
func patiently(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), signPatience)
	defer cancel()
	return f(ctx)
}

// openSigning opens a meter that signs.
func openSigning(o *signOptions) (hal.SigningMeter, func() error, error) {
	switch {
	case o.model.Driver == meter.DriverDCBM && o.tcp == "":
		return nil, nil, usagef("%s speaks HTTP: want --tcp HOST or HOST:PORT", o.model.Name)
	case o.model.Driver == meter.DriverDCBM:
		m, err := dcbm.New(o.tcp, dcbm.Options{})
		if err != nil {
			return nil, nil, usageError{err}
		}
		return m, m.Close, nil
	case o.model.Name != "iskra/wm3m4":
		return nil, nil, usagef("--model: %s signs nothing that evsed can fetch; want lem/dcbm400600 or iskra/wm3m4", o.model.Name)
	}
	bus, _, err := o.open(o.model.Line, 2)
	if err != nil {
		return nil, nil, err
	}
	m, err := iskra.New(o.model, bus, uint8(o.unit), meter.Options{})
	if err != nil {
		bus.Close()
		return nil, nil, err
	}
	return m, bus.Close, nil
}

// judgeRecords prints the three verdicts on signed records.
func judgeRecords(out io.Writer, text []byte, key string) error {
	records, err := ocmf.ParseAll(text)
	if err != nil {
		return err
	}
	k, err := meterKey(key)
	if err != nil {
		return err
	}
	return printJudgement(out, ocmf.Judge(records, k))
}
