package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/rfid/mfrc522"
	"github.com/evsed/evsed/hal/rfid/pn532"
	"github.com/evsed/evsed/hal/rfid/uart"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/spi"
)

// rfidUsage is the command line of evsed rfid.
const rfidUsage = "test --reader pn532|mfrc522|keyboard|serial --port PORT [--baud 9600] [--typed hex|decimal] [--uid hex-upper|hex-lower|decimal] [--reverse] " +
	"[--separator :] [--width N] [--random] [--cards 1] [--for 30s]"

// cards tries a reader: the reader's station must not run.
func cards(args []string, out, errs io.Writer) error {
	if len(args) == 0 || args[0] != "test" {
		return usagef("want %s; PORT is ttymxc4 or i2c:1 for a pn532, spi:0.0 for an mfrc522, by-id/... below /dev/input for a keyboard", rfidUsage)
	}
	t, err := readerFlags(args[1:])
	if err != nil {
		return err
	}
	scanner, end, err := t.open()
	if err != nil {
		return err
	}
	defer end()
	return t.watch(scanner, out, errs)
}

// readerTest is what evsed rfid test was asked for.
type readerTest struct {
	reader, port string
	baud         int
	typed        rfid.Typed
	format       rfid.Format
	cards        int
	within       time.Duration
}

func readerFlags(args []string) (*readerTest, error) {
	t := &readerTest{}
	var typed, base string
	var width uint
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&t.reader, "reader", "", "")
	fs.StringVar(&t.port, "port", "", "")
	fs.IntVar(&t.baud, "baud", 9600, "")
	fs.StringVar(&typed, "typed", "hex", "")
	fs.StringVar(&base, "uid", "hex-upper", "")
	fs.BoolVar(&t.format.Reverse, "reverse", false, "")
	fs.StringVar(&t.format.Separator, "separator", "", "")
	fs.UintVar(&width, "width", 0, "")
	fs.BoolVar(&t.format.Random, "random", false, "")
	fs.IntVar(&t.cards, "cards", 1, "")
	fs.DurationVar(&t.within, "for", 30*time.Second, "")
	if err := fs.Parse(args); err != nil {
		return nil, usagef("%w: want %s", err, rfidUsage)
	}
	bases := map[string]rfid.Base{"hex-upper": rfid.HexUpper, "hex-lower": rfid.HexLower, "decimal": rfid.Decimal}
	known := false
	t.format.Base, known = bases[base]
	t.format.Width = uint8(min(width, 255))
	t.typed.Decimal = typed == "decimal"
	switch {
	case fs.NArg() > 0:
		return nil, usagef("unexpected argument %q: want %s", fs.Arg(0), rfidUsage)
	case t.port == "":
		return nil, usagef("want --port: %s", rfidUsage)
	case !known:
		return nil, usagef("--uid %s: want hex-upper, hex-lower or decimal", base)
	case typed != "hex" && typed != "decimal":
		return nil, usagef("--typed %s: want hex or decimal", typed)
	case t.cards < 1 || t.within <= 0:
		return nil, usagef("want a positive number of --cards, and --for a positive time")
	}
	if err := t.format.Check(); err != nil {
		return nil, usagef("%w", err)
	}
	return t, nil
}

// open opens the reader; end gives back what it sits at.
func (t *readerTest) open() (s rfid.Scanner, end func(), err error) {
	end = func() {}
	switch bus, at, _ := strings.Cut(t.port, ":"); {
	case t.reader == "pn532" && bus == "i2c":
		b, err := i2c.Open(i2c.Config{Bus: at})
		if err != nil {
			return nil, nil, err
		}
		chip, err := b.Device(pn532.Address)
		return pn532.New(pn532.OverI2C(chip), pn532.Config{}), func() { _ = b.Close() }, err
	case t.reader == "pn532":
		p, err := serial.Open(serial.Config{Port: t.port, Baud: 115200})
		if err != nil {
			return nil, nil, err
		}
		return pn532.New(pn532.OverSerial(p), pn532.Config{}), end, nil
	case t.reader == "mfrc522" && bus == "spi":
		d, err := spi.Open(spi.Config{Port: at, Speed: 4_000_000})
		if err != nil {
			return nil, nil, err
		}
		return mfrc522.New(d, mfrc522.Config{}), end, nil
	case t.reader == "mfrc522":
		return nil, nil, usagef("--port %s: an mfrc522 sits at SPI: want spi:0.0 or the like", t.port)
	case t.reader == "keyboard":
		s, err := hid.New(hid.Config{Device: t.port, Typed: t.typed})
		return s, end, err
	case t.reader == "serial":
		p, err := serial.Open(serial.Config{Port: t.port, Baud: t.baud})
		if err != nil {
			return nil, nil, err
		}
		s, err := uart.New(p, uart.Config{Typed: t.typed})
		return s, end, err
	}
	return nil, nil, usagef("--reader %q: want pn532, mfrc522, keyboard or serial", t.reader)
}

// watch tells what is shown at the reader until there were enough cards, or the time is over.
func (t *readerTest) watch(s rfid.Scanner, out, errs io.Writer) error {
	eyes := &eyewitness{Scanner: s}
	var mu sync.Mutex // one line at a time
	say := func(w io.Writer, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, format, args...)
	}
	failed := make(chan error, 16)
	r, err := rfid.Watch(eyes, rfid.Options{Name: t.reader + " at " + t.port, Format: t.format, Notify: func(err error) {
		if err == nil {
			say(errs, "the reader works again\n")
			return
		}
		say(errs, "%v\n", err)
		select {
		case failed <- err:
		default:
		}
	}})
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	say(out, "show a card to the %s at %s within %v\n", t.reader, t.port, t.within)
	ctx, cancel := context.WithTimeout(context.Background(), t.within)
	defer cancel()
	for left := t.cards; left > 0; {
		token, err := r.Next(ctx)
		switch {
		case errors.Is(err, rfid.ErrCard):
			say(out, "refused: %v\n", err)
		case err != nil:
			select {
			case err := <-failed:
				return fmt.Errorf("no card was read within %v: %w", t.within, err)
			default:
				return fmt.Errorf("no card was read within %v; %d missing", t.within, left)
			}
		default:
			left--
			say(out, "UID %X\ntoken %s of type %s\n", eyes.uid(), token.Value, token.Type)
		}
	}
	return nil
}

// eyewitness keeps the newest UID that a scanner has seen.
type eyewitness struct {
	rfid.Scanner
	mu   sync.Mutex // guards last
	last rfid.UID
}

func (w *eyewitness) Scan(ctx context.Context) ([]rfid.Card, error) {
	cards, err := w.Scanner.Scan(ctx)
	if len(cards) == 1 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.last = cards[0].UID
	}
	return cards, err
}

func (w *eyewitness) uid() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Bytes()
}
