package light

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/pwm"
)

// Lines is a lamp of lines that are on or off: red, green and blue, or one alone, which is on for every color.
func Lines(out ...gpio.Output) (Lamp, error) {
	if len(out) != 1 && len(out) != 3 {
		return nil, fmt.Errorf("lamp of %d lines: want one, or red, green and blue", len(out))
	}
	l := make(parts, len(out))
	for i, o := range out {
		l[i] = line{o}
	}
	return l, nil
}

// PWM is a lamp of PWM channels, red, green and blue or one alone: dimmable. A channel that is inverted is lit while its
// wire is low.
func PWM(period time.Duration, inverted bool, ch ...pwm.Channel) (Lamp, error) {
	if len(ch) != 1 && len(ch) != 3 {
		return nil, fmt.Errorf("lamp of %d channels: want one, or red, green and blue", len(ch))
	}
	if period < minPeriod || period > maxPeriod {
		return nil, fmt.Errorf("lamp with a period of %v: want %v to %v", period, minPeriod, maxPeriod)
	}
	l := make(parts, len(ch))
	for i, c := range ch {
		l[i] = channel{c, period, inverted}
	}
	return l, nil
}

// Periods of a lamp: slower flickers, faster is more than drivers of LEDs follow.
const (
	minPeriod = 20 * time.Microsecond
	maxPeriod = 10 * time.Millisecond
)

// LEDs is a lamp of the kernel's LEDs by their names below /sys/class/leds, red, green and blue or one alone. root is "/", or
// a folder in its place. What the kernel shows with them itself (trigger) is switched off.
func LEDs(root string, names ...string) (Lamp, error) {
	if len(names) != 1 && len(names) != 3 {
		return nil, fmt.Errorf("lamp of %d LEDs: want one, or red, green and blue", len(names))
	}
	l := make(parts, 0, len(names))
	for _, n := range names {
		d, err := openLED(root, n)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("LED %s: %w", n, err)
		}
		l = append(l, d)
	}
	return l, nil
}

// part is one wire of a lamp.
type part interface {
	set(level uint8) error
	close() error
}

// parts is a lamp of one part, or of three.
type parts []part

// Set tries all parts, so that one that does not work keeps none of the others from showing something.
func (l parts) Set(c Color) error {
	if len(l) == 1 {
		return l[0].set(max(c.R, c.G, c.B))
	}
	var all error
	for i, level := range [...]uint8{c.R, c.G, c.B} {
		all = errors.Join(all, l[i].set(level))
	}
	return all
}

func (l parts) Close() error {
	var all error
	for _, p := range l {
		all = errors.Join(all, p.close())
	}
	return all
}

// line is on above level 0. What opened it closes it.
type line struct{ out gpio.Output }

func (l line) set(level uint8) error { return l.out.Set(level > 0) }
func (l line) close() error          { return nil }

type channel struct {
	ch       pwm.Channel
	period   time.Duration
	inverted bool
}

// set squares the level: eyes see brightness so, and a lamp at half its current looks almost full.
func (c channel) set(level uint8) error {
	on := c.period * time.Duration(level) * time.Duration(level) / (255 * 255)
	if c.inverted {
		on = c.period - on
	}
	return c.ch.Set(c.period, on)
}

func (c channel) close() error { return nil }

// led is an LED of the kernel.
type led struct {
	brightness *os.File
	most       int64
}

func openLED(root, name string) (*led, error) {
	if name == "" || strings.ContainsRune(name, '/') || name == "." || name == ".." {
		return nil, errors.New("want a name below /sys/class/leds")
	}
	dir := filepath.Join(root, "sys/class/leds", name)
	b, err := os.ReadFile(filepath.Join(dir, "max_brightness"))
	if err != nil {
		return nil, err
	}
	most, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || most < 1 {
		return nil, fmt.Errorf("greatest brightness %q", b)
	}
	if err := untrigger(filepath.Join(dir, "trigger")); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "brightness"), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &led{f, most}, nil
}

// untrigger takes an LED from the kernel; one that has no triggers is nobody's.
func untrigger(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("none\n")
	return errors.Join(err, f.Close())
}

// set is exact at both ends: most may be 1, and then only level 0 is dark.
func (l *led) set(level uint8) error {
	b := (int64(level)*l.most + 127) / 255
	if level > 0 && b == 0 {
		b = 1
	}
	_, err := l.brightness.WriteAt(append(strconv.AppendInt(nil, b, 10), '\n'), 0)
	return err
}

func (l *led) close() error { return l.brightness.Close() }
