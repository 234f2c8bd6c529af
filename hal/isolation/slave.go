package isolation

import (
	"sync"
	"time"

	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// Slave is a virtual monitor behind a modbus.Server.
type Slave struct {
	model Model
	now   func() time.Time

	mu      sync.Mutex // everything below
	is      Reading
	invalid bool
	broken  bool
	takes   time.Duration
	until   time.Time // a self-test is going on
	written map[uint16]uint16
}

// NewSlave returns a virtual monitor of a model that shows a sound output. now is the clock of its self-test.
func NewSlave(model string, now func() time.Time) (*Slave, bool) {
	m, ok := Find(model)
	return &Slave{model: m, now: now, is: Reading{Resistance: 1000 * unit.KiloOhm}, takes: 8 * time.Second, written: map[uint16]uint16{}}, ok
}

// Show sets what it measures.
func (s *Slave) Show(r Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.is = r
}

// Break makes it find itself broken, and Invalid makes its measurements none.
func (s *Slave) Break(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = on
}

// Invalid marks its measurements as none.
func (s *Slave) Invalid(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invalid = on
}

// Written is what was written to a register.
func (s *Slave) Written(address uint16) uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written[address]
}

// ReadTable answers a read.
func (s *Slave) ReadTable(kind modbus.Kind, address, count uint16) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	testing := s.now().Before(s.until)
	alarm := s.is.Alarm
	if s.broken && !testing {
		alarm = DeviceError
	}
	memory := modbus.Memory{}
	for _, v := range []struct {
		address uint16
		milli   int64
		unit    uint8
	}{
		{s.model.Resistance, int64(s.is.Resistance), unitOhm}, {s.model.Voltage, int64(s.is.Voltage), unitVolt},
		{s.model.Plus, int64(s.is.Plus), unitVolt}, {s.model.Minus, int64(s.is.Minus), unitVolt},
	} {
		memory.Set(modbus.Holding, v.address, appendValue(nil, v.milli, v.unit, alarm, testing, !s.invalid && !testing)...)
	}
	memory.Set(modbus.Holding, s.model.Firmware, 1, 512, 2024, 5, 17, 1)
	return memory.ReadTable(kind, address, count)
}

// WriteTable takes a write.
func (s *Slave) WriteTable(kind modbus.Kind, address uint16, values []uint16) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := address == s.model.PreAlarm || address == s.model.Alarm || address == s.model.Test
	if kind != modbus.Holding || len(values) != 1 || !known {
		return modbus.IllegalAddress
	}
	if address == s.model.Test && values[0] == s.model.TestValue {
		s.until = s.now().Add(s.takes)
	}
	s.written[address] = values[0]
	return nil
}
