package mcusim

import (
	"time"

	"github.com/evsed/evsed/hal/mcu"
)

// wireBuffer bounds what either end has not read: as the buffers of a serial port it loses what comes then.
const wireBuffer = 4096

// Wire is a serial line in memory between a driver, whose mcu.Line it is, and a controller, which moves with every call
// and in Step. One goroutine uses it.
type Wire struct {
	MCU   *MCU
	Clock func() time.Time

	// Down and Up change what goes to the controller and to the agent: bytes may be lost, bent or added. nil: nothing.
	Down, Up func([]byte) []byte

	Pulled bool // the port of the agent is gone: every call fails
	Dead   bool // the controller is held in its reset

	down, up []byte
	last     time.Time
}

// Step moves the controller to the clock's now.
func (w *Wire) Step() {
	if w.Dead {
		w.MCU.Reset(mcu.ResetPin)
		w.down = w.down[:0]
		return
	}
	in := w.down
	said := w.MCU.Step(w.Clock(), in, nil)
	w.down = w.down[:0]
	w.up = deliver(w.up, said, w.Up)
}

func deliver(to, b []byte, change func([]byte) []byte) []byte {
	if change != nil {
		b = change(b)
	}
	return append(to, b[:min(len(b), wireBuffer-len(to))]...)
}

// move steps once for each instant at which somebody looks.
func (w *Wire) move() {
	if now := w.Clock(); now.After(w.last) {
		w.last = now
		w.Step()
	}
}

// Read is the agent's.
func (w *Wire) Read(p []byte) (int, error) {
	w.move()
	if w.Pulled {
		w.up = w.up[:0]
		return 0, errPulled
	}
	n := copy(p, w.up)
	w.up = append(w.up[:0], w.up[n:]...)
	return n, nil
}

// Write is the agent's.
func (w *Wire) Write(p []byte) (int, error) {
	w.move()
	if w.Pulled {
		return 0, errPulled
	}
	w.down = deliver(w.down, append([]byte(nil), p...), w.Down)
	return len(p), nil
}

type wireError string

func (e wireError) Error() string { return string(e) }

const errPulled = wireError("the plug of the line is pulled")
