// Package spitest plays recorded traffic of an SPI device.
//
// A recording is text. Each line is one transfer, what is clocked out and what comes in meanwhile; blank lines and what
// follows a # are for people:
//
//	ee 00 > 00 92      the version register of an MFRC522
//	ee 00 !unplugged
package spitest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/evsed/evsed/hal/spi"
)

type transfer struct {
	line int
	w, r []byte
	err  error
}

// Playback is a spi.Wire that expects the transfers of a recording, byte by byte and in their order.
type Playback struct {
	mu   sync.Mutex // guards all below: tests look while the device works
	rest []transfer
	bad  error
}

// Parse reads a recording.
func Parse(text string) (*Playback, error) {
	p := &Playback{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		t, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		t.line = i + 1
		p.rest = append(p.rest, t)
	}
	return p, nil
}

func parse(line string) (transfer, error) {
	var t transfer
	line, fault, failed := strings.Cut(line, "!")
	if failed {
		if strings.TrimSpace(fault) != "unplugged" {
			return t, fmt.Errorf("fault %q", fault)
		}
		t.err = spi.ErrUnplugged
	}
	out, in, _ := strings.Cut(line, ">")
	var err error
	if t.w, err = hex.DecodeString(strings.Join(strings.Fields(out), "")); err != nil {
		return t, err
	}
	t.r, err = hex.DecodeString(strings.Join(strings.Fields(in), ""))
	if err == nil && t.err == nil && len(t.r) != len(t.w) {
		err = fmt.Errorf("%d bytes out, %d in", len(t.w), len(t.r))
	}
	return t, err
}

// Open is for spi.On.
func (p *Playback) Open() (spi.Wire, error) { return p, nil }

// Transfer plays the next line.
func (p *Playback) Transfer(w, r []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bad != nil {
		return p.bad
	}
	if len(p.rest) == 0 {
		p.bad = fmt.Errorf("behind the end of the recording: % x", w)
		return p.bad
	}
	t := p.rest[0]
	if !bytes.Equal(w, t.w) {
		p.bad = fmt.Errorf("line %d: % x; recorded is % x", t.line, w, t.w)
		return p.bad
	}
	p.rest = p.rest[1:]
	copy(r, t.r)
	return t.err
}

// Close is for the device.
func (p *Playback) Close() error { return nil }

// Err says what did not go as recorded, a rest that was not played included.
func (p *Playback) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bad == nil && len(p.rest) > 0 {
		return fmt.Errorf("line %d and %d after it were not played", p.rest[0].line, len(p.rest)-1)
	}
	return p.bad
}
