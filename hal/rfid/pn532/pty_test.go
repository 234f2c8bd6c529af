package pn532_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/pn532"
	"github.com/evsed/evsed/hal/rfid/pn532test"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/serial/pty"
)

// The same over a line of the kernel, with the driver of serial ports.
func TestScanOverPseudoTerminal(t *testing.T) {
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	e := pn532test.New()
	e.Lay(classic)
	served := make(chan struct{})
	go func() { e.Serve(far); close(served) }()
	port, err := serial.Open(serial.Config{Port: near, Baud: 115200})
	if err != nil {
		t.Fatal(err)
	}
	chip := pn532.New(pn532.OverSerial(port), pn532.Config{})
	patient := func() ([]rfid.Card, error) { // of a machine that is busy with other things
		var cards []rfid.Card
		var err error
		for range 20 {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			cards, err = chip.Scan(ctx)
			cancel()
			if err == nil && len(cards) > 0 { // none: the look was asked for twice, and the first answer was late
				break
			}
		}
		return cards, err
	}
	if cards, err := patient(); err != nil || len(cards) != 1 || cards[0].UID.Bytes()[0] != 0xDE {
		t.Errorf("%v, %v", cards, err)
	}
	e.Fail(pn532test.Silent, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	if _, err := chip.Scan(ctx); !errors.Is(err, pn532.ErrSilent) {
		t.Errorf("silent: %v", err)
	}
	cancel()
	e.Fail(pn532test.None, 0)
	if cards, err := patient(); err != nil || len(cards) != 1 {
		t.Errorf("after silence: %v, %v", cards, err)
	}
	if err := chip.Close(); err != nil {
		t.Error(err)
	}
	far.Close()
	<-served
}
