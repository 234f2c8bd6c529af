package precharge

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// advance goes on to the next state where the present one is done, and ends what takes too long.
func (m *Machine) advance(now time.Time, in *Input) {
	took := now.Sub(m.since)
	l, x := &m.cfg.Limits, &in.Measurement
	if in.Want == WantNothing && m.state > Idle && m.state < Stopping {
		m.become(now, Stopping)
		took = 0
	}
	switch m.state {
	case Idle:
		m.begin(now, in)
	case Closing:
		if m.closed() {
			m.began, m.at = now, time.Time{}
			m.become(now, Testing)
		}
	case Testing:
		m.test(now, in)
	case Lowering:
		if dead(x) {
			m.become(now, Checked)
		} else if took > l.Discharge {
			m.fail(now, NotDead)
		}
	case Checked:
		if in.Want >= WantPreCharge {
			m.become(now, PreCharging)
		}
	case PreCharging:
		if m.near(x.Outlet, m.voltage(in)) && m.near(x.Source, x.Outlet) {
			m.become(now, PreCharged)
		} else if took > l.PreCharge {
			m.fail(now, ChargeLimit)
		}
	case PreCharged:
		if in.Want >= WantPower && m.near(x.Source, x.Outlet) {
			m.become(now, Delivering)
		}
	case Stopping:
		if abs(x.Current) < m.cfg.Idle {
			m.become(now, Opening)
		} else if took > l.Stop {
			m.fail(now, StopLimit)
		}
	case Opening:
		if !m.plus.command && m.plus.confirmed && !m.minus.command && m.minus.confirmed {
			m.become(now, Discharging)
		}
	case Discharging:
		if x.Source < SafeVoltage && now.Sub(x.At) <= l.Age {
			m.become(now, Idle)
		} else if took > l.Discharge {
			m.fail(now, NotDead)
		}
	case Failed:
		m.recover(now, in)
	}
}

// begin closes the contactors: dead on dead, with a plug that is locked and a vehicle that is ready. What little is left
// on one side is discharged first.
func (m *Machine) begin(now time.Time, in *Input) {
	x := &in.Measurement
	if in.Want == WantNothing || !in.Ready || !in.Locked || now.Sub(x.At) > m.cfg.Limits.Age {
		m.at = time.Time{}
		return
	}
	if m.at.IsZero() {
		m.at = now
	}
	switch {
	case !dead(x), now.Sub(m.at) > m.cfg.Limits.Discharge:
		m.fail(now, NotDead)
	case m.near(x.Source, x.Outlet):
		m.become(now, Closing)
	}
}

// test is the insulation test: the monitor tests itself, the voltage rises, stands, and a measurement counts that was
// taken while it stood.
func (m *Machine) test(now time.Time, in *Input) {
	i, x := &in.Isolation, &in.Measurement
	if now.Sub(m.began) > m.cfg.Limits.CableCheck {
		m.fail(now, CheckLimit)
		return
	}
	if m.testing(in) {
		return
	}
	if m.cfg.SelfTest && !i.TestOK {
		m.fail(now, SelfTest)
		return
	}
	if !m.near(x.Outlet, m.cfg.TestVoltage) {
		m.at = time.Time{}
		return
	}
	if m.at.IsZero() {
		m.at = now
	}
	if i.At.Before(m.at.Add(m.cfg.Settle)) {
		return
	}
	if i.Resistance < m.cfg.Trip {
		m.fail(now, Insulation)
		return
	}
	m.become(now, Lowering)
}

// testing reports whether the monitor's self-test of this cable check is not over yet.
func (m *Machine) testing(in *Input) bool {
	return m.state == Testing && m.cfg.SelfTest && !in.Isolation.Tested.After(m.began)
}

// recover leaves a failure once nobody wants anything, everything is open and dead, and the reason is gone.
func (m *Machine) recover(now time.Time, in *Input) {
	x := &in.Measurement
	open := !in.Plus && !in.Minus
	if in.Want != WantNothing || in.Emergency || !open || !dead(x) || now.Sub(x.At) > m.cfg.Limits.Age || m.reason.Latched() && !in.Acknowledge {
		return
	}
	m.reason = NoReason
	m.become(now, Idle)
}

// drive says what shall be in the state as it is now.
func (m *Machine) drive(now time.Time, in *Input, out *Output) {
	*out = Output{State: m.state, Reason: m.reason}
	switch m.state {
	case Closing, Checked:
		m.poles(now, true)
	case Testing:
		m.poles(now, true)
		out.SelfTest, out.Measure = m.testing(in), true
		if !out.SelfTest {
			out.On, out.Voltage, out.Current = true, m.cfg.TestVoltage, m.cfg.LowCurrent
		}
	case Lowering:
		m.poles(now, true)
		out.Discharge, out.Measure = true, true
	case PreCharging, PreCharged:
		m.poles(now, true)
		out.On, out.Voltage, out.Current, out.Measure = true, m.voltage(in), m.cfg.LowCurrent, true
	case Delivering:
		m.poles(now, true)
		m.ramp(now, in)
		out.On, out.Voltage, out.Current, out.Measure = true, m.voltage(in), m.current, true
	case Stopping:
		m.hold(now)
	case Opening:
		m.plus.set(now, false)
		if m.plus.confirmed { // plus first, so that a weld is known by its pole
			m.minus.set(now, false)
		}
	case Discharging, Failed:
		m.poles(now, false)
		out.Discharge = true
	case Idle:
		m.poles(now, false)
		out.Discharge = !m.at.IsZero()
	}
	out.Plus, out.Minus = m.plus.command, m.minus.command
	out.Deadline = m.deadline(now)
}

func (m *Machine) poles(now time.Time, closed bool) {
	m.plus.set(now, closed)
	m.minus.set(now, closed)
}

// hold keeps the poles as they are: what was closing when nobody wanted it any more opens without load.
func (m *Machine) hold(now time.Time) {
	if !m.closed() {
		m.poles(now, false)
	}
}

// voltage is what the vehicle asks for, as far as the output may.
func (m *Machine) voltage(in *Input) unit.Voltage {
	return max(min(in.Target, m.cfg.MaxVoltage), 0)
}

// ramp lets the current rise by its slope and fall at once.
func (m *Machine) ramp(now time.Time, in *Input) {
	want := max(min(in.Current, m.cfg.MaxCurrent), 0)
	if in.Want < WantPower {
		want = 0
	}
	passed := min(now.Sub(m.stepped), time.Second)
	m.current = min(want, m.current+unit.Current(int64(m.cfg.Ramp)*int64(passed)/int64(time.Second)))
}

// rampStep is how often a rising current wants to be looked at, and everything else that moves.
const rampStep = 20 * time.Millisecond

// deadline is when something is due although no input has changed.
func (m *Machine) deadline(now time.Time) time.Time {
	if m.state == Idle && m.at.IsZero() || m.state == Failed {
		return time.Time{}
	}
	return now.Add(rampStep)
}

func (m *Machine) near(a, b unit.Voltage) bool { return abs(a-b) <= m.cfg.Tolerance }

func dead(x *Measurement) bool { return abs(x.Source) < SafeVoltage && abs(x.Outlet) < SafeVoltage }

func abs[T ~int64](v T) T { return max(v, -v) }
