// Command cardsim is a PN532 with cards in its field, at a pseudo-terminal: what a station, or evsed rfid test, can have
// for a reader where there is none.
//
//	go run ./scripts/cardsim [-shown 2s] [-away 5s] UID...
//
// It prints the port's path and shows the cards with these UIDs (hexadecimal), all at once, again and again, until it is
// interrupted.
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/evsed/evsed/hal/rfid/pn532test"
	"github.com/evsed/evsed/hal/serial/pty"
)

func main() {
	shown := flag.Duration("shown", 2*time.Second, "how long the cards lie at the reader")
	away := flag.Duration("away", 5*time.Second, "how long they are away then")
	flag.Parse()
	if err := run(*shown, *away, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "cardsim:", err)
		os.Exit(1)
	}
}

func run(shown, away time.Duration, uids []string) error {
	var cards []pn532test.Card
	for _, s := range uids {
		b, err := hex.DecodeString(s)
		if err != nil {
			return fmt.Errorf("UID %s: %w", s, err)
		}
		cards = append(cards, pn532test.Card{UID: b})
	}
	far, near, err := pty.Open()
	if err != nil {
		return err
	}
	defer far.Close()
	// Held open, the line lives on between two programs that use it.
	held, err := os.OpenFile(near, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer held.Close()
	fmt.Println(near)
	chip := pn532test.New()
	go show(chip, cards, shown, away)
	return chip.Serve(far)
}

// show lays the cards down and takes them away.
func show(chip *pn532test.Emulator, cards []pn532test.Card, shown, away time.Duration) {
	for {
		chip.Lay(cards...)
		time.Sleep(shown)
		chip.Lay()
		time.Sleep(away)
	}
}
