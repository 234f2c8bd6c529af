// Package i2ctest plays recorded traffic of an I2C bus.
//
// A recording is text. Each line is one transfer, blank lines and what follows a # are for people:
//
//	24 < 00 00 ff 04  > 01        write, then read, at address 0x24
//	24 > 00                       read alone
//	24 < 01 !noanswer             what goes wrong: noanswer, stuck, unplugged
package i2ctest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/evsed/evsed/hal/i2c"
)

// transfer is one line.
type transfer struct {
	line    int
	address uint8
	w, r    []byte
	err     error
}

// Playback is an i2c.Adapter that expects the transfers of a recording, byte by byte and in their order.
type Playback struct {
	mu   sync.Mutex // guards all below: tests look while the bus works
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

var faults = map[string]error{"noanswer": i2c.ErrNoAnswer, "stuck": i2c.ErrStuck, "unplugged": i2c.ErrUnplugged}

func parse(line string) (transfer, error) {
	var t transfer
	line, fault, failed := strings.Cut(line, "!")
	if failed {
		if t.err = faults[strings.TrimSpace(fault)]; t.err == nil {
			return t, fmt.Errorf("fault %q", fault)
		}
	}
	line, read, _ := strings.Cut(line, ">")
	addr, write, _ := strings.Cut(line, "<")
	for _, f := range []struct {
		text string
		to   *[]byte
	}{{write, &t.w}, {read, &t.r}} {
		b, err := hex.DecodeString(strings.Join(strings.Fields(f.text), ""))
		if err != nil {
			return t, err
		}
		*f.to = b
	}
	a, err := hex.DecodeString(strings.TrimSpace(addr))
	if err != nil || len(a) != 1 {
		return t, fmt.Errorf("address %q", addr)
	}
	t.address = a[0]
	return t, nil
}

// Open is for i2c.On.
func (p *Playback) Open() (i2c.Adapter, error) { return p, nil }

// Transfer plays the next line.
func (p *Playback) Transfer(address uint8, w, r []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bad != nil {
		return p.bad
	}
	if len(p.rest) == 0 {
		p.bad = fmt.Errorf("behind the end of the recording: 0x%02x writes % x, reads %d", address, w, len(r))
		return p.bad
	}
	t := p.rest[0]
	if address != t.address || !bytes.Equal(w, t.w) || t.err == nil && len(r) != len(t.r) {
		p.bad = fmt.Errorf("line %d: 0x%02x writes % x, reads %d; recorded is 0x%02x, % x, %d", t.line, address, w, len(r), t.address, t.w, len(t.r))
		return p.bad
	}
	p.rest = p.rest[1:]
	copy(r, t.r)
	return t.err
}

// Close is for the bus.
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
