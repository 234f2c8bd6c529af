package gpio

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// consumer is what other programs see as the holder of our lines.
const consumer = "evsed"

const (
	eventBuffer = 64                   // edges that the kernel keeps for us while we do not look
	busyRetry   = 5 * time.Millisecond // a line that is held is asked for again after
	maxDebounce = time.Second
)

// Chips are all lines of a machine.
type Chips struct {
	Dir      string               // where the chips' devices are: /dev
	Patience func() time.Duration // how long a line that is held by somebody else may still be waited for; nil: not at all

	open   func(dir string) ([]chip, error) // nil: those of the kernel
	chips  []chip
	index  map[string][]place
	inputs map[Spec]*Line
	held   []*Line
	recent map[Spec]*Line // outputs of a device that is being made
	spare  map[Spec]*Line // those of one that could not be made: driven to rest, and there for the next attempt
	edges  Edges
}

// place is where a line is.
type place struct {
	chip   chip
	offset int
}

func (p place) String() string { return fmt.Sprintf("%s line %d", p.chip.name(), p.offset) }

// Output requests a line to drive it.
func (c *Chips) Output(s Spec) (Output, error) {
	if s.Bias != BiasAsIs || s.Debounce != 0 || s.Edges {
		return nil, fmt.Errorf("line %q: bias, debounce and edges are for inputs", s.Name)
	}
	if l := c.spare[s]; l != nil {
		delete(c.spare, s)
		return l, l.Set(s.Initial)
	}
	flags := uapi.LineFlagV2Output
	if s.ActiveLow {
		flags |= uapi.LineFlagV2ActiveLow
	}
	r := uapi.LineRequest{Config: uapi.LineConfig{Flags: flags}}
	values := uapi.OutputValues(0)
	if s.Initial {
		values = 1
	}
	r.Config.AddAttribute(uapi.LineConfigAttribute{Attr: values.Encode(), Mask: 1})
	l, err := c.request(s.Name, &r)
	if err != nil {
		return nil, err
	}
	if c.recent == nil {
		c.recent = map[Spec]*Line{}
	}
	c.recent[s] = l
	return l, nil
}

// Made says whether the device that outputs were requested for could be made. If not, they stay as they are, and who asks for one of
// them again gets it.
func (c *Chips) Made(ok bool) {
	if !ok {
		if c.spare == nil {
			c.spare = map[Spec]*Line{}
		}
		maps.Copy(c.spare, c.recent)
	}
	clear(c.recent)
}

// Input requests a line to read it. One that was requested with the same Spec before is the same Input: several connectors may have
// one emergency stop. A chip that has no interrupt for the line leaves Edges out; who waits for them has to look from time to time.
func (c *Chips) Input(s Spec) (Input, error) {
	if l := c.inputs[s]; l != nil {
		return l, nil
	}
	if s.Initial || s.Debounce < 0 || s.Debounce > maxDebounce {
		return nil, fmt.Errorf("line %q: an input with debounce %v and initial level %v: want 0 to %v, and none", s.Name, s.Debounce, s.Initial, maxDebounce)
	}
	flags := uapi.LineFlagV2Input
	if s.ActiveLow {
		flags |= uapi.LineFlagV2ActiveLow
	}
	switch s.Bias {
	case BiasUp:
		flags |= uapi.LineFlagV2BiasPullUp
	case BiasDown:
		flags |= uapi.LineFlagV2BiasPullDown
	case BiasNone:
		flags |= uapi.LineFlagV2BiasDisabled
	}
	r := uapi.LineRequest{Config: uapi.LineConfig{Flags: flags}, EventBufferSize: eventBuffer}
	if s.Debounce > 0 {
		r.Config.AddAttribute(uapi.LineConfigAttribute{Attr: uapi.DebouncePeriod(s.Debounce).Encode(), Mask: 1})
	}
	if s.Edges {
		r.Config.Flags |= uapi.LineFlagV2EdgeBoth
	}
	l, err := c.request(s.Name, &r)
	if s.Edges && s.Debounce == 0 && noInterrupt(err) {
		r.Config.Flags &^= uapi.LineFlagV2EdgeBoth
		l, err = c.request(s.Name, &r)
	}
	switch {
	case noInterrupt(err) && s.Debounce > 0:
		return nil, fmt.Errorf("%w: the chip can debounce nothing: want the board without debounce on this line", err)
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, errNotSupported):
		return nil, fmt.Errorf("%w: the chip cannot pull this line: want the board without bias on it", err)
	case err != nil:
		return nil, err
	}
	if c.inputs == nil {
		c.inputs = map[Spec]*Line{}
	}
	c.inputs[s] = l
	return l, nil
}

