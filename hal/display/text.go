// Package display shows a line of text: on a character LCD (HD44780 behind a PCF8574 on I2C), or on a serial terminal.
//
// Both have one goroutine; whoever shows a text never waits for a wire. What such a display cannot write is folded to
// ASCII.
package display

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// MaxText bounds a text, in bytes; a longer one is cut.
const MaxText = 256

// panel is what shows text. It is used by one goroutine.
type panel interface {
	show(text string) error // ASCII
	close() error
}

// Options is how a display is driven.
type Options struct {
	Name string // for errors: "display"

	// Notify hears once that the display does not work (err), and once that it works again (nil). It may be nil, is
	// called by the display's goroutine, and must not wait.
	Notify func(err error)
}

// retryEvery is how often a text is given to a display that did not take it; refreshEvery, how often to one that did: an
// LCD forgets what it shows when its supply dips, and says nothing.
const (
	retryEvery   = 2 * time.Second
	refreshEvery = 30 * time.Second
)

// Display is a display with its goroutine.
type Display struct {
	o    Options
	p    panel
	wake chan struct{}
	quit chan struct{}
	done chan struct{}
	once sync.Once
	err  error // of Close

	mu   sync.Mutex // guards text
	text string
}

func newDisplay(p panel, o Options) *Display {
	d := &Display{o: o, p: p, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go d.run()
	return d
}

// Show shows a text in place of the one before. It does not wait.
func (d *Display) Show(text string) {
	d.mu.Lock()
	d.text = Fold(text)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Close clears the display and lets it go.
func (d *Display) Close() error {
	d.once.Do(func() { close(d.quit) })
	<-d.done
	return d.err
}

func (d *Display) run() {
	defer close(d.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := false
	for {
		select {
		case <-d.quit:
			d.err = errors.Join(d.p.show(""), d.p.close())
			return
		case <-d.wake:
		case <-timer.C:
		}
		d.mu.Lock()
		text := d.text
		d.mu.Unlock()
		err := d.p.show(text)
		if failed := err != nil; failed != told {
			told = failed
			d.notify(err)
		}
		if told {
			timer.Reset(retryEvery)
		} else {
			timer.Reset(refreshEvery)
		}
	}
}

func (d *Display) notify(err error) {
	if d.o.Notify == nil {
		return
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", d.o.Name, err)
	}
	d.o.Notify(err)
}

// folds are letters that have an equal in ASCII, as people write them who have no other.
var folds = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss", "ẞ", "SS",
	"à", "a", "á", "a", "â", "a", "ã", "a", "å", "aa", "æ", "ae", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ø", "oe", "œ", "oe",
	"ù", "u", "ú", "u", "û", "u", "ý", "y", "ÿ", "y",
	"À", "A", "Á", "A", "Â", "A", "Ã", "A", "Å", "AA", "Æ", "AE", "Ç", "C", "È", "E", "É", "E", "Ê", "E", "Ë", "E",
	"Ì", "I", "Í", "I", "Î", "I", "Ï", "I", "Ñ", "N", "Ò", "O", "Ó", "O", "Ô", "O", "Õ", "O", "Ø", "OE", "Œ", "OE",
	"Ù", "U", "Ú", "U", "Û", "U", "Ý", "Y",
	"ą", "a", "ć", "c", "č", "c", "ď", "d", "đ", "d", "ę", "e", "ě", "e", "ł", "l", "ń", "n", "ň", "n", "ő", "o",
	"ř", "r", "ś", "s", "š", "s", "ť", "t", "ů", "u", "ű", "u", "ź", "z", "ż", "z", "ž", "z",
	"Ą", "A", "Ć", "C", "Č", "C", "Ď", "D", "Đ", "D", "Ę", "E", "Ě", "E", "Ł", "L", "Ń", "N", "Ň", "N", "Ő", "O",
	"Ř", "R", "Ś", "S", "Š", "S", "Ť", "T", "Ů", "U", "Ű", "U", "Ź", "Z", "Ż", "Z", "Ž", "Z",
	"€", "EUR", "£", "GBP", "¥", "JPY", "°", " ", "·", ".", "…", "...", "–", "-", "—", "-", "‘", "'", "’", "'",
	"“", "\"", "”", "\"", "„", "\"", "«", "\"", "»", "\"", "\u00a0", " ", "\u202f", " ", "₂", "2", "²", "2", "³", "3", "µ", "u", "Ω", "Ohm",
)

// Fold makes printable ASCII of a text: line breaks and tabs are spaces, and what has no equal is a question mark. It is at
// most MaxText bytes long.
func Fold(text string) string {
	if len(text) > 4*MaxText { // before it is folded: no letter becomes shorter than a quarter of its bytes
		text = text[:4*MaxText]
	}
	var b strings.Builder
	for _, c := range folds.Replace(text) {
		switch {
		case b.Len() >= MaxText:
			return b.String()
		case c == '\n' || c == '\t' || c == '\r':
			b.WriteByte(' ')
		case c < 0x20 || c == 0x7F:
		case c > 0x7E:
			b.WriteByte('?')
		default:
			b.WriteByte(byte(c))
		}
	}
	return b.String()
}

// Wrap breaks a text into lines at spaces; words that are longer than a line are cut, and what does not fit is left out.
func Wrap(text string, width, lines int) []string {
	var all []string
	for _, word := range strings.Fields(text) {
		for word != "" {
			part := word[:min(len(word), width)]
			word = word[len(part):]
			last := len(all) - 1
			if last >= 0 && len(all[last])+1+len(part) <= width {
				all[last] += " " + part
				continue
			}
			if len(all) == lines {
				return all
			}
			all = append(all, part)
		}
	}
	return all
}
