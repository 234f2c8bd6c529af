package uart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/serial/pty"
)

// tape is a port at which something was typed; an empty string is a deadline that passes.
type tape struct {
	pieces []string
	err    error
}

func (p *tape) Read(b []byte) (int, error) {
	if len(p.pieces) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		return 0, os.ErrDeadlineExceeded
	}
	s := p.pieces[0]
	n := copy(b, s)
	if p.pieces[0] = s[n:]; p.pieces[0] == "" {
		p.pieces = p.pieces[1:]
	}
	if s == "" {
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}
func (p *tape) SetDeadline(time.Time) error { return nil }
func (p *tape) Close() error                { return nil }

// all scans until the tape has ended and says what came, one word a look.
func all(t *testing.T, c Config, pieces ...string) string {
	t.Helper()
	p := &tape{pieces: pieces, err: errGone}
	r, err := New(p, c)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for range 100 {
		cards, err := r.Scan(context.Background())
		switch {
		case errors.Is(err, errGone):
			return fmt.Sprint(said)
		case errors.Is(err, rfid.ErrGarbled):
			said = append(said, "garbled")
		case err != nil:
			t.Fatal(err)
		case len(cards) == 0:
			said = append(said, "nothing")
		default:
			said = append(said, fmt.Sprintf("%X", cards[0].UID.Bytes()))
		}
	}
	t.Fatal("the tape has no end")
	return ""
}

var errGone = errors.New("pulled out")

func TestLinesAsReadersTypeThem(t *testing.T) {
	rdm := Config{Start: 2, End: 3, XOR: true}
	for _, c := range []struct {
		name   string
		config Config
		pieces []string
		want   string
	}{
		{"line feed", Config{}, []string{"04A1B2C3\n"}, "[04A1B2C3]"},
		{"both ends", Config{}, []string{"04A1B2C3\r\n04A1B2C4\r\n"}, "[04A1B2C3 04A1B2C4]"},
		{"in pieces", Config{}, []string{"04", "A1B2", "C3", "\r"}, "[04A1B2C3]"},
		{"a deadline before it", Config{}, []string{"", "04A1B2C3\r"}, "[nothing 04A1B2C3]"},
		{"half a line", Config{}, []string{"04A1", "", "04A1B2C3\r"}, "[garbled 04A1B2C3]"},
		{"no UID", Config{}, []string{"hello\r04A1B2C3\r"}, "[garbled 04A1B2C3]"},
		{"decimal", Config{Typed: rfid.Typed{Decimal: true}}, []string{"0010597059\r\n"}, "[00A1B2C3]"},
		{"something before the UID", Config{Skip: 4}, []string{"UID:04A1B2C3\r"}, "[04A1B2C3]"},
		{"shorter than that", Config{Skip: 4}, []string{"UI\r"}, "[garbled]"},
		{"STX, ETX and checksum", rdm, []string{"\x020A00112233" + "0A\x03"}, "[0A00112233]"},
		{"wrong checksum", rdm, []string{"\x020A001122330B\x03"}, "[garbled]"},
		{"noise before the start", rdm, []string{"\xff\xfe\x020A001122330A\x03"}, "[0A00112233]"},
		{"no start", rdm, []string{"0A001122330A\x03"}, "[garbled]"},
		{"never an end", Config{}, []string{string(bytes.Repeat([]byte("0"), 500)), "\r04A1B2C3\r"}, "[garbled 04A1B2C3]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := all(t, c.config, c.pieces...); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestConfigRefusesWhatCannotBe(t *testing.T) {
	for _, c := range []Config{
		{Skip: -1}, {Skip: 17}, {XOR: true, Typed: rfid.Typed{Decimal: true}}, {Start: 2, End: 2}, {Typed: rfid.Typed{Bytes: 4}},
	} {
		if _, err := New(&tape{}, c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// The same at a line of the kernel: a reader that is plugged in again is heard again.
func TestReaderAtPseudoTerminal(t *testing.T) {
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	port, err := serial.Open(serial.Config{Port: near, Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(port, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := far.WriteString("04A1B2C3\r\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cards, err := r.Scan(ctx)
	if err != nil || len(cards) != 1 {
		t.Errorf("%v, %v", cards, err)
	}
	far.Close()
	for range 100 {
		if _, err = r.Scan(ctx); err != nil {
			break
		}
	}
	if !errors.Is(err, serial.ErrUnplugged) {
		t.Errorf("pulled out: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzLine(f *testing.F) {
	f.Add([]byte("04A1B2C3\r\n"), uint8(0))
	f.Add([]byte("\x020A001122330A\x03"), uint8(1))
	f.Add([]byte("UID 0010597059\n"), uint8(2))
	configs := []Config{{}, {Start: 2, End: 3, XOR: true}, {Skip: 4, Typed: rfid.Typed{Decimal: true, Bytes: 7, Reverse: true}}}
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		r, err := New(&tape{pieces: []string{string(b)}, err: errGone}, configs[int(which)%len(configs)])
		if err != nil {
			t.Fatal(err)
		}
		for range len(b) + 2 {
			cards, err := r.Scan(context.Background())
			if errors.Is(err, errGone) {
				return
			}
			if (err == nil) != (len(cards) == 1 && len(cards[0].UID.Bytes()) > 0) && len(b) > 0 && !errors.Is(err, rfid.ErrCard) && err != nil {
				t.Fatalf("%v, %v", cards, err)
			}
			if len(r.buf) > 2*maxLine {
				t.Fatalf("%d bytes kept", len(r.buf))
			}
		}
		t.Fatal("no end")
	})
}