// errNotSupported is an error of the kernel's own that its GPIO drivers let out.
const errNotSupported = unix.Errno(524)

// noInterrupt reports whether a line was refused because its chip gives no interrupt for it.
func noInterrupt(err error) bool { return errors.Is(err, unix.ENXIO) || errors.Is(err, unix.EINVAL) }

// request requests the line of a name.
func (c *Chips) request(name string, r *uapi.LineRequest) (*Line, error) {
	p, err := c.find(name)
	if err != nil {
		return nil, err
	}
	r.Offsets[0], r.Lines = uint32(p.offset), 1
	copy(r.Consumer[:], consumer)
	for {
		err = p.chip.request(r)
		if !errors.Is(err, unix.EBUSY) || c.Patience == nil || c.Patience() <= 0 {
			break
		}
		time.Sleep(min(busyRetry, c.Patience()))
	}
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("line %q (%v): %w: %s", name, p, err, holder(p))
	}
	if err != nil {
		return nil, fmt.Errorf("request line %q (%v): %w", name, p, err)
	}
	l := &Line{fd: int(r.Fd), edges: &c.edges, wakes: r.Config.Flags&uapi.LineFlagV2EdgeBoth != 0}
	l.values.Mask = 1
	c.held = append(c.held, l)
	if err := unix.SetNonblock(l.fd, true); err != nil { // only its edges are read
		return nil, fmt.Errorf("request line %q (%v): %w", name, p, err)
	}
	return l, nil
}

// holder says who holds a line.
func holder(p place) string {
	i, err := p.chip.info(p.offset)
	switch who := text(i.Consumer[:]); {
	case err != nil || who == "":
		return "somebody holds it"
	case who == consumer:
		return "another evsed holds it"
	default:
		return fmt.Sprintf("%q holds it", who)
	}
}

// find returns where the line of a name is.
func (c *Chips) find(name string) (place, error) {
	if len(c.index[name]) == 0 { // a chip may have come since the last look
		if err := c.look(); err != nil {
			return place{}, fmt.Errorf("line %q: %w", name, err)
		}
	}
	switch found := c.index[name]; len(found) {
	case 1:
		return found[0], nil
	case 0:
		return place{}, fmt.Errorf("line %q: no chip of %d has it%s", name, len(c.chips), c.hint(name))
	default:
		var all []string
		for _, p := range found {
			all = append(all, p.String())
		}
		return place{}, fmt.Errorf("line %q: %d lines have this name (%s): want one of each name in the device tree", name, len(found), strings.Join(all, ", "))
	}
}

// look lists all lines.
func (c *Chips) look() error {
	for _, ch := range c.chips {
		ch.close()
	}
	c.index = map[string][]place{}
	open := c.open
	if open == nil {
		open = openChips
	}
	dir := c.Dir
	if dir == "" {
		dir = "/dev"
	}
	var err error
	if c.chips, err = open(filepath.Clean(dir)); err != nil {
		return err
	}
	for _, ch := range c.chips {
		n, err := ch.lines()
		if err != nil {
			return fmt.Errorf("read %s: %w", ch.name(), err)
		}
		for i := range n {
			info, err := ch.info(i)
			if err != nil {
				return fmt.Errorf("read %s line %d: %w", ch.name(), i, err)
			}
			if name := text(info.Name[:]); name != "" {
				c.index[name] = append(c.index[name], place{ch, i})
			}
		}
	}
	return nil
}

// Sources returns the inputs whose edges wake.
func (c *Chips) Sources() (all []Source) {
	for _, l := range c.held {
		if l.wakes {
			all = append(all, l)
		}
	}
	return all
}

// Edges returns what is known of all edges.
func (c *Chips) Edges() *Edges { return &c.edges }

// Close gives all lines back. What a driven line does then is the chip's affair.
func (c *Chips) Close() {
	for _, l := range c.held {
		_ = unix.Close(l.fd)
		l.fd = -1
	}
	for _, ch := range c.chips {
		ch.close()
	}
	c.held, c.chips, c.index, c.inputs, c.recent, c.spare = nil, nil, nil, nil, nil, nil
}
