// Package fan drives fans with a PWM input, and notices by the pulses of their tachometers when they do not turn.
package fan

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/unit"
)

// ErrStuck is what a fan is that should turn and does not.
var ErrStuck = errors.New("fan does not turn")

// Config is how a fan is wired.
type Config struct {
	Name     string        // for errors: "fan inlet"
	PWM      pwm.Channel   // its speed
	Period   time.Duration // of PWM; 40 us (25 kHz), what fans with four wires expect
	Inverted bool          // the fan sees the channel upside down: a transistor at its input
	Tach     gpio.Counter  // edges of its tachometer; nil: nobody knows whether it turns
	Pulses   int           // of the tachometer in a turn; 2
	Least    unit.Percent  // what it needs to turn; a lower speed than that, but 0, is this one. 20 %
	Slow     int           // turns a minute below which it counts as stuck; 120

	// Notify hears once that the fan does not work (err), and once that it works again (nil). It may be nil, is called
	// by the fan's goroutine, and must not wait.
	Notify func(err error)
}

// The defaults, and the clock of a fan.
const (
	defaultPeriod = 40 * time.Microsecond
	defaultPulses = 2
	defaultLeast  = 20 * unit.OnePercent
	defaultSlow   = 120

	every  = 2 * time.Second // between two looks at the tachometer
	spinUp = 5 * time.Second // a fan that was still is given so long
	maxRPM = 30_000          // more is noise
)

// Fan is a fan with its goroutine. It turns at full speed until it is told otherwise, and again once it is closed: what
// nobody controls any more is cooled.
type Fan struct {
	c    Config
	wake chan struct{}
	quit chan struct{}
	done chan struct{}
	once sync.Once

	mu    sync.Mutex // guards level, rpm and known
	level unit.Percent
	rpm   int
	known bool

	// Of the goroutine:
	driven  unit.Percent // what the channel was told; -1: nothing, or it did not take it
	since   time.Time    // the fan has been told to turn
	edges   uint32
	looked  time.Time
	stuck   bool
	failing error // that Notify knows of
}

// New makes a fan. The error is about the configuration.
func New(c Config) (*Fan, error) {
	if c.Period == 0 {
		c.Period = defaultPeriod
	}
	if c.Pulses == 0 {
		c.Pulses = defaultPulses
	}
	if c.Least == 0 {
		c.Least = defaultLeast
	}
	if c.Slow == 0 {
		c.Slow = defaultSlow
	}
	if c.PWM == nil || c.Period < 0 || c.Pulses < 0 || c.Least < 0 || c.Least > unit.HundredPercent || c.Slow < 0 || c.Slow > maxRPM {
		return nil, fmt.Errorf("%s: want a PWM channel and positive settings", c.Name)
	}
	f := &Fan{c: c, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	f.level, f.driven = unit.HundredPercent, -1
	go f.run()
	return f, nil
}

// Set sets the speed, 0 to 100 %. It does not wait.
func (f *Fan) Set(level unit.Percent) error {
	if level < 0 || level > unit.HundredPercent {
		return fmt.Errorf("%s: speed %s: want 0 to 100 %%", f.c.Name, level)
	}
	if level > 0 {
		level = max(level, f.c.Least)
	}
	f.mu.Lock()
	f.level = level
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return nil
}

// Speed is how fast the fan turns, in turns a minute; not known without a tachometer, and before its first look.
func (f *Fan) Speed() (rpm int, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rpm, f.known
}

// Close lets the fan go, at full speed.
func (f *Fan) Close() error {
	f.once.Do(func() { close(f.quit) })
	<-f.done
	return nil
}

// run owns the channel and the tachometer.
func (f *Fan) run() {
	defer close(f.done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	if f.c.Tach != nil {
		f.edges = f.c.Tach.Count()
	}
	f.looked, f.since = time.Now(), time.Now()
	f.drive()
	for {
		select {
		case <-f.quit:
			f.set(unit.HundredPercent) // nobody is left who could be told of an error
			return
		case <-f.wake:
		case <-tick.C:
			f.look()
		}
		f.drive()
	}
}

// drive tells the channel what the fan shall do; one that is stuck gets all there is.
func (f *Fan) drive() {
	f.mu.Lock()
	level := f.level
	f.mu.Unlock()
	if level == 0 {
		f.stuck = false
	}
	if f.stuck {
		level = unit.HundredPercent
	}
	var err error
	if level != f.driven {
		if f.driven <= 0 && level > 0 {
			f.since = time.Now()
		}
		if err = f.set(level); err == nil {
			f.driven = level
		} else {
			f.driven = -1
		}
	}
	f.tell(err)
}

func (f *Fan) set(level unit.Percent) error {
	on := f.c.Period * time.Duration(level) / time.Duration(unit.HundredPercent)
	if f.c.Inverted {
		on = f.c.Period - on
	}
	return f.c.PWM.Set(f.c.Period, on)
}

// look counts the turns since the last look.
func (f *Fan) look() {
	if f.c.Tach == nil {
		return
	}
	now, edges := time.Now(), f.c.Tach.Count()
	turned, took := edges-f.edges, now.Sub(f.looked)
	f.edges, f.looked = edges, now
	if took <= 0 {
		return
	}
	// Each pulse is two edges.
	rpm := int(int64(turned) * int64(time.Minute) / (2 * int64(f.c.Pulses) * int64(took)))
	f.mu.Lock()
	f.rpm, f.known = rpm, rpm <= maxRPM
	f.mu.Unlock()
	switch {
	case rpm >= f.c.Slow:
		f.stuck = false
	case f.driven > 0 && now.Sub(f.since) >= spinUp:
		f.stuck = true
	}
}

// tell passes on what is wrong, once, and that it is over.
func (f *Fan) tell(err error) {
	if err == nil && f.stuck {
		err = ErrStuck
	}
	if (err == nil) == (f.failing == nil) {
		return
	}
	f.failing = err
	if f.c.Notify == nil {
		return
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.c.Name, err)
	}
	f.c.Notify(err)
}
