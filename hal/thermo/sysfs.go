package thermo

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/hal/sysfs"
	"github.com/evsed/evsed/hal/unit"
)

// Times of a Poller.
const (
	Every  = time.Second     // a thermometer is read; one on 1-wire takes most of it
	MaxAge = 5 * time.Second // older than this is an error
	Again  = 5 * time.Second // what cannot be read is opened anew
)

// What a thermometer answers besides what the kernel says.
var (
	ErrStale = errors.New("the thermometer has said nothing for too long")
	errRange = errors.New("no thermometer is so cold or so hot")
)

// Plausible range of a sensor of the kernel's.
const (
	coldest = -60 * unit.Celsius
	hottest = 200 * unit.Celsius
)

// Poller reads thermometers in a goroutine of its own, one after the other, so that a slow bus holds up nobody. Open what is to be
// read, then Start it, and Close it in the end.
type Poller struct {
	Root  string           // "/", or a folder in its place
	Clock func() time.Time // monotonic; nil: time.Now

	all     []*Sysfs
	begin   sync.Once
	finish  sync.Once
	stop    chan struct{}
	stopped chan struct{}
}

// Sysfs is one thermometer of the kernel's.
type Sysfs struct {
	p     *Poller
	name  string
	value *sysfs.Attribute
	retry time.Time // not opened anew before
	// newest is what it said last: milli-degrees in the upper half, and in the lower the age of the reading as seconds of the clock's
	// epoch plus one; 0: nothing yet.
	newest atomic.Uint64
	epoch  time.Time
}

// Open opens a thermometer: hwmon:NAME/temp1, where NAME is the driver's or the hardware's, or w1:28-0000053a6b12. It reads it once,
// so that what is broken shows at once.
func (p *Poller) Open(name string) (*Sysfs, error) {
	a, err := attribute(p.Root, name)
	if err == nil {
		t := &Sysfs{p: p, name: name, value: a, epoch: p.now()}
		if err = t.look(); err == nil {
			p.all = append(p.all, t)
			return t, nil
		}
		a.Close()
	}
	return nil, fmt.Errorf("thermometer %s: %w", name, err)
}

// attribute opens what a name stands for now.
func attribute(root, name string) (*sysfs.Attribute, error) {
	path, err := find(root, name)
	if err != nil {
		return nil, err
	}
	return sysfs.Open(path, false)
}

// again opens a thermometer anew, from time to time: one that was away is another file of the kernel's, whatever its name. It
// allocates, which the guard does not collect at once: that is why it is seldom.
func (t *Sysfs) again() {
	now := t.p.now()
	if now.Before(t.retry) {
		return
	}
	t.retry = now.Add(Again)
	if a, err := attribute(t.p.Root, t.name); err == nil {
		t.value.Close()
		t.value = a
	}
}

// find returns the attribute of a name.
func find(root, name string) (string, error) {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "w1":
		path := filepath.Join(root, "sys/bus/w1/devices", rest, "temperature")
		if strings.Contains(rest, "/") || rest == "" {
			return "", errors.New("want the sensor's number, like w1:28-0000053a6b12")
		}
		if a, err := sysfs.Open(path, false); err == nil {
			a.Close()
		} else {
			there, _ := filepath.Glob(filepath.Join(root, "sys/bus/w1/devices/*-*"))
			for i := range there {
				there[i] = filepath.Base(there[i])
			}
			return "", fmt.Errorf("%w: on the bus there is %q", err, there)
		}
		return path, nil
	case "hwmon":
		device, channel, ok := strings.Cut(rest, "/")
		if !ok || channel == "" || strings.Contains(channel, "/") {
			return "", errors.New("want device and channel, like hwmon:cpu_thermal/temp1")
		}
		d, err := sysfs.Find(filepath.Join(root, "sys/class/hwmon"), "hwmon", device)
		return filepath.Join(d.Path, channel+"_input"), err
	}
	return "", errors.New("want hwmon:NAME/temp1 or w1:28-0000053a6b12")
}

func (p *Poller) now() time.Time {
	if p.Clock == nil {
		return time.Now()
	}
	return p.Clock()
}

// Start begins to read what was opened, if there is anything; what is opened later is not read.
func (p *Poller) Start() {
	if len(p.all) == 0 {
		return
	}
	p.begin.Do(func() {
		p.stop, p.stopped = make(chan struct{}), make(chan struct{})
		ticker := time.NewTicker(Every) // here: what it allocates is not to be seen in a cycle
		go p.run(ticker)
	})
}

func (p *Poller) run(ticker *time.Ticker) {
	defer close(p.stopped)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		for _, t := range p.all {
			if t.look() != nil { // Temperature says it
				t.again()
			}
		}
	}
}

// Close ends the reading.
func (p *Poller) Close() {
	p.finish.Do(func() {
		if p.stop != nil {
			close(p.stop)
			<-p.stopped
		}
		for _, t := range p.all {
			t.value.Close()
		}
	})
}

// look reads the kernel's value. A value is kept until it is too old, for a bus may be busy once.
func (t *Sysfs) look() error {
	v, err := t.value.Read()
	if err == nil && (v < int64(coldest) || v > int64(hottest)) {
		err = errRange
	}
	if err != nil {
		return err
	}
	t.newest.Store(uint64(uint32(v))<<32 | uint64(t.seconds()+1))
	return nil
}

// seconds is the clock's time since the thermometer was opened.
func (t *Sysfs) seconds() uint32 { return uint32(t.p.now().Sub(t.epoch) / time.Second) }

// Temperature returns the newest value.
func (t *Sysfs) Temperature() (unit.Temperature, error) {
	n := t.newest.Load()
	if n == 0 || time.Duration(t.seconds()+1-uint32(n))*time.Second > MaxAge {
		return 0, ErrStale
	}
	return unit.Temperature(int32(n >> 32)), nil
}
