package mcu

import (
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// Line is the way to a controller. Neither method waits.
type Line interface {
	Read(p []byte) (int, error)  // 0, nil: nothing has come
	Write(p []byte) (int, error) // as much as fits now, perhaps 0
}

// What the devices of a controller answer while it cannot be trusted.
const (
	ErrSilent     = hal.AilSilent
	ErrGarbled    = hal.AilGarbled
	ErrReset      = hal.AilReset
	ErrLine       = hal.AilLine
	ErrVersion    = hal.AilVersion
	ErrFunctions  = hal.AilFunctions
	ErrConnectors = hal.AilConnectors
	ErrSilence    = hal.AilPatience
	ErrContradict = hal.AilContradicts
	ErrDeaf       = hal.AilDeaf
)

// Figures are what a driver can say of its line.
type Figures struct {
	Good, Bad uint32 // frames, and stretches that were none
	Foreign   uint32 // whole frames that say nothing of this version or session
	Sessions  uint32 // that were begun
	Losses    uint32 // times that the controller was lost
}

const (
	pollLeast = 500 * time.Microsecond // the methods of one cycle share one look at the line
	readSize  = 256
	garbled   = 2 // broken frames since the last whole one of its kind that are no accident
	readLimit = 8 // reads of one look: a line that is flooded must not hold up the cycle
)

// MCU is the driver of one safety controller.
type MCU struct {
	spec    Spec
	line    Line
	clock   func() time.Time
	dec     Decoder
	frame   Frame
	in      [readSize]byte
	out     [MaxFrameSize]byte
	pending []byte // of out: what the line has not taken yet
	payload [MaxPayload]byte

	session uint32
	bad     uint32 // dec.Bad at the last whole frame
	agreed  bool   // the controller has answered in this session and is what the board expects
	why     error  // while it is not agreed
	hello   Hello
	board   Board
	seq     uint8
	beat    time.Time // the next
	looked  time.Time
	conns   [MaxConnectors]Connector
	figures Figures
}

// New makes a driver over a line that is open. clock is monotonic. It says the first Begin at once and waits for nothing:
// until the controller has answered, its devices answer ErrSilent.
func New(spec Spec, line Line, clock func() time.Time) (*MCU, error) {
	spec, err := spec.normal()
	if err != nil {
		return nil, err
	}
	now := clock()
	m := &MCU{spec: spec, line: line, clock: clock, session: firstSession(now), why: ErrSilent, beat: now}
	for i := range m.conns {
		m.conns[i] = Connector{m: m, number: uint8(i + 1), duty: unit.DutyHigh}
	}
	m.look()
	return m, nil
}

// firstSession is another number after each start of this end: what an earlier one permitted must not count.
func firstSession(now time.Time) uint32 {
	n := now.UnixNano()
	return max(uint32(n^n>>32), 1)
}

// Connector returns the devices of connector n, from 1. All calls for one n return the same.
func (m *MCU) Connector(n int) (*Connector, error) {
	if n < 1 || n > int(m.spec.Connectors) {
		return nil, fmt.Errorf("mcu %s has no connector %d: the board says 1 to %d", m.spec.Port, n, m.spec.Connectors)
	}
	return &m.conns[n-1], nil
}

// Err says why the controller cannot be used; nil: it can.
func (m *MCU) Err() error {
	m.look()
	if !m.agreed {
		return fmt.Errorf("mcu %s: %w", m.spec.Port, m.excuse())
	}
	return nil
}

// silence is what it is called that nothing whole comes, where so many frames had been broken before.
func (m *MCU) silence(bad uint32) error {
	if m.dec.Bad-bad >= garbled {
		return ErrGarbled
	}
	return ErrSilent
}

// excuse says why the controller is not agreed.
func (m *MCU) excuse() error {
	if m.why == ErrSilent {
		return m.silence(m.bad)
	}
	return m.why
}

// Hello is what the controller said of itself last, and Board its newest state; zero before it did.
func (m *MCU) Hello() (Hello, Board) { return m.hello, m.board }

// Figures counts what went over the line.
func (m *MCU) Figures() Figures {
	f := m.figures
	f.Good, f.Bad = m.dec.Good, m.dec.Bad
	return f
}

// look reads what has come, says what is due, and notices silence.
func (m *MCU) look() {
	now := m.clock()
	if now.Sub(m.looked) < pollLeast && !m.looked.IsZero() {
		return
	}
	m.looked = now
	m.receive(now)
	if m.agreed {
		for i := range m.active() {
			if c := &m.conns[i]; now.Sub(c.heard) > m.spec.Silence {
				c.fail(m.silence(c.bad))
			}
		}
	}
	due := !now.Before(m.beat)
	if due {
		m.beat = now.Add(m.spec.Beat)
		if !m.agreed {
			m.open()
		}
	}
	m.permit(due)
}

func (m *MCU) active() []Connector { return m.conns[:m.spec.Connectors] }

// receive takes what waits on the line.
func (m *MCU) receive(now time.Time) {
	for range readLimit {
		n, err := m.line.Read(m.in[:])
		if err != nil {
			m.lose(ErrLine)
			return
		}
		for _, b := range m.in[:n] {
			if !m.dec.Feed(b, &m.frame) {
				continue
			}
			m.bad = m.dec.Bad
			if !m.take(now) {
				m.figures.Foreign++
			}
		}
		if n < len(m.in) {
			return
		}
	}
}

// take applies one frame; false: it says nothing here.
func (m *MCU) take(now time.Time) bool {
	switch m.frame.Type {
	case KindHello:
		var h Hello
		return h.Parse(m.frame.Payload) == nil && m.meet(now, &h)
	case KindBoard:
		var b Board
		if b.Parse(m.frame.Payload) != nil {
			return false
		}
		m.board = b
		return m.belongs(b.Session) || b.Session == 0
	case KindStatus:
		var s Status
		if s.Parse(m.frame.Payload) != nil || s.Connector < 1 || s.Connector > m.spec.Connectors || !m.belongs(s.Session) {
			return false
		}
		m.conns[s.Connector-1].take(now, &s)
		return true
	}
	return false
}

// belongs reports whether a frame is of this session. One of another is of a controller that has forgotten this end.
func (m *MCU) belongs(session uint32) bool {
	if session == m.session {
		return m.agreed
	}
	if m.agreed {
		m.lose(ErrReset)
	}
	return false
}

// meet judges the answer to a Begin.
func (m *MCU) meet(now time.Time, h *Hello) bool {
	if h.Session != m.session {
		return false
	}
	m.hello = *h
	err := m.judge(h)
	if err != nil {
		m.agreed, m.why = false, err
		return true
	}
	if !m.agreed {
		m.agreed, m.why = true, nil
		m.figures.Sessions++
		for i := range m.active() {
			m.conns[i].begin(now)
		}
	}
	return true
}

func (m *MCU) judge(h *Hello) error {
	switch {
	case h.Version != Version:
		return ErrVersion
	case m.spec.Owns&^h.Owns != 0:
		return ErrFunctions
	case h.Connectors < m.spec.Connectors:
		return ErrConnectors
	case time.Duration(h.Silence)*time.Millisecond > m.spec.Silence || h.Silence == 0:
		return ErrSilence
	}
	return nil
}

// lose ends the session: nothing that was permitted counts any longer, at either end.
func (m *MCU) lose(why error) {
	if m.agreed {
		m.figures.Losses++
		m.session = max(m.session+1, 1)
		for i := range m.active() {
			m.conns[i].fail(why)
		}
	}
	m.agreed, m.why = false, why
}

// open says who this end is.
func (m *MCU) open() {
	o := Begin{Lowest: Version, Highest: Version, Session: m.session, Beat: uint16(m.spec.Beat / time.Millisecond),
		Silence: uint16(m.spec.Silence / time.Millisecond), Fallback: m.spec.Fallback, Connectors: m.spec.Connectors, Owns: m.spec.Owns}
	m.send(KindBegin, o.Append(m.payload[:0]))
}

// permit says the permits that have changed, or all of them if they are due.
func (m *MCU) permit(due bool) {
	if !m.agreed {
		m.flush()
		return
	}
	for i := range m.active() {
		c := &m.conns[i]
		c.owed = c.owed || due
		if !c.owed {
			continue
		}
		p := c.level()
		c.owed = !m.send(KindPermit, p.Append(m.payload[:0]))
	}
}

// send gives a frame to the line and reports whether it went; while the line holds a part of the one before, none goes:
// what is said later then is newer.
func (m *MCU) send(kind uint8, payload []byte) bool {
	if !m.flush() {
		return false
	}
	m.seq++
	m.pending = AppendFrame(m.out[:0], kind, m.seq, payload)
	m.flush()
	return true
}

// flush writes the rest of a frame and reports whether nothing is left of it.
func (m *MCU) flush() bool {
	if len(m.pending) == 0 {
		return true
	}
	n, err := m.line.Write(m.pending)
	if err != nil {
		m.pending = nil
		m.lose(ErrLine)
		return false
	}
	m.pending = m.pending[n:]
	return len(m.pending) == 0
}

// Settle gives the controller time to answer before the first cycle, so that a start is no fault. It returns what Err
// says then, and names the functions that are missing.
func (m *MCU) Settle(limit time.Duration) error {
	for range max(limit/settleStep, 1) {
		m.look()
		if m.agreed && m.settled() {
			return nil
		}
		time.Sleep(settleStep)
	}
	err := m.Err()
	if errors.Is(err, ErrFunctions) {
		err = fmt.Errorf("%w: %v: want them in its hello, or other owners in the board file", err, m.spec.Owns&^m.hello.Owns)
	}
	return err
}

const settleStep = time.Millisecond

func (m *MCU) settled() bool {
	for i := range m.active() {
		if !m.conns[i].known {
			return false
		}
	}
	return true
}

// Descriptor is what a loop can wait for besides its timetable: readable when the controller has said something. It is
// -1 while there is none.
func (m *MCU) Descriptor() int {
	if d, ok := m.line.(interface{ Descriptor() int }); ok {
		return d.Descriptor()
	}
	return -1
}
