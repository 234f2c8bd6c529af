package fit

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
)

// typist is a kernel that remembers which keyboard was asked for.
type typist struct {
	desk
	asked hid.Config
}

func (k *typist) Keyboard(c hid.Config) (rfid.Scanner, error) {
	k.do(func() { k.asked = c })
	return cards{&k.desk}, nil
}

// A board says how its reader spells a UID, and how the CSMS does.
func TestReaderAndTokenAreSpelledAsTheBoardSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Replace(boardFile, "device: by-id/usb-reader-event-kbd}",
			"device: by-id/usb-reader-event-kbd, typed: {base: decimal, bytes: 7, reverse: true}, uid: {base: decimal, reverse: true, width: 12}}", 1)
		k := &typist{desk: desk{heat: 20_000, line: modbus.NewLine(modbus.NewServer(map[uint8]modbus.Unit{}), time.Millisecond)}}
		f, err := Open(board(t, text), k, Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		u, err := rfid.NewUID([]byte{0x00, 0xA1, 0xB2, 0xC3})
		if err != nil {
			t.Fatal(err)
		}
		k.do(func() { k.cards = []rfid.Card{{UID: u}} })
		token, err := f.readers[0].dev.Next(t.Context())
		if err != nil || token.Value != "003283263744" {
			t.Errorf("token %q, %v", token.Value, err)
		}
		want := hid.Config{Device: "by-id/usb-reader-event-kbd", Typed: rfid.Typed{Decimal: true, Bytes: 7, Reverse: true}}
		k.do(func() {
			if k.asked != want {
				t.Errorf("keyboard %+v, want %+v", k.asked, want)
			}
		})
	})
}
