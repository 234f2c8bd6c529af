package hid

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/rfid"
)

// event is one event as this machine's kernel writes it.
func event(kind, code uint16, value int32) []byte {
	b := make([]byte, eventSize)
	binary.NativeEndian.PutUint16(b[timeSize:], kind)
	binary.NativeEndian.PutUint16(b[timeSize+2:], code)
	binary.NativeEndian.PutUint32(b[timeSize+4:], uint32(value))
	return b
}

// typing are the events of a keyboard that types s; \n is Enter, and what no key of ours types is F1.
func typing(s string) []byte {
	var b []byte
	for _, c := range []byte(s) {
		code := uint16(59)
		for k, v := range keys {
			if v == c && (code == 59 || k < code) {
				code = k
			}
		}
		if c == '\n' {
			code = keyEnter
		}
		b = append(b, event(4, 4, 0x7001E)...) // scan code
		b = append(b, event(typeKey, code, 1)...)
		b = append(b, event(typeSync, 0, 0)...)
		b = append(b, event(typeKey, code, 2)...) // held: it repeats
		b = append(b, event(typeKey, code, 0)...)
		b = append(b, event(typeSync, 0, 0)...)
	}
	return b
}

// desk is a reader whose keyboard is a pipe.
type desk struct {
	*testing.T
	r    *Reader
	keys *os.File
	err  error // of the next openings
}

func newDesk(t *testing.T, typed rfid.Typed) *desk {
	t.Helper()
	d := &desk{T: t}
	r, err := New(Config{Device: "by-id/test", Typed: typed})
	if err != nil {
		t.Fatal(err)
	}
	r.open = func(path string) (keyboard, error) {
		if path != "/dev/input/by-id/test" {
			t.Errorf("opened %s", path)
		}
		if d.err != nil {
			return nil, d.err
		}
		near, far, err := os.Pipe()
		d.keys = far
		return near, err
	}
	d.r = r
	t.Cleanup(func() { r.Close(); d.keys.Close() })
	return d
}

// scan types b while a look waits; it waits for long, but for nothing at all only shortly.
func (d *desk) scan(b []byte) ([]rfid.Card, error) {
	d.Helper()
	if d.r.kb == nil && d.err == nil { // the first look opens it
		d.wait(time.Millisecond)
	}
	if len(b) > 0 {
		if _, err := d.keys.Write(b); err != nil {
			d.Fatal(err)
		}
		return d.wait(20 * time.Second)
	}
	return d.wait(time.Millisecond)
}

func (d *desk) wait(within time.Duration) ([]rfid.Card, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return d.r.Scan(ctx)
}

func (d *desk) want(keys []byte, uid string, err error) {
	d.Helper()
	cards, got := d.scan(keys)
	if !errors.Is(got, err) {
		d.Errorf("want %v, got %v, %v", err, cards, got)
	}
	if uid != "" && (len(cards) != 1 || string(cards[0].UID.Bytes()) != uid) {
		d.Errorf("want % x, got %v, %v", uid, cards, got)
	}
}

func TestLinesAsReadersTypeThem(t *testing.T) {
	d := newDesk(t, rfid.Typed{})
	d.want(nil, "", nil)
	d.want(typing("04a1b2c3\n"), "\x04\xa1\xb2\xc3", nil)
	d.want(append(append(event(typeKey, 42, 1), typing("04:a1")...), typing(":b2:c3\n")...), "\x04\xa1\xb2\xc3", nil)
	d.want(typing("0123456789abcdef01234567\n"), "", rfid.ErrGarbled) // longer than a UID
	d.want(typing("04x1\n"), "", rfid.ErrGarbled)
	d.want(typing("\n04a1b2c3\n"), "\x04\xa1\xb2\xc3", nil) // an empty line is none
	d.want(typing(strings.Repeat("0", 100)+"\n"), "", rfid.ErrGarbled)
	d.want(append(event(typeSync, codeDropped, 0), typing("04a1b2c3\n")...), "", rfid.ErrGarbled)
	d.want(typing("01020304\n05060708\n"), "\x01\x02\x03\x04", nil)
	d.want(nil, "\x05\x06\x07\x08", nil)

	if _, err := d.keys.Write(typing("04a1")); err != nil {
		t.Fatal(err)
	}
	for range 100 { // until the pipe has brought it
		if _, err := d.wait(10 * time.Millisecond); err != nil {
			if !errors.Is(err, rfid.ErrGarbled) {
				t.Errorf("half a line: %v", err)
			}
			break
		}
	}
	d.want(typing("04a1b2c3\n"), "\x04\xa1\xb2\xc3", nil)
}

func TestDecimalFromTheKeypad(t *testing.T) {
	d := newDesk(t, rfid.Typed{Decimal: true})
	var b []byte
	for _, code := range []uint16{82, 82, 79, 82, 76, 73, 71, 82, 76, 73, keyEnterPad} { // 0010597059
		b = append(b, event(typeKey, code, 1)...)
	}
	d.want(b, "\x00\xa1\xb2\xc3", nil)
}

func TestUnpluggedKeyboardIsOpenedAgain(t *testing.T) {
	d := newDesk(t, rfid.Typed{})
	d.want(nil, "", nil)
	d.keys.Close()
	if _, err := d.wait(20 * time.Second); !errors.Is(err, ErrUnplugged) {
		t.Errorf("pulled out: %v", err)
	}
	d.err = ErrUnplugged
	d.want(nil, "", ErrUnplugged)
	d.err = nil
	d.want(typing("04a1b2c3\n"), "\x04\xa1\xb2\xc3", nil)
}

func TestCloseEndsALook(t *testing.T) {
	d := newDesk(t, rfid.Typed{})
	d.want(nil, "", nil)
	d.r.Close()
	if _, err := d.wait(20 * time.Second); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	d.r.Close()
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(plain); err == nil || !strings.Contains(err.Error(), "no input device") {
		t.Errorf("a file: %v", err)
	}
	if _, err := open(plain + "-not"); !errors.Is(err, ErrUnplugged) {
		t.Errorf("not there: %v", err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no device is fine")
	}
}

func FuzzEvents(f *testing.F) {
	f.Add(typing("04a1b2c3\n"))
	f.Add(append(event(typeSync, codeDropped, 0), typing("1\n")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l line
		l.hear(b)
		if len(l.text) > maxLine || len(l.lines) > maxLines {
			t.Fatalf("%d keys, %d lines kept", len(l.text), len(l.lines))
		}
		for range maxLines + 1 {
			text, done, err := l.take()
			if done && (text == "" || len(text) > maxLine) {
				t.Fatalf("line %q", text)
			}
			if !done && err == nil {
				return
			}
			if done {
				rfid.Typed{}.Card(text)
			}
		}
		t.Fatal("no end of lines")
	})
}
