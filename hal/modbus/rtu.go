package modbus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Port is a serial line; *serial.Port is one. Read returns what has come; a deadline that passes is
// os.ErrDeadlineExceeded.
type Port interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	Char() time.Duration // how long one character takes on the line
}

// Times of the serial line (Serial Line V1.02, section 2.5.1.1, and what adapters add to it).
const (
	fastSilence = 1750 * time.Microsecond // between frames above 19200 bit/s; 3.5 characters below
	brokenOff   = 100 * time.Millisecond  // a frame with a pause like this will not go on; USB adapters alone make 16 ms
	turnaround  = 100 * time.Millisecond  // after a broadcast (section 2.4.1)
	neverSilent = 200 * time.Millisecond  // a line that is busy for as long carries no answers
)

// rtu is a serial line.
type rtu struct {
	port  Port
	quiet time.Duration  // between frames
	last  time.Time      // when the line was last heard or used
	owed  map[uint8]debt // by unit
	buf   [2 * maxRTU]byte
}

// NewRTU returns the bus of a serial line and owns the port from now on. name stands in its errors.
func NewRTU(name string, p Port, o Options) *Bus {
	return newBus(name, &rtu{port: p, quiet: silence(p), owed: map[uint8]debt{}}, o)
}

// silence is the pause that separates frames.
func silence(p Port) time.Duration { return max(p.Char()*7/2, fastSilence) }

func (w *rtu) broadcasts(unit uint8) bool { return unit == 0 }

func (w *rtu) interrupt() error { return w.port.Close() }

func (w *rtu) hangUp() {}

func (w *rtu) exchange(r request, p patience) ([]uint16, error) {
	if r.unit > 247 {
		return nil, fmt.Errorf("%w: unit %d: want 1 to 247", ErrRange, r.unit)
	}
	if err := w.settle(r, p.limit); err != nil {
		return nil, err
	}
	frame := AppendRTU(nil, r.unit, r.pdu)
	now := time.Now()
	deadline := p.until(now)
	if err := w.port.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if _, err := w.port.Write(frame); err != nil {
		return nil, noAnswer(err)
	}
	sending := time.Duration(len(frame)) * w.port.Char()
	w.last = now.Add(sending)
	if w.broadcasts(r.unit) {
		w.last = w.last.Add(turnaround)
		return nil, nil
	}
	answering := time.Duration(1+r.answerLength()+2) * w.port.Char()
	values, err := w.listen(r, p.until(w.last.Add(answering)))
	if errors.Is(err, ErrNoAnswer) || errors.Is(err, ErrForeign) || errors.Is(err, ErrAnswer) {
		w.owed[r.unit] = debt{r.pdu, now.Add(patienceForLate * p.timeout)}
	}
	return values, err
}

// patienceForLate is how many timeouts after a request its answer may still come.
const patienceForLate = 2

// debt is a request whose answer has not come and still may: a slow unit answers after its deadline.
type debt struct {
	pdu   []byte
	until time.Time
}

// settle waits until the line has been silent for as long as frames are apart, throwing away what nobody asked for. An
// answer that is owed by the unit of r for another request must not be taken for the answer to r: there is nothing
// in it that tells them apart.
func (w *rtu) settle(r request, limit time.Time) error {
	until := w.last.Add(w.quiet)
	owed := w.owed[r.unit]
	if string(owed.pdu) != string(r.pdu) && owed.until.After(until) {
		until = owed.until
	}
	var noisy, before time.Time // since when bytes come without a pause, and when the last ones came
	for {
		wait := until
		if !limit.IsZero() && limit.Before(until) {
			wait = limit
		}
		if err := w.port.SetDeadline(wait); err != nil {
			return err
		}
		n, err := w.port.Read(w.buf[:])
		now := time.Now()
		switch {
		case n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && wait.Before(until):
			return fmt.Errorf("%w: the line was not free in time", ErrNoAnswer)
		case n == 0 && errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case n == 0:
			return err
		}
		w.last = now
		if quiet := now.Add(w.quiet); quiet.After(until) {
			until = quiet
		}
		if noisy.IsZero() || now.Sub(before) > brokenOff {
			noisy = now
		}
		if before = now; now.Sub(noisy) > neverSilent {
			return ErrNoise
		}
	}
}

// listen reads until the answer of r is there, whole and its own, or the deadline.
func (w *rtu) listen(r request, deadline time.Time) ([]uint16, error) {
	n := 0
	strange := ErrNoAnswer // what came instead
	for {
		frame, more, err := w.frame(&n, deadline)
		if err != nil {
			if errors.Is(err, ErrNoAnswer) {
				err = strange
			}
			return nil, err
		}
		unit, pdu, err := ParseRTU(frame)
		switch {
		case err != nil:
			return nil, err
		case unit != r.unit:
			strange = ErrForeign
		case pdu[0]&^refused != r.function():
			strange = ErrAnswer
		default:
			return r.answer(pdu)
		}
		n = copy(w.buf[:], w.buf[len(frame):more])
	}
}

// frame reads one frame into the buffer, of which n bytes are there, and returns it and where the bytes end.
func (w *rtu) frame(n *int, deadline time.Time) ([]byte, int, error) {
	for {
		length := answerLength(w.buf[:*n])
		if length > 0 && *n >= length {
			return w.buf[:length], *n, nil
		}
		until := deadline
		if gap := w.last.Add(brokenOff); *n > 0 && gap.Before(until) {
			until = gap
		}
		if err := w.port.SetDeadline(until); err != nil {
			return nil, 0, err
		}
		got, err := w.port.Read(w.buf[*n:])
		if got > 0 {
			*n = skip(w.buf[:*n+got])
			w.last = time.Now()
			if *n == len(w.buf) || *n == 0 && w.last.After(deadline) {
				return nil, 0, ErrNoise
			}
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, 0, noAnswer(err)
		}
		switch {
		case *n == 0:
			return nil, 0, ErrNoAnswer
		case length < 0: // a function without a known length ends by silence
			return w.buf[:*n], *n, nil
		}
		return nil, 0, fmt.Errorf("%w: %d bytes", ErrShort, *n)
	}
}

// skip drops what stands before an answer and can be none of it: transceivers that turn leave a byte of zeros or ones on
// the line, and no unit has the address 0 or one above 247. It returns how many bytes are left.
func skip(b []byte) int {
	at := 0
	for at < len(b) && (b[at] == 0 || b[at] > 247) {
		at++
	}
	return copy(b, b[at:])
}

// noAnswer lets a line that takes nothing count as one that brings nothing.
func noAnswer(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}
