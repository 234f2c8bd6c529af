package stationtest

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// meter is an EVSE's meter: its register integrates what flows.
type meter struct {
	evse   term.EVSEID
	energy unit.Energy
	rest   int64 // mW ms that make no mWh yet
	at     time.Duration
	asked  bool
	every  time.Duration
	silent bool
	lie    unit.Energy // taken from what it tells: a meter that runs backward
	signs  signs
}

// meterTime is how long a reading takes.
const meterTime = 20 * time.Millisecond

// perMilliwattHour is one mWh in mW ms.
const perMilliwattHour = 3_600_000

func (b *Bench) meter(e term.EVSEID) *meter { return b.meters[e-1] }

// integrate brings the register up to now; call it before anything changes the power.
func (m *meter) integrate(b *Bench) {
	ms := int64((b.t - m.at) / time.Millisecond)
	m.at += time.Duration(ms) * time.Millisecond
	m.rest += int64(m.power(b)) * ms
	m.energy += unit.Energy(m.rest / perMilliwattHour)
	m.rest %= perMilliwattHour
}

func (m *meter) power(b *Bench) unit.Power {
	var p unit.Power
	for _, w := range b.wires {
		if w.ref.EVSE == m.evse {
			p += w.power()
		}
	}
	return p
}

// poll reads the meter once.
func (m *meter) poll(b *Bench) {
	if m.asked {
		return
	}
	m.asked = true
	b.later(meterTime, func() {
		m.asked = false
		m.tell(b)
	})
}

// rate reads the meter again and again while every is not 0.
func (m *meter) rate(b *Bench, every time.Duration) {
	was := m.every
	if m.every = every; was == 0 && every > 0 {
		m.again(b)
	}
}

func (m *meter) again(b *Bench) {
	b.later(m.every, func() {
		if m.every == 0 {
			return
		}
		m.tell(b)
		m.again(b)
	})
}

func (m *meter) tell(b *Bench) {
	if m.silent || b.Station == nil {
		return
	}
	b.step(station.MeterRead{EVSE: m.evse, Reading: m.reading(b)})
}

// reading is what the meter shows now.
func (m *meter) reading(b *Bench) hal.MeterReading {
	m.integrate(b)
	r := hal.MeterReading{At: b.mono(), Phases: 1, Import: m.energy - m.lie, Power: m.power(b), Frequency: 50000, Factor: 1000}
	phases := b.cfg.EVSEs[m.evse-1].Phases
	if phases == 3 {
		r.Phases = 3
	}
	for i := 0; i < int(r.Phases); i++ {
		r.Voltage[i] = station.NominalVoltage
		r.Current[i] = unit.Current(int64(r.Power) / int64(r.Phases) / int64(station.NominalVoltage/unit.Volt))
	}
	return r
}
