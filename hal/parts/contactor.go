package parts

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/gpio"
)

// Times of contacts that a board does not give: what the machine of a connector allows at the most.
const (
	closeLimit = 500 * time.Millisecond // from the command until the mirror contacts say closed
	openLimit  = 100 * time.Millisecond // likewise until they say open
)

// contactor is one drive or two, and the contacts that show what became of them.
type contactor struct {
	now    func() time.Time
	wiring hal.Wiring
	drives [2]drive // main and extra; without an output it is not fitted
	senses []sense
	opened func()        // hears of openings; nil: nobody
	limit  time.Duration // that closing may take

	closed bool  // what it was told last
	phases uint8 // likewise
	since  time.Time
}

const (
	main = iota
	extra
)

// drive is a coil.
type drive struct {
	out   gpio.Output
	on    bool      // driven
	want  bool      // as the newest command has it
	off   time.Time // it was released
	lines hal.Lines
}

// sense is an auxiliary contact of a drive.
type sense struct {
	in     gpio.Input
	drive  int
	normal bool // it is closed while the drive's contacts are open
}

func (b *builder) contactor() (any, error) {
	c := &contactor{now: b.k.Now, limit: closeLimit, since: b.k.Now()}
	if w, ok := b.k.(interface{ opened() }); ok {
		c.opened = w.opened
	}
	main0, err := b.need(hal.RoleMainDrive)
	if err != nil {
		return nil, err
	}
	extra0, err := b.one(hal.RoleExtraDrive)
	if err != nil {
		return nil, err
	}
	if err := c.wire(main0, extra0); err != nil {
		return nil, err
	}
	// All drives before any sense, and all of them whatever is wrong with one: a line that is requested is let go.
	c.drives[main].out, err = b.output(main0)
	if extra0 != nil {
		var other error
		c.drives[extra].out, other = b.output(extra0)
		err = errors.Join(err, other)
	}
	if err != nil {
		return nil, err
	}
	for n, r := range [...]hal.PartRole{hal.RoleMainSense, hal.RoleExtraSense} {
		err := b.each(r, func(p *hal.Part) error {
			if c.drives[n].out == nil {
				return fmt.Errorf("%s: the drive that it senses is not fitted", name(p))
			}
			in, err := b.input(p, false)
			c.senses = append(c.senses, sense{in, n, p.Flags&hal.PartNormallyClosed != 0})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// wire takes the wiring and refuses what does not fit it.
func (c *contactor) wire(m, x *hal.Part) error {
	if m.A < 0 || m.A > int32(hal.WiringMutual) {
		return fmt.Errorf("%s: wiring %d: there is none", name(m), m.A)
	}
	c.wiring = hal.Wiring(m.A)
	if (x != nil) != (c.wiring != hal.WiringSingle) {
		return fmt.Errorf("%s: wiring %v wants two drives, and single one", name(m), c.wiring)
	}
	if limit := time.Duration(m.C) * time.Millisecond; m.C < 0 || limit > closeLimit {
		return fmt.Errorf("%s: %v to close: at most %v", name(m), limit, closeLimit)
	} else if limit > 0 {
		c.limit = limit
	}
	c.drives[main].lines = hal.Lines(m.B)
	if x != nil {
		c.drives[extra].lines = hal.Lines(x.B)
	}
	return nil
}

// Set drives. Opening is one write a drive, whatever went before. Of two drives that must not close together the second waits, in
// Closed, for what the first one's contacts say.
func (c *contactor) Set(closed bool, phases uint8) error {
	if closed != c.closed || phases != c.phases {
		c.since = c.now()
	}
	c.closed, c.phases = closed, phases
	c.drives[main].want, c.drives[extra].want = c.wanted()
	live := c.drives[main].on || c.drives[extra].on
	// The extra one first when opening: no line stays without its neutral.
	a, b := c.release(extra), c.release(main)
	switch {
	case a != nil:
		return a
	case b != nil:
		return b
	case !closed:
		if live && c.opened != nil {
			c.opened()
		}
		return nil
	}
	if c.wiring == hal.WiringMutual {
		if err := c.apart(); err != nil {
			c.closed = false // the guard tells it again
			return err
		}
	}
	if err := c.energize(main); err != nil {
		return err
	}
	if c.wiring == hal.WiringSerial && c.drives[extra].want {
		return nil
	}
	return c.energize(extra)
}

// wanted are the drives that close for what was told last.
func (c *contactor) wanted() (m, x bool) {
	if !c.closed {
		return false, false
	}
	switch c.wiring {
	case hal.WiringSerial:
		return true, c.phases != 1
	case hal.WiringSimultaneous:
		return true, true
	case hal.WiringMutual:
		return c.phases != 1, c.phases == 1
	}
	return true, false
}

// release lets a drive go that shall not be driven. It is written even where it is thought to be off already.
func (c *contactor) release(n int) error {
	d := &c.drives[n]
	if d.want || d.out == nil {
		return nil
	}
	if err := d.out.Set(false); err != nil {
		return err
	}
	if d.on {
		d.off = c.now()
	}
	d.on = false
	return nil
}

// energize drives one that shall be.
func (c *contactor) energize(n int) error {
	d := &c.drives[n]
	if !d.want || d.on {
		return nil
	}
	if err := d.out.Set(true); err != nil {
		return err
	}
	d.on = true
	return nil
}

// apart reports an error while the one of two drives that must not be closed is, or may be.
func (c *contactor) apart() error {
	for n := range c.drives {
		d := &c.drives[n]
		if d.want {
			continue
		}
		if d.on || !d.off.IsZero() && c.now().Sub(d.off) < openLimit {
			return errStillClosed
		}
		_, closed, err := c.shown(n)
		if err != nil {
			return err
		}
		if closed {
			return errStillClosed
		}
	}
	return nil
}

// Closed is what the mirror contacts show. Told to open, one that shows closed is enough. Told to close, all must that belong to
// the drives that are to close, and none of the others, once they have had the time for it; before, it is not closed yet.
func (c *contactor) Closed() (bool, error) {
	if len(c.senses) == 0 {
		return c.closed, c.follow(true)
	}
	mainOpen, mainClosed, err := c.shown(main)
	if err != nil {
		return false, err
	}
	extraOpen, extraClosed, err := c.shown(extra)
	if err != nil {
		return false, err
	}
	if !c.closed {
		return mainClosed || extraClosed, nil
	}
	if err := c.follow(!mainOpen); err != nil {
		return false, err
	}
	missing := c.drives[main].want && mainOpen || c.drives[extra].want && extraOpen
	foreign := !c.drives[main].want && mainClosed || !c.drives[extra].want && extraClosed
	some := c.drives[main].want && mainClosed || c.drives[extra].want && extraClosed
	late := c.now().Sub(c.since) > c.limit
	switch {
	case missing && some && late, foreign && c.now().Sub(c.since) > openLimit:
		return false, errContradicts
	case missing && late && c.limit < closeLimit:
		return false, errTooSlow
	}
	return !missing, nil
}

// follow drives the second of two drives that close one after the other, once the first has: by its contacts, or by the time where
// there are none.
func (c *contactor) follow(first bool) error {
	if !c.closed || c.wiring != hal.WiringSerial || !c.drives[extra].want || c.drives[extra].on {
		return nil
	}
	if !first || !c.sensed(main) && c.now().Sub(c.since) < c.limit {
		return nil
	}
	if err := c.energize(extra); err != nil {
		return err
	}
	c.since = c.now() // the contacts of the second have their own time
	return nil
}

// sensed reports whether drive n has a sense.
func (c *contactor) sensed(n int) bool {
	for i := range c.senses {
		if c.senses[i].drive == n {
			return true
		}
	}
	return false
}

// shown is what the senses of drive n show: whether one of them is open, and whether one is closed. Without a sense it is neither.
func (c *contactor) shown(n int) (open, closed bool, err error) {
	for i := range c.senses {
		s := &c.senses[i]
		if s.drive != n {
			continue
		}
		active, err := s.in.Get()
		if err != nil {
			return false, false, err
		}
		if active != s.normal {
			closed = true
		} else {
			open = true
		}
	}
	return open, closed, nil
}
