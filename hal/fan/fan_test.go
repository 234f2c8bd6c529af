package fan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// rotor is a fan: its tachometer pulses at a speed that follows its input, unless it is held.
type rotor struct {
	mu    sync.Mutex
	on    time.Duration
	held  bool
	err   error
	edges float64
	at    time.Time
	told  []string
}

const fullSpeed = 3000

func (r *rotor) Set(period, on time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.told = append(r.told, fmt.Sprint(on, "/", period))
	if r.err == nil {
		r.on = on
	}
	return r.err
}

func (r *rotor) turn() {
	if !r.held {
		r.edges += time.Since(r.at).Minutes() * fullSpeed * 4 * float64(r.on) / float64(defaultPeriod)
	}
	r.at = time.Now()
}

func (r *rotor) Count() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	return uint32(int64(r.edges) + 4294967000) // it runs over soon
}

func (r *rotor) hold(held bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.held, r.err = held, err
}

// drove is what the input was told since it was last asked.
func (r *rotor) drove() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.told, " ")
	r.told = nil
	return s
}

func play(t *testing.T, change func(*Config), f func(t *testing.T, r *rotor, fan *Fan, told *notes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rotor{at: time.Now()}
		var told notes
		c := Config{Name: "fan inlet", PWM: r, Tach: r, Notify: told.add}
		if change != nil {
			change(&c)
		}
		fan, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		f(t, r, fan, &told)
		fan.Close()
	})
}

func TestFanTurnsAsFastAsItIsTold(t *testing.T) {
	play(t, nil, func(t *testing.T, r *rotor, fan *Fan, told *notes) {
		if got := r.drove(); got != "40µs/40µs" {
			t.Errorf("at first: %s", got)
		}
		for _, c := range []struct {
			level unit.Percent
			drove string
			rpm   int
		}{
			{50 * unit.OnePercent, "20µs/40µs", 1500},
			{5 * unit.OnePercent, "8µs/40µs", 600}, // what it needs to turn
			{0, "0s/40µs", 0},
			{unit.HundredPercent, "40µs/40µs", 3000},
		} {
			if err := fan.Set(c.level); err != nil {
				t.Fatal(err)
			}
			if got := r.drove(); got != c.drove {
				t.Errorf("%v: %s, want %s", c.level, got, c.drove)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if rpm, known := fan.Speed(); !known || rpm < c.rpm-5 || rpm > c.rpm+5 {
				t.Errorf("%v: %d turns a minute (%v), want %d", c.level, rpm, known, c.rpm)
			}
		}
		if told := told.list(); len(told) != 0 {
			t.Errorf("told %v", told)
		}
		if fan.Set(-1) == nil || fan.Set(unit.HundredPercent+1) == nil {
			t.Error("any speed is fine")
		}
		fan.Set(30 * unit.OnePercent)
		r.drove()
		fan.Close()
		if got := r.drove(); got != "40µs/40µs" {
			t.Errorf("closed: %s", got)
		}
	})
}

func TestStuckFanIsToldOnceAndGetsAllThereIs(t *testing.T) {
	play(t, nil, func(t *testing.T, r *rotor, fan *Fan, told *notes) {
		fan.Set(30 * unit.OnePercent)
		time.Sleep(time.Minute)
		r.drove()
		r.hold(true, nil)
		time.Sleep(time.Minute)
		if got, told := r.drove(), told.list(); got != "40µs/40µs" || len(told) != 1 || !errors.Is(told[0], ErrStuck) {
			t.Errorf("held: %s, told %v", got, told)
		}
		r.hold(false, nil)
		time.Sleep(time.Minute)
		if got, told := r.drove(), told.list(); got != "12µs/40µs" || len(told) != 2 || told[1] != nil {
			t.Errorf("free again: %s, told %v", got, told)
		}
		r.hold(true, nil)
		time.Sleep(time.Minute)
		fan.Set(0) // one that need not turn is not stuck
		time.Sleep(time.Minute)
		if told := told.list(); len(told) != 4 || told[3] != nil {
			t.Errorf("told %v", told)
		}
	})
}

func TestFanIsGivenTimeToStart(t *testing.T) {
	play(t, nil, func(t *testing.T, r *rotor, fan *Fan, told *notes) {
		fan.Set(0)
		time.Sleep(time.Minute)
		r.hold(true, nil)
		fan.Set(50 * unit.OnePercent)
		time.Sleep(4 * time.Second)
		r.hold(false, nil)
		time.Sleep(time.Minute)
		if told := told.list(); len(told) != 0 {
			t.Errorf("told %v", told)
		}
	})
}

func TestChannelThatFailsIsTriedAgain(t *testing.T) {
	play(t, func(c *Config) { c.Tach, c.Inverted = nil, true }, func(t *testing.T, r *rotor, fan *Fan, told *notes) {
		if got := r.drove(); got != "0s/40µs" {
			t.Errorf("inverted: %s", got)
		}
		gone := errors.New("no such device")
		r.hold(false, gone)
		fan.Set(30 * unit.OnePercent)
		time.Sleep(time.Minute)
		if told := told.list(); len(told) != 1 || !errors.Is(told[0], gone) {
			t.Errorf("told %v", told)
		}
		r.drove()
		r.hold(false, nil)
		time.Sleep(time.Minute)
		if got, told := r.drove(), told.list(); got != "28µs/40µs" || len(told) != 2 || told[1] != nil {
			t.Errorf("%s, told %v", got, told)
		}
		if _, known := fan.Speed(); known {
			t.Error("a speed that nobody measures is known")
		}
	})
}

func TestConfigRefusesWhatCannotBe(t *testing.T) {
	for _, c := range []Config{{}, {PWM: &rotor{}, Pulses: -1}, {PWM: &rotor{}, Least: unit.HundredPercent + 1}, {PWM: &rotor{}, Slow: maxRPM + 1}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// notes is what was told of a device.
type notes struct {
	mu  sync.Mutex // guards all
	all []error
}

func (n *notes) add(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, err)
}

// list waits until everybody else does, and returns what was told until then.
func (n *notes) list() []error {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}
