package light

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// ErrBadValue is what an indication, a signal or a level that does not exist is told.
var ErrBadValue = errors.New("no such value")

// Lamp is what lights up. It is used by one goroutine.
type Lamp interface {
	Set(Color) error
	Close() error
}

// Options is how a light is driven.
type Options struct {
	Name     string    // for errors: "light of EVSE 1"
	Patterns *Patterns // nil: Default

	// Notify hears once that the lamp does not work (err), and once that it works again (nil). It may be nil, is called
	// by the light's goroutine, and must not wait.
	Notify func(err error)
}

// retryEvery is how long a lamp that does not work is left alone.
const retryEvery = 5 * time.Second

// Light is a hal.Indicator.
type Light struct {
	o    Options
	lamp Lamp
	wake chan struct{}
	quit chan struct{}
	done chan struct{}
	once sync.Once
	err  error // of Close

	mu sync.Mutex // guards want
	want
}

// want is what a light has been told.
type want struct {
	shows  hal.Indication
	since  time.Time // of shows
	level  unit.Percent
	signal hal.Signal
	times  int
	began  time.Time // of signal
}

// New makes a light of a lamp, which belongs to it from then on. It is off, and as bright as it can be.
func New(l Lamp, o Options) (*Light, error) {
	if o.Patterns == nil {
		o.Patterns = &Default
	}
	if err := o.Patterns.Check(); err != nil {
		return nil, err
	}
	t := &Light{o: o, lamp: l, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	t.want = want{level: unit.HundredPercent, since: time.Now()}
	go t.run()
	return t, nil
}

// Show shows an indication from now on, behind a signal that is being blinked.
func (t *Light) Show(in hal.Indication) error {
	if in > hal.IndicateFaulted {
		return fmt.Errorf("show %s: %w", in, ErrBadValue)
	}
	t.change(func(w *want) {
		if w.shows != in {
			w.shows, w.since = in, time.Now()
		}
	})
	return nil
}

// Blink blinks a signal so many times and then shows the indication again.
func (t *Light) Blink(sig hal.Signal, times int) error {
	if sig < hal.SignalAccepted || sig > hal.SignalRefused || times < 1 {
		return fmt.Errorf("blink %s %d times: %w", sig, times, ErrBadValue)
	}
	t.change(func(w *want) { w.signal, w.times, w.began = sig, times, time.Now() })
	return nil
}

// Dim sets how bright the light is. A lamp that knows only on and off is on at any level above 0.
func (t *Light) Dim(level unit.Percent) error {
	if level < 0 || level > unit.HundredPercent {
		return fmt.Errorf("dim to %s: %w", level, ErrBadValue)
	}
	t.change(func(w *want) { w.level = level })
	return nil
}

// Close switches the lamp off and lets it go.
func (t *Light) Close() error {
	t.once.Do(func() { close(t.quit) })
	<-t.done
	return t.err
}

func (t *Light) change(f func(*want)) {
	t.mu.Lock()
	f(&t.want)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run owns the lamp.
func (t *Light) run() {
	defer close(t.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var d driven
	for {
		select {
		case <-t.quit:
			t.err = errors.Join(t.lamp.Set(dark), t.lamp.Close())
			return
		case <-t.wake:
		case <-timer.C:
		}
		t.mu.Lock()
		color, left := t.want.look(time.Now(), t.o.Patterns)
		t.mu.Unlock()
		if t.drive(&d, color); d.failed && (left == 0 || left > retryEvery) {
			left = retryEvery
		}
		if timer.Stop(); left > 0 {
			timer.Reset(left)
		}
	}
}

// driven is what the lamp was last told.
type driven struct {
	color  Color
	known  bool // the lamp shows color
	failed bool
	next   time.Time // when a lamp that failed is tried again
}

// drive sets the lamp, if it does not show that color.
func (t *Light) drive(d *driven, c Color) {
	now := time.Now()
	if d.known && d.color == c || d.failed && now.Before(d.next) {
		return
	}
	err := t.lamp.Set(c)
	d.color, d.known, d.next = c, err == nil, now.Add(retryEvery)
	if failed := err != nil; failed != d.failed {
		d.failed = failed
		if failed {
			err = fmt.Errorf("%s: %w", t.o.Name, err)
		}
		if t.o.Notify != nil {
			t.o.Notify(err)
		}
	}
}

// look is what the lamp looks like at t, and for how much longer; 0: until something changes.
func (w *want) look(t time.Time, p *Patterns) (Color, time.Duration) {
	steps, began := p.Indications[w.shows], w.since
	end := time.Duration(-1)
	if w.times > 0 {
		blink := p.Signals[w.signal]
		if gone := t.Sub(w.began); gone/blink.length() < time.Duration(w.times) {
			steps, began = blink, w.began
			end = blink.length() - gone%blink.length()
		}
	}
	c, left := steps.at(t.Sub(began))
	if end >= 0 && left > end {
		left = end
	}
	return c.dim(w.level), left
}

// dim makes a color darker, and dark only at 0.
func (c Color) dim(level unit.Percent) Color {
	part := func(x uint8) uint8 {
		if x == 0 || level == 0 {
			return 0
		}
		return uint8(max(1, (int64(x)*int64(level)+int64(unit.HundredPercent)/2)/int64(unit.HundredPercent)))
	}
	return Color{part(c.R), part(c.G), part(c.B)}
}
