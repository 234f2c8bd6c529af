package mcusim

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
)

// Config describes a controller.
type Config struct {
	Firmware   string        // at most 20 bytes are told
	Versions   [2]uint16     // lowest and highest that it speaks; zero: mcu.Version
	Owns       mcu.Functions // 0: what the wires of its connectors allow
	MaxCurrent unit.Current  // that it ever offers, per phase; 0: 32 A
	Fallback   unit.Current  // that it offers on silence if the agent asks for that; 0: it opens, whoever asks
	Silence    time.Duration // the most that it waits for the agent; 0: mcu.MaxSilence
	Connectors []Connector
}

// Connector is what hangs on a controller at one connector. Pilot and Contactor are always there.
type Connector struct {
	hal.Devices
	Ventilation bool                            // state D is supplied
	Contacts    func() (main, extra bool)       // two mirror contacts; nil: one for all lines
	Current     func() (highest unit.Current)   // of the lines; nil: it does not measure
	Stop        func() bool                     // an emergency stop of the whole board; nil: none
	Supply      func() (pilotRail unit.Voltage) // nil: 12 V
}

// MCU is a controller at work. One goroutine calls it.
type MCU struct {
	cfg     Config
	dec     mcu.Decoder
	frame   mcu.Frame
	conns   []connector
	session uint32
	silence time.Duration
	beat    time.Duration
	fall    bool // the agent asked for the fallback
	boot    uint32
	started time.Time
	running bool // it knows when it started
	reset   mcu.ResetReason
	seq     uint8
	next    time.Time // next beat
	out     []byte    // being appended to
	buf     [mcu.MaxPayload]byte
}

const defaultMaxCurrent = 32 * unit.Ampere

// New starts a controller: everything open, no offer.
func New(cfg Config) (*MCU, error) {
	if len(cfg.Connectors) < 1 || len(cfg.Connectors) > mcu.MaxConnectors {
		return nil, fmt.Errorf("controller with %d connectors: 1 to %d", len(cfg.Connectors), mcu.MaxConnectors)
	}
	if cfg.Versions == [2]uint16{} {
		cfg.Versions = [2]uint16{mcu.Version, mcu.Version}
	}
	if cfg.MaxCurrent == 0 {
		cfg.MaxCurrent = defaultMaxCurrent
	}
	if cfg.Silence == 0 {
		cfg.Silence = mcu.MaxSilence
	}
	m := &MCU{cfg: cfg, conns: make([]connector, len(cfg.Connectors))}
	owns := mcu.OwnPilot | mcu.OwnContactor | mcu.OwnExit | mcu.OwnWeld
	for i := range cfg.Connectors {
		w := &cfg.Connectors[i]
		if w.Pilot == nil || w.Contactor == nil {
			return nil, fmt.Errorf("controller: connector %d has no pilot or no contactor", i+1)
		}
		owns |= w.owns()
		m.conns[i].wires = w
	}
	if cfg.Owns == 0 {
		m.cfg.Owns = owns
	}
	m.Reset(mcu.ResetPower)
	return m, nil
}

func (w *Connector) owns() (f mcu.Functions) {
	for _, has := range []struct {
		fitted bool
		is     mcu.Functions
	}{
		{w.Lock != nil, mcu.OwnLock}, {w.Proximity != nil, mcu.OwnProximity}, {w.RCD != nil, mcu.OwnRCD},
		{w.Inputs != nil || w.Stop != nil, mcu.OwnEmergencyStop}, {w.Socket != nil || w.Cable != nil, mcu.OwnTemperature},
		{w.Current != nil, mcu.OwnOverCurrent},
	} {
		if has.fitted {
			f |= has.is
		}
	}
	return f
}

// Reset starts the controller anew, as its reset pin does: it forgets the agent, and everything opens. Locks stay.
func (m *MCU) Reset(why mcu.ResetReason) {
	m.boot++
	m.session, m.reset, m.dec = 0, why, mcu.Decoder{}
	m.running, m.next = false, time.Time{}
	m.silence, m.beat, m.fall = m.cfg.Silence, mcu.DefaultBeat, false
	for i := range m.conns {
		m.conns[i] = connector{wires: m.conns[i].wires}
		m.conns[i].safe()
	}
}

