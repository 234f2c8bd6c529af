package uml

import (
	"sync"
	"time"
)

// Lines of board.yaml.
var boardLines = []string{"MAIN_DRIVE", "MAIN_SENSE", "RCM_OK", "LOCK_A", "LOCK_B", "LOCKED", "ESTOP_OK", "GRID_OK", "CP_HIGH_RST", "CP_LOW_RST"}

// vehicle is what is plugged in.
type vehicle struct {
	level   int  // mV that its resistors make of 12 V: 12000 nothing, 9000 B, 6000 C
	cable   int  // ohms in the plug; 0: no plug
	noDiode bool // its diode is broken: the negative half sees its resistors, too
}

// Vehicles.
var (
	nobody = vehicle{level: 12000}
	inB    = vehicle{level: 9000, cable: 220}
	inC    = vehicle{level: 6000, cable: 220}
)

// Times of the simulated mechanics.
const (
	tick       = time.Millisecond
	contactor  = 15 * time.Millisecond
	lockTravel = 40 * time.Millisecond
)

// wires are what hangs at the board's lines and chips: vehicle, contactor, lock. One goroutine moves them.
type wires struct {
	lines *simulated
	bus   *bus

	mu     sync.Mutex // all below
	v      vehicle
	welded bool
	frozen bool // the converters show what they showed last
	stuck  bool // the lock does not move
	closed bool
}

// newWires makes the lines and starts the mechanics.
func newWires() (*wires, error) {
	if err := withChips(); err != nil {
		return nil, err
	}
	lines, err := newSimulated("board", boardLines...)
	if err != nil {
		return nil, err
	}
	b, err := openBus()
	if err != nil {
		return nil, err
	}
	w := &wires{lines: lines, bus: b, v: nobody}
	for _, name := range []string{"RCM_OK", "ESTOP_OK", "GRID_OK", "LOCKED", "MAIN_SENSE"} {
		lines.pull(name, true)
	}
	b.setWord(addrThermo, lm75Temp, 25<<8)
	go w.run()
	return w, nil
}

func (w *wires) run() {
	t := time.NewTicker(tick)
	defer t.Stop()
	var since, turning time.Time
	coil, locked, ripple := false, false, 0
	for now := range t.C { // as long as the kernel lives
		w.mu.Lock()
		w.measure(ripple)
		ripple = (ripple + 7) % 23
		if on := w.lines.high("MAIN_DRIVE"); on != coil {
			coil, since = on, now
		}
		if (coil || w.welded && w.closed) != w.closed && now.Sub(since) >= contactor {
			w.closed = coil || w.welded && w.closed
			w.lines.pull("MAIN_SENSE", !w.closed)
		}
		a, b := w.lines.high("LOCK_A"), w.lines.high("LOCK_B")
		if a == b || a == locked || w.stuck {
			turning = now
		} else if now.Sub(turning) >= lockTravel {
			locked = a
			w.lines.pull("LOCKED", !locked)
		}
		w.mu.Unlock()
	}
}

// measure lets the converters see the pilot and the proximity contact.
func (w *wires) measure(ripple int) {
	if w.frozen {
		return
	}
	high, low := w.v.level, -12000
	switch w.bus.duty(0) {
	case whole: // steady
		low = high
	case 0:
		high = low
	default:
		if w.v.noDiode {
			low = -w.v.level
		}
	}
	w.bus.setWord(addrPositive, inaShunt, high+ripple)
	w.bus.setWord(addrNegative, inaShunt, low-ripple)
	proximity := 3300
	if w.v.cable > 0 {
		proximity = 3300 * w.v.cable / (w.v.cable + 330)
	}
	w.bus.setWord(addrNegative, inaBus, proximity+ripple%3)
}

// plug puts a vehicle at the wires; they see it when it returns.
func (w *wires) plug(v vehicle) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.v = v
	at := time.Now()
	w.measure(0)
	return at
}

// set changes something else of the mechanics.
func (w *wires) set(do func(*wires)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do(w)
}

// power says whether the contactor is closed, by its contacts.
func (w *wires) power() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// takes says whether the vehicle takes power: its S2 and the contactor are closed.
func (w *wires) takes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed && w.v.level == inC.level
}

// driven says whether the contactor's coil is told to close: the line itself.
func (w *wires) driven() bool { return w.lines.high("MAIN_DRIVE") }
