package meter

import (
	"sync"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
)

// Slave is a virtual meter of a model: a modbus.Unit that shows what it is given. Registers that the model does not
// name do not exist in it.
type Slave struct {
	model *Model
	base  uint16

	mu     sync.Mutex // guards memory
	memory modbus.Memory
}

var _ modbus.Unit = (*Slave)(nil)

// NewSlave returns a virtual meter that shows zeros.
func NewSlave(m *Model) *Slave {
	s := &Slave{model: m, memory: modbus.Memory{}}
	if m.sunspec != 0 {
		s.layOut()
	}
	s.Set(hal.MeterReading{})
	return s
}

// Length of the SunSpec common model, and what the length of another must cover at least.
const (
	sunsCommon       = 1
	sunsCommonLength = 66
)

// layOut writes the chain of SunSpec models: the common one, that of the meter, and the end.
func (s *Slave) layOut() {
	length := uint16(0)
	for _, b := range s.model.blocks {
		length = max(length, b.address+b.count)
	}
	at := sunsBases[0]
	s.memory.Set(modbus.Holding, at, sunsHigh, sunsLow, sunsCommon, sunsCommonLength)
	s.memory.Set(modbus.Holding, at+4, make([]uint16, sunsCommonLength)...)
	s.base = at + 4 + sunsCommonLength
	s.memory.Set(modbus.Holding, s.base, make([]uint16, length)...)
	s.memory.Set(modbus.Holding, s.base, s.model.sunspec, length-2)
	s.memory.Set(modbus.Holding, s.base+length, sunsEnd, 0)
}

// Set lets the meter show a reading, as far as its registers can: values are rounded to their resolution, and what does
// not fit a register is shown as the most that does.
func (s *Slave) Set(r hal.MeterReading) {
	if s.model.reversed {
		r = turn(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.model.blocks {
		s.memory.Set(b.kind, s.base+b.address, make([]uint16, b.count)...)
	}
	s.identify()
	for _, v := range s.model.values {
		t := v.of(r)
		exponent := 0
		if v.powered {
			exponent = s.exponent(v.register, r)
			s.memory.Set(v.kind, s.base+v.power, uint16(int16(exponent)))
		}
		s.memory.Set(v.kind, s.base+v.address, split(v.raw(t, exponent), v.words, v.little)...)
	}
}

// identify lets the probe find what it looks for; one that expects a measurement finds it in the reading.
func (s *Slave) identify() {
	p := s.model.probe
	raw := p.raw(p.expect[0], 0)
	if len(p.oneOf) > 0 {
		raw = p.oneOf[0]
	}
	s.memory.Set(p.kind, s.base+p.address, split(raw, p.words, p.little)...)
}

// of is what a value is in a reading, in thousandths.
func (v value) of(r hal.MeterReading) int64 {
	switch v.quantity {
	case voltage:
		return int64(r.Voltage[v.line])
	case current:
		return int64(r.Current[v.line])
	case power:
		return int64(r.Power)
	case powerExport:
		return max(0, -int64(r.Power))
	case energyImport:
		return int64(r.Import)
	case energyExport:
		return int64(r.Export)
	case frequency:
		return int64(r.Frequency)
	case powerFactor:
		return int64(r.Factor)
	}
	return 0
}

// raw is what a register shows for t, with a decimal exponent of another register.
func (r register) raw(t int64, exponent int) uint64 {
	if r.float {
		return uint64(r.scale.floatBits(t))
	}
	if r.exponent {
		for e := leastExponent; e <= maxExponent; e++ {
			if v, ok := r.scale.invert(t, e); ok {
				if raw, ok := r.encode(v); ok {
					return uint64(uint8(int8(e)))<<24 | raw
				}
			}
		}
		return 0
	}
	v, _ := r.scale.invert(t, exponent)
	raw, ok := r.encode(v)
	if !ok && v < 0 && !r.signed {
		raw, ok = 0, true // a meter that counts one direction shows nothing of the other
	}
	switch {
	case ok:
	case t < 0:
		raw, _ = r.encode(-r.most())
	default:
		raw, _ = r.encode(r.most())
	}
	return raw
}

// leastExponent is the finest resolution that a virtual meter shows.
const leastExponent = -3

// most is the largest number of a format.
func (f format) most() int64 {
	bits := 16 * f.words
	if f.exponent {
		bits = 24
	}
	if f.signed || bits == 64 {
		bits--
	}
	return 1<<bits - 1
}

// exponent is the finest decimal exponent with which all values fit that share the exponent's register.
func (s *Slave) exponent(of register, r hal.MeterReading) int {
	for e := leastExponent + 1; e < maxExponent; e++ {
		fits := true
		for _, v := range s.model.values {
			if !v.powered || v.power != of.power {
				continue
			}
			n, ok := v.scale.invert(v.of(r), e)
			if _, in := v.encode(n); !ok || !in && (n > 0 || v.signed) {
				fits = false
			}
		}
		if fits {
			return e
		}
	}
	return 0
}

// ReadTable implements modbus.Unit.
func (s *Slave) ReadTable(kind modbus.Kind, address, count uint16) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.ReadTable(kind, address, count)
}

// WriteTable implements modbus.Unit: a virtual meter is not set up over the bus.
func (s *Slave) WriteTable(modbus.Kind, uint16, []uint16) error { return modbus.IllegalFunction }