// Flash gives the controller another firmware, of which the lowest and the highest version of the protocol are told, and starts it.
func (m *MCU) Flash(versions [2]uint16) {
	m.cfg.Versions = versions
	m.Reset(mcu.ResetSoftware)
}

// Session is the agent's; 0: none.
func (m *MCU) Session() uint32 { return m.session }

// Latch makes connector n, from 1, tell that a fault is latched, as a measurement would that this controller has not.
func (m *MCU) Latch(n int, f mcu.Faults) { m.conns[n-1].latch(f) }

// Step takes what has come from the agent, looks at the wires, drives them, and appends what it says to out.
func (m *MCU) Step(now time.Time, in, out []byte) []byte {
	if !m.running {
		m.started, m.running, m.next = now, true, now
	}
	m.out = out
	for _, b := range in {
		if m.dec.Feed(b, &m.frame) {
			m.take(now)
		}
	}
	due := !now.Before(m.next)
	if due {
		m.next = now.Add(m.beat)
		m.say(mcu.KindBoard, m.board(now).Append(m.buf[:0]))
	}
	for i := range m.conns {
		c := &m.conns[i]
		c.step(now, m)
		if s, tell := c.status(now, uint8(i+1), m.session, due); tell && m.session != 0 {
			m.say(mcu.KindStatus, s.Append(m.buf[:0]))
		}
	}
	out, m.out = m.out, nil
	return out
}

func (m *MCU) say(kind uint8, payload []byte) {
	m.seq++
	m.out = mcu.AppendFrame(m.out, kind, m.seq, payload)
}

// take applies a frame of the agent. What it does not know says nothing.
func (m *MCU) take(now time.Time) {
	switch m.frame.Type {
	case mcu.KindBegin:
		var b mcu.Begin
		if b.Parse(m.frame.Payload) == nil {
			m.begin(now, &b)
		}
	case mcu.KindPermit:
		var p mcu.Permit
		if p.Parse(m.frame.Payload) == nil && p.Session == m.session && int(p.Connector) <= len(m.conns) {
			m.conns[p.Connector-1].permit(now, &p, m.frame.Seq)
		}
	}
}

// begin answers the begin of a session. The same one again is answered again and changes nothing: the answer was lost.
func (m *MCU) begin(now time.Time, b *mcu.Begin) {
	h := mcu.Hello{Lowest: m.cfg.Versions[0], Highest: m.cfg.Versions[1], Session: b.Session}
	if v := min(b.Highest, h.Highest); v >= b.Lowest && v >= h.Lowest {
		h.Version = v
	}
	if h.Version != 0 {
		if b.Session != m.session {
			m.adopt(now, b)
		}
		h.Boot, h.Reset, h.Owns, h.Connectors = m.boot, m.reset, m.cfg.Owns, uint8(len(m.conns))
		h.Silence, h.MaxCurrent, h.Phases = uint16(m.silence/time.Millisecond), deci(m.cfg.MaxCurrent), 3
		if m.fall {
			h.Fallback = deci(m.cfg.Fallback)
		}
		copy(h.Firmware[:], m.cfg.Firmware)
	}
	m.say(mcu.KindHello, h.Append(m.buf[:0]))
}

func deci(c unit.Current) uint16 { return uint16(c / (unit.Ampere / 10)) }

// adopt is a new agent: what the one before permitted counts no longer.
func (m *MCU) adopt(now time.Time, b *mcu.Begin) {
	m.session = b.Session
	m.silence = min(m.cfg.Silence, time.Duration(b.Silence)*time.Millisecond)
	m.beat = max(time.Duration(b.Beat)*time.Millisecond, mcu.MinBeat)
	m.fall = b.Fallback && m.cfg.Fallback > 0
	m.next = now
	for i := range m.conns {
		m.conns[i].forget(now)
	}
}

func (m *MCU) board(now time.Time) *mcu.Board {
	b := mcu.Board{Session: m.session, Boot: m.boot, Uptime: uint32(now.Sub(m.started) / time.Second), Reset: m.reset, Supply: 12000,
		Temperature: mcu.NoTemperature, BadFrames: uint16(m.dec.Bad)}
	for i := range m.conns {
		w := m.conns[i].wires
		b.EmergencyStop = b.EmergencyStop || w.Stop != nil && w.Stop()
		if w.Supply != nil {
			b.Supply = uint16(w.Supply() / unit.Millivolt)
		}
	}
	return &b
}
