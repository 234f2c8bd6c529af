package main

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial"
)

// meterCommands are what is done with energy meters from the command line.
func meterCommands() []command {
	return []command{
		{"models", "", "list the meter models that are known", meterModels},
		{"read", meterReadUsage, "take one reading", meterRead},
		{"scan", meterScanUsage, "find the meters on a bus", meterScan},
		{"sign", meterSignUsage, "let a meter count and sign a transaction of its own, and judge it", meterSign},
		{"verify", meterVerifyUsage, "judge signed records (OCMF): signature, completeness, semantics", meterVerify},
	}
}

// meters runs a command on energy meters.
func meters(args []string, out, errs io.Writer) error {
	all := meterCommands()
	if len(args) > 0 {
		for _, c := range all {
			if c.name != args[0] {
				continue
			}
			if err := c.run(args[1:], out, errs); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		}
	}
	var lines []string
	for _, c := range all {
		lines = append(lines, strings.TrimSpace(c.name+" "+c.usage))
	}
	return usagef("want a command: %s", strings.Join(lines, "; "))
}

// busUsage are the flags of a bus.
const busUsage = "--port PORT [--baud 9600] [--frame 8N1] [--rs485]|--tcp HOST:PORT [--timeout 300ms]"

// busOptions are the flags of a bus. Baud and frame that are not given are those of the model, or 9600 8N1.
type busOptions struct {
	port, tcp, frame string
	baud             int
	rs485            bool
	timeout          time.Duration
}

func (o *busOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.port, "port", "", "")
	fs.StringVar(&o.tcp, "tcp", "", "")
	fs.IntVar(&o.baud, "baud", 0, "")
	fs.StringVar(&o.frame, "frame", "", "")
	fs.BoolVar(&o.rs485, "rs485", false, "")
	fs.DurationVar(&o.timeout, "timeout", 300*time.Millisecond, "")
}

// maxBusTimeout bounds the patience for one answer.
const maxBusTimeout = 10 * time.Second

func (o *busOptions) check() error {
	switch {
	case (o.port == "") == (o.tcp == ""):
		return usagef("want either --port PORT or --tcp HOST:PORT")
	case o.tcp != "" && (o.baud != 0 || o.frame != "" || o.rs485):
		return usagef("--baud, --frame and --rs485 are of a serial port, not of --tcp")
	case strings.HasSuffix(o.tcp, ":"):
		return usagef("--tcp %s: want a port behind the colon, or no colon for %d", o.tcp, modbus.PortTCP)
	case o.timeout <= 0 || o.timeout > maxBusTimeout:
		return usagef("--timeout: %v: want up to %v", o.timeout, maxBusTimeout)
	}
	return nil
}

// open opens the bus; attempts is how often a read is sent.
func (o *busOptions) open(line meter.Line, attempts int) (*modbus.Bus, string, error) {
	opts := modbus.Options{Timeout: o.timeout, Attempts: attempts}
	if o.tcp != "" {
		if !strings.Contains(o.tcp, ":") {
			o.tcp += ":" + strconv.Itoa(modbus.PortTCP)
		}
		return modbus.DialTCP(o.tcp, opts), o.tcp, nil
	}
	c := serial.Config{Port: o.port, Baud: o.baud, Frame: o.frame}
	if c.Baud == 0 {
		c.Baud = 9600
		if line.Baud != 0 {
			c.Baud = line.Baud
		}
	}
	if c.Frame == "" {
		c.Frame = "8N1"
		if line.Frame != "" {
			c.Frame = line.Frame
		}
	}
	if o.rs485 {
		c.RS485 = &serial.RS485{}
	}
	if err := c.Check(); err != nil {
		return nil, "", usageError{err}
	}
	p, err := serial.Open(c)
	if err != nil {
		return nil, "", err
	}
	return modbus.NewRTU(c.Port, p, opts), fmt.Sprintf("%s %d %s", c.Port, c.Baud, c.Frame), nil
}

// meterModels lists the models.
func meterModels(args []string, out, _ io.Writer) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	for _, m := range meter.Models() {
		phases := fmt.Sprint(m.Phases, " phases")
		switch m.Phases {
		case 0:
			phases = "DC"
		case 1:
			phases = "1 phase"
		}
		line := m.Driver
		if m.Line.Baud != 0 {
			line = fmt.Sprintf("%s, %d %s, unit %d", m.Driver, m.Line.Baud, m.Line.Frame, m.Line.Unit)
		}
		fmt.Fprintf(out, "%-24s %-9s %-32s %s\n", m.Name, phases, m.Title, line)
	}
	return nil
}
