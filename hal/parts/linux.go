package parts

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/thermo"
	"github.com/evsed/evsed/hal/watchdog"
)

// Linux is the kernel that the process runs on. The zero value is ready; Close gives everything back.
type Linux struct {
	Root     string               // a folder in place of "/"; for tests
	Patience func() time.Duration // how long a line that another process holds may still be waited for; nil: not at all

	chips  *gpio.Chips
	adcs   map[string]*adc.Sysfs
	pwms   []*pwm.Sysfs
	thermo thermo.Poller
	sensor map[string]*thermo.Sysfs
	mcus   map[mcu.Spec]*mcu.MCU
	dogs   []*watchdog.Dog
	react  Reaction
}

func (l *Linux) root() string {
	if l.Root == "" {
		return "/"
	}
	return l.Root
}

func (l *Linux) lines() *gpio.Chips {
	if l.chips == nil {
		l.chips = &gpio.Chips{Dir: filepath.Join(l.root(), "dev"), Patience: l.Patience}
	}
	return l.chips
}

// Output requests a line.
func (l *Linux) Output(s gpio.Spec) (gpio.Output, error) { return l.lines().Output(s) }

// Input requests a line; one that was requested alike before is shared.
func (l *Linux) Input(s gpio.Spec) (gpio.Input, error) { return l.lines().Input(s) }

// made says whether a device of what was opened could be made.
func (l *Linux) made(ok bool) {
	if l.chips != nil {
		l.chips.Made(ok)
	}
}

// PWM opens a channel.
func (l *Linux) PWM(name string) (pwm.Channel, error) {
	c, err := pwm.Open(l.root(), name, l.Patience)
	if err != nil {
		return nil, err
	}
	l.pwms = append(l.pwms, c)
	return c, nil
}

// ADC opens a channel; it is shared.
func (l *Linux) ADC(name string) (adc.Channel, error) {
	if c := l.adcs[name]; c != nil {
		return c, nil
	}
	c, err := adc.Open(l.root(), name)
	if err != nil {
		return nil, err
	}
	if l.adcs == nil {
		l.adcs = map[string]*adc.Sysfs{}
	}
	l.adcs[name] = c
	return c, nil
}

// Thermometer opens a thermometer; it is shared. Begin reads it from then on.
func (l *Linux) Thermometer(name string) (thermo.Source, error) {
	if t := l.sensor[name]; t != nil {
		return t, nil
	}
	l.thermo.Root = l.root()
	t, err := l.thermo.Open(name)
	if err != nil {
		return nil, err
	}
	if l.sensor == nil {
		l.sensor = map[string]*thermo.Sysfs{}
	}
	l.sensor[name] = t
	return t, nil
}

// Watchdog opens a watchdog.
func (l *Linux) Watchdog(path string, timeout time.Duration) (hal.Watchdog, error) {
	d, err := watchdog.Open(filepath.Join(l.root(), path), timeout)
	if err != nil {
		return nil, err
	}
	l.dogs = append(l.dogs, d)
	return d, nil
}

// MCU opens a safety controller; it is shared. One port has one.
func (l *Linux) MCU(spec mcu.Spec) (*mcu.MCU, error) {
	for other, m := range l.mcus {
		switch {
		case other == spec:
			return m, nil
		case other.Port == spec.Port:
			return nil, fmt.Errorf("safety controller at %s: the table says two different things of it", spec.Port)
		}
	}
	m, err := mcu.Open(spec)
	if err != nil {
		return nil, err
	}
	if l.mcus == nil {
		l.mcus = map[mcu.Spec]*mcu.MCU{}
	}
	l.mcus[spec] = m
	return m, nil
}

// Now is the process's monotonic time.
func (l *Linux) Now() time.Time { return time.Now() }

// Begin is to be called when everything is open: slow things are read from now on.
func (l *Linux) Begin() { l.thermo.Start() }

// Source is what can wake a loop: while its descriptor can be read, Drain takes what is there without waiting. A descriptor below 0
// is none for now.
type Source interface {
	Descriptor() int
	Drain()
}

// Sources are all that can wake the guard's loop.
func (l *Linux) Sources() (all []Source) {
	if l.chips != nil {
		for _, s := range l.chips.Sources() {
			all = append(all, s)
		}
	}
	for _, m := range l.mcus {
		all = append(all, controller{m})
	}
	return all
}

// controller is a safety controller that has something to say: the cycle that it wakes reads it.
type controller struct{ *mcu.MCU }

func (controller) Drain() {}

// opened notes that a contactor has been told to open.
func (l *Linux) opened() {
	e := l.lines().Edges()
	if e.Last == 0 {
		return
	}
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) == nil {
		if now := time.Duration(t.Nano()); now-e.Last < lately {
			l.react.add(now - e.First)
		}
	}
	e.Settle()
}

// lately is how old an edge may be that an opening answers.
const lately = time.Second

// Reaction is how long openings have taken that an edge was the reason of: from the kernel's time of the edge until the kernel
// had the command.
func (l *Linux) Reaction() *Reaction { return &l.react }

// Edges returns how many edges there were, and how many of them the kernel had no room for.
func (l *Linux) Edges() (count, lost uint64) {
	if l.chips == nil {
		return 0, 0
	}
	e := l.lines().Edges()
	return e.Count, e.Lost
}

// Close gives everything back. orderly says that the end is meant: then the watchdog lets go, too. Otherwise it resets the board.
func (l *Linux) Close(orderly bool) error {
	var all error
	if orderly {
		for _, d := range l.dogs {
			all = errors.Join(all, d.Close())
		}
	}
	l.thermo.Close()
	for _, c := range l.adcs {
		c.Close()
	}
	for _, c := range l.pwms {
		c.Close()
	}
	if l.chips != nil {
		l.chips.Close()
	}
	l.dogs, l.adcs, l.pwms, l.chips = nil, nil, nil, nil
	return all
}
