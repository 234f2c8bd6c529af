package isolation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// Reading is one look at a monitor.
type Reading struct {
	At          time.Time       // the clock's, when the resistance had come
	Resistance  unit.Resistance // to earth
	Voltage     unit.Voltage    // between the lines
	Plus, Minus unit.Voltage    // of each line against earth; zero during a self-test
	Alarm       Alarm
	Testing     bool
}

// Errors of a self-test.
var (
	ErrTestFailed = errors.New("the insulation monitor's self-test found it broken")
	ErrNotStarted = errors.New("the insulation monitor does not begin its self-test")
)

const (
	testLook  = 250 * time.Millisecond // between two looks at a self-test
	testStart = 5 * time.Second        // within which it has to show
)

// Monitor is one insulation monitor. Its calls come from one goroutine at a time.
type Monitor struct {
	model  Model
	client modbus.Client
	unit   uint8
	now    func() time.Time
}

// New returns the driver of a model at a unit of a bus.
func New(model string, client modbus.Client, unit uint8) (*Monitor, error) {
	m, ok := Find(model)
	if !ok {
		return nil, fmt.Errorf("insulation monitor %q: no such model: want one of %v", model, Models())
	}
	if unit == 0 || unit > 247 {
		return nil, fmt.Errorf("insulation monitor %s: unit %d: want 1 to 247", model, unit)
	}
	return &Monitor{model: m, client: client, unit: unit, now: time.Now}, nil
}

// Read reads the monitor. A measurement that it marks as invalid is ErrValue.
func (m *Monitor) Read(ctx context.Context) (Reading, error) {
	var r Reading
	v, err := m.value(ctx, m.model.Resistance, unitOhm)
	r.Alarm, r.Testing, r.At = v.alarm, v.testing, m.now()
	if err != nil {
		return r, fmt.Errorf("read insulation of %s: %w", m, err)
	}
	r.Resistance = unit.Resistance(v.milli)
	if v, err = m.value(ctx, m.model.Voltage, unitVolt); err != nil {
		return r, fmt.Errorf("read voltage at %s: %w", m, err)
	}
	r.Voltage = unit.Voltage(v.milli)
	if r.Testing {
		return r, nil
	}
	for _, line := range []struct {
		address uint16
		into    *unit.Voltage
	}{{m.model.Plus, &r.Plus}, {m.model.Minus, &r.Minus}} {
		if v, err = m.value(ctx, line.address, unitVolt); err != nil {
			return r, fmt.Errorf("read voltage to earth at %s: %w", m, err)
		}
		*line.into = unit.Voltage(v.milli)
	}
	return r, nil
}

func (m *Monitor) value(ctx context.Context, address uint16, unit uint8) (value, error) {
	regs, err := m.client.Read(ctx, m.unit, modbus.Holding, address, registersOfValue)
	if err != nil {
		return value{}, err
	}
	v, err := parseValue(regs)
	if err == nil && v.unit != unit {
		err = fmt.Errorf("%w: unit %d at register %d, want %d: is this a %s?", ErrValue, v.unit, address, unit, m.model.Name)
	}
	return v, err
}

// SetResponse sets the two response values of the monitor's own relays. They are kept by the monitor.
func (m *Monitor) SetResponse(ctx context.Context, warning, alarm unit.Resistance) error {
	if alarm <= 0 || warning < alarm {
		return fmt.Errorf("response values of %s: warning at %v, alarm at %v: want the warning first", m, warning, alarm)
	}
	for _, w := range []struct {
		address uint16
		ohms    unit.Resistance
	}{{m.model.PreAlarm, warning}, {m.model.Alarm, alarm}} {
		kilo := w.ohms / unit.KiloOhm
		if kilo < 1 || kilo > 0xFFFF {
			return fmt.Errorf("response value %v of %s: want whole kOhm", w.ohms, m)
		}
		if err := m.client.Write(ctx, m.unit, modbus.Holding, w.address, uint16(kilo)); err != nil {
			return fmt.Errorf("set response value of %s: %w", m, err)
		}
	}
	return nil
}

// SelfTest lets the monitor test itself and waits, by ctx's deadline, until it has. One that finds itself broken is
// ErrTestFailed.
func (m *Monitor) SelfTest(ctx context.Context) error {
	if err := m.client.Write(ctx, m.unit, modbus.Holding, m.model.Test, m.model.TestValue); err != nil {
		return fmt.Errorf("begin self-test of %s: %w", m, err)
	}
	began := m.now()
	for shown := false; ; {
		v, err := m.value(ctx, m.model.Resistance, unitOhm)
		switch {
		case err != nil && !errors.Is(err, ErrValue): // no measurement is to be had during a test
			return fmt.Errorf("watch self-test of %s: %w", m, err)
		case v.testing:
			shown = true
		case v.alarm == DeviceError:
			return fmt.Errorf("%s: %w", m, ErrTestFailed)
		case shown:
			return nil
		case m.now().Sub(began) > testStart:
			return fmt.Errorf("%s: %w", m, ErrNotStarted)
		}
		if err := pause(ctx, testLook); err != nil {
			return fmt.Errorf("self-test of %s is not over: %w", m, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Firmware is the version that the monitor tells, in 0.01.
func (m *Monitor) Firmware(ctx context.Context) (uint16, error) {
	regs, err := m.client.Read(ctx, m.unit, modbus.Holding, m.model.Firmware+1, 1)
	if err != nil {
		return 0, fmt.Errorf("read firmware of %s: %w", m, err)
	}
	return regs[0], nil
}

// String names the monitor.
func (m *Monitor) String() string { return fmt.Sprintf("%s at unit %d", m.model.Name, m.unit) }
