package modbus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Fault is what a Line can do wrong.
type Fault uint8

// Faults of a line or of a unit on it.
const (
	NoFault      Fault = iota
	Silent             // no answer
	WrongCRC           // one bit of the answer is turned
	HalfFrame          // the answer ends in the middle
	ForeignUnit        // another unit answers
	Noise              // bytes without an end; of the whole line
	Unplugged          // reads and writes fail; of the whole line
	Refusing           // the unit answers DeviceFailure
	Late               // the answer comes after LateBy
	AnswersOther       // the answer carries another function
	Glitch             // a byte of zeros and one of ones stand before the answer, as some transceivers leave them; does no harm
)

// LateBy is by how much an answer is late by the fault Late: more than a bus waits by default.
const LateBy = 700 * time.Millisecond

// ErrPulled is what a line says that is unplugged.
var ErrPulled = errors.New("line is unplugged")

// Line is a serial line in memory with the units of a Server behind it: a Port for NewRTU. Bytes take their time on it,
// by the clock of package time.
type Line struct {
	char time.Duration

	mu       sync.Mutex // guards all below
	server   *Server
	faults   map[uint8]Fault // by unit; 0 is the whole line
	deadline time.Time
	in       []arrival
	changed  chan struct{} // closed and replaced when in, faults or closed change
	closed   bool
}

// arrival is bytes that the client can read from a time on.
type arrival struct {
	at    time.Time
	bytes []byte
}

// NewLine returns a line whose characters take char, with the units of s.
func NewLine(s *Server, char time.Duration) *Line {
	return &Line{char: char, server: s, faults: map[uint8]Fault{}, changed: make(chan struct{})}
}

// Fail gives a unit a fault, or takes it away with NoFault. Unit 0 is the whole line.
func (l *Line) Fail(unit uint8, f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[unit] = f
	l.wake()
}

// fault is the fault of a unit; that of the line comes first.
func (l *Line) fault(unit uint8) Fault {
	if f := l.faults[0]; f != NoFault {
		return f
	}
	return l.faults[unit]
}

func (l *Line) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Char implements Port.
func (l *Line) Char() time.Duration { return l.char }

// SetDeadline implements Port.
func (l *Line) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	return nil
}

// Close implements Port.
func (l *Line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake()
	return nil
}

// Write takes a request; what its unit answers can be read after the time that both take on the line.
func (l *Line) Write(frame []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return 0, io.ErrClosedPipe
	case l.faults[0] == Unplugged:
		return 0, ErrPulled
	}
	unit, pdu, err := ParseRTU(frame)
	if err != nil {
		return 0, fmt.Errorf("line in memory: %w", err)
	}
	answer := l.server.Answer(unit, pdu)
	if answer == nil {
		return len(frame), nil
	}
	if b, late := spoil(l.fault(unit), unit, answer); b != nil {
		on := time.Duration(len(frame)+len(b))*l.char + late
		l.in = append(l.in, arrival{time.Now().Add(on), b})
		l.wake()
	}
	return len(frame), nil
}

// spoil makes the frame of an answer as the fault has it, and how late it comes.
func spoil(f Fault, unit uint8, answer []byte) ([]byte, time.Duration) {
	switch f {
	case Silent, Noise:
		return nil, 0
	case Refusing:
		answer = []byte{answer[0] | refused, byte(DeviceFailure)}
	case ForeignUnit:
		unit++
	case AnswersOther:
		answer = append([]byte{answer[0] ^ 7}, answer[1:]...)
	}
	frame := AppendRTU(nil, unit, answer)
	switch f {
	case WrongCRC:
		frame[len(frame)-3] ^= 0x10
	case HalfFrame:
		frame = frame[:len(frame)/2]
	case Late:
		return frame, LateBy
	case Glitch:
		return append([]byte{0, 0xff}, frame...), 0
	}
	return frame, 0
}

// Read implements Port.
func (l *Line) Read(b []byte) (int, error) {
	for {
		n, wait, changed, err := l.take(b)
		switch {
		case err != nil:
			return 0, err
		case n > 0:
			time.Sleep(time.Until(wait)) // noise takes its time, too
			return n, nil
		}
		pause(wait, changed)
	}
}

// take returns what has arrived, or until when to wait: the zero time is without end.
func (l *Line) take(b []byte) (n int, wait time.Time, changed <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case l.closed:
		return 0, wait, nil, io.ErrClosedPipe
	case l.faults[0] == Unplugged:
		return 0, wait, nil, ErrPulled
	case l.faults[0] == Noise:
		return copy(b, []byte{0x5a, 0xa5}), now.Add(max(2*l.char, time.Millisecond)), nil, nil
	}
	if len(l.in) > 0 && !l.in[0].at.After(now) {
		n = copy(b, l.in[0].bytes)
		if l.in[0].bytes = l.in[0].bytes[n:]; len(l.in[0].bytes) == 0 {
			l.in = l.in[1:]
		}
		return n, wait, nil, nil
	}
	if !l.deadline.IsZero() && !l.deadline.After(now) {
		return 0, wait, nil, os.ErrDeadlineExceeded
	}
	wait = l.deadline
	if len(l.in) > 0 && (wait.IsZero() || l.in[0].at.Before(wait)) {
		wait = l.in[0].at
	}
	return 0, wait, l.changed, nil
}

// pause waits until the time comes or the line changes.
func pause(until time.Time, changed <-chan struct{}) {
	if until.IsZero() {
		<-changed
		return
	}
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	}
}
