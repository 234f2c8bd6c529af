package rectifier

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/unit"
)

// Sim is one virtual module on a bus in memory: its output follows what it is told, into a load that a test sets.
type Sim struct {
	address uint8
	now     func() time.Time

	mu      sync.Mutex // everything below
	on      bool
	voltage unit.Voltage // told
	current unit.Current
	output  unit.Voltage
	heard   time.Time // any frame to it
	moved   time.Time
	load    func(unit.Voltage) unit.Current
	outside unit.Voltage // of another source at the output: a battery
	mute    bool
	alarms  Alarms
	refuse  uint8
}

// What the virtual module is: 30 kW, 150 V to 1000 V, 100 A.
const (
	simMaxVoltage = 1000
	simMinVoltage = 150
	simMaxCurrent = 1000 // 0.1 A
	simPower      = 3000 // 10 W
	simSlope      = 500  // V/s
)

// NewSim puts a module with an address on a bus. now is its clock.
func NewSim(bus *can.Memory, address uint8, now func() time.Time) *Sim {
	s := &Sim{address: address, now: now, load: func(unit.Voltage) unit.Current { return 0 }}
	bus.Attach(s.hear)
	return s
}

// Load is what draws current at a voltage.
func (s *Sim) Load(draws func(unit.Voltage) unit.Current) { s.change(func() { s.load = draws }) }

// Outside is the voltage of a battery at the output; 0: none.
func (s *Sim) Outside(v unit.Voltage) { s.change(func() { s.outside = v }) }

// Mute cuts the module's voice: it hears and does, and says nothing.
func (s *Sim) Mute(on bool) { s.change(func() { s.mute = on }) }

// Raise sets the module's alarms.
func (s *Sim) Raise(a Alarms) { s.change(func() { s.alarms = a }) }

// Refuse makes it refuse what it is told with a code; 0: it obeys.
func (s *Sim) Refuse(code uint8) { s.change(func() { s.refuse = code }) }

func (s *Sim) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move()
	do()
}

// Now is what stands at the output.
func (s *Sim) Now() (on bool, v unit.Voltage, c unit.Current) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move()
	return s.on, s.output, s.flows()
}

// move lets the output follow, and stops a module that has heard nothing for too long.
func (s *Sim) move() {
	now := s.now()
	if s.moved.IsZero() {
		s.moved, s.heard = now, now
	}
	if s.on && (now.Sub(s.heard) > DefaultStopOnSilence || s.alarms.Stops()) {
		s.on = false
	}
	want := unit.Voltage(0)
	if s.on {
		want = s.voltage
	}
	reach := unit.Voltage(int64(simSlope) * int64(unit.Volt) * int64(min(now.Sub(s.moved), time.Minute)) / int64(time.Second))
	if s.output < want {
		s.output = min(s.output+reach, want)
	} else {
		s.output = max(s.output-reach, want)
	}
	s.moved = now
}

func (s *Sim) flows() unit.Current {
	if !s.on {
		return 0
	}
	return min(s.load(s.output), s.current)
}

// hear takes a frame and answers.
func (s *Sim) hear(f can.Frame) []can.Frame {
	h := parseHeader(f.ID)
	if !f.Extended || h.device != oneModule || h.from != controller || h.to != s.address && h.to != everybody {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move()
	s.heard = s.now()
	d, known := s.obey(&h, f.Data)
	if s.mute || h.to == everybody {
		return nil
	}
	answer := can.New(header{device: oneModule, command: h.command, to: controller, from: s.address}.id(), d[:]...)
	if !known {
		answer.ID |= refusedCommand << 26
	}
	if s.refuse != 0 && (h.command == cmdSet || h.command == cmdSwitch) {
		answer.ID |= uint32(s.refuse) << 26
	}
	return []can.Frame{answer}
}

func (s *Sim) obey(h *header, in [8]byte) (d [8]byte, known bool) {
	b := binary.BigEndian
	switch h.command {
	case cmdOutput:
		b.PutUint32(d[:], math.Float32bits(float32(s.output)/1000))
		b.PutUint32(d[4:], math.Float32bits(float32(s.flows())/1000))
	case cmdState:
		a := s.alarms
		if !s.on {
			a |= DCOff
		}
		d[4], d[5], d[6], d[7] = 27, byte(a>>16), byte(a>>8), byte(a)
	case cmdCapabilities:
		b.PutUint16(d[:], simMaxVoltage)
		b.PutUint16(d[2:], simMinVoltage)
		b.PutUint16(d[4:], simMaxCurrent)
		b.PutUint16(d[6:], simPower)
	case cmdBehindDiode:
		b.PutUint16(d[:], uint16(max(s.output, s.outside)/(unit.Volt/10)))
		b.PutUint16(d[2:], simMaxCurrent)
	case cmdSwitch:
		if d = in; s.refuse == 0 {
			s.on = in[0] == 0 && !s.alarms.Stops()
		}
	case cmdSet:
		if d = in; s.refuse == 0 {
			s.voltage, s.current = unit.Voltage(b.Uint32(in[:])), unit.Current(b.Uint32(in[4:]))
		}
	default:
		return d, false
	}
	return d, true
}
