package schedule_test

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// world is all that decides what may be drawn. Its methods say it second by second, as the text of the standards does,
// with nothing remembered from one second to the next; they share no line with the code under test.
type world struct {
	cfg       schedule.Config // complete: no field is left to a default
	installed []schedule.Installed
	txs       []tx // by EVSE-1
}

type tx struct {
	id    term.TransactionID // "": none
	start time.Time          // zero: not ready
}

// ratio is a fraction of a milliwatt.
type ratio struct{ n, d int64 }

func (a ratio) less(b ratio) bool { return a.n*b.d < b.n*a.d }

func (a ratio) plus(b ratio) ratio {
	n, d := a.n*b.d+b.n*a.d, a.d*b.d
	x, y := n, d
	for y != 0 {
		x, y = y, x%y
	}
	if x == 0 {
		return ratio{0, 1}
	}
	return ratio{n / x, d / x}
}

// draw is what may be drawn: the power of each phase, and how many phases.
type draw struct {
	phase ratio
	lines int
	line  int
}

// current in mA per phase, power in mW of all phases, rounded down.
func (w *world) current(p ratio) int64 { return p.n * 1000 / (p.d * int64(w.cfg.Voltage)) }
func power(p ratio, lines int) int64   { return p.n * int64(lines) / p.d }

func (w *world) supply(evse int) schedule.Supply {
	if evse == 0 {
		return w.cfg.Station
	}
	return w.cfg.EVSEs[evse-1]
}

// period is what a profile says at second t, charging having begun at second begun.
func (w *world) period(in *schedule.Installed, t, begun int64) (c *schedule.Schedule, d *schedule.Period) {
	p := &in.Profile
	if !p.ValidFrom.IsZero() && t < p.ValidFrom.Unix() { // K01.FR.36
		return nil, nil
	}
	if !p.ValidTo.IsZero() && t >= p.ValidTo.Unix() { // K01.FR.37
		return nil, nil
	}
	c = &p.Schedules[0]
	for i := range p.Schedules {
		u := p.Schedules[i].Unit
		if u == schedule.Amperes && w.cfg.Rules.Amperes || u == schedule.Watts && w.cfg.Rules.Watts {
			c = &p.Schedules[i]
			break
		}
	}
	start := c.Start.Unix()
	if p.Kind == schedule.Relative || c.Start.IsZero() { // K01.FR.42; 1.6 7.13
		start = begun
		if p.Purpose == schedule.PurposeStation || p.Purpose == schedule.PurposeExternal {
			start = in.Received.Unix()
		}
	}
	if t < start { // K01.FR.30
		return nil, nil
	}
	offset := t - start
	switch p.Recurrency { // 1.6 errata: every 24 hours, every 7 days
	case schedule.Daily:
		offset %= 24 * 3600
	case schedule.Weekly:
		offset %= 7 * 24 * 3600
	}
	if c.Duration != 0 && offset >= int64(c.Duration.Seconds()) { // K01.FR.11, .12, .13
		return nil, nil
	}
	for i := range c.Periods {
		if int64(c.Periods[i].Start.Seconds()) <= offset {
			d = &c.Periods[i]
		}
	}
	return c, d
}

// leading is the profile of a purpose, installed on one of places, with a period at t and the highest stack level.
func (w *world) leading(purpose schedule.Purpose, t, begun int64, tx term.TransactionID, places ...int) (best *schedule.Installed) {
	for i := range w.installed {
		in := &w.installed[i]
		if in.Profile.Purpose != purpose || in.Profile.Transaction != tx {
			continue
		}
		here := false
		for _, e := range places {
			here = here || int(in.EVSE) == e
		}
		if !here {
			continue
		}
		if _, d := w.period(in, t, begun); d == nil {
			continue
		}
		switch {
		case best == nil || in.Profile.StackLevel > best.Profile.StackLevel: // K01.FR.17
			best = in
		case in.Profile.StackLevel < best.Profile.StackLevel:
		case in.EVSE != best.EVSE: // 1.6 3.13.1: that of the EVSE
			if in.EVSE != 0 {
				best = in
			}
		case in.Profile.ID > best.Profile.ID: // never both valid where the rules were kept
			best = in
		}
	}
	return best
}

// lower takes what a leading profile says into account.
func (w *world) lower(v *draw, in *schedule.Installed, supply schedule.Supply, t, begun int64) {
	if in == nil {
		return
	}
	c, d := w.period(in, t, begun)
	phases := int(d.Phases)
	if phases == 0 { // K01.FR.49
		phases = w.cfg.Rules.Phases
	}
	limit := ratio{d.Limit * int64(w.cfg.Voltage), 1000} // A: of each phase (K01.FR.51)
	if c.Unit == schedule.Watts {                        // W: by the phases of the period (K01.FR.50)
		limit = ratio{d.Limit, int64(phases)}
	}
	if limit.less(v.phase) {
		v.phase = limit
	}
	if phases < supply.Phases && v.lines > 1 {
		v.lines = 1
	}
	if v.line == 0 {
		v.line = int(d.PhaseToUse)
	}
}

// begun is when charging at an EVSE began; where it has not, as if at second fictive (K08.FR.06).
func (w *world) begun(evse int, fictive int64) int64 {
	if evse > 0 && !w.txs[evse-1].start.IsZero() {
		return w.txs[evse-1].start.Unix()
	}
	return fictive
}

// own is what an EVSE may draw by itself; of EVSE 0, what the station may.
func (w *world) own(evse int, t, fictive int64) draw {
	y := w.supply(evse)
	v := draw{phase: ratio{int64(y.Max) * int64(w.cfg.Voltage), 1000}, lines: y.Phases}
	begun := w.begun(evse, fictive)
	if evse > 0 {
		var tx *schedule.Installed
		if id := w.txs[evse-1].id; id != "" {
			tx = w.leading(schedule.PurposeTx, t, begun, id, evse)
		}
		if tx == nil { // K02.FR.04, .08
			tx = w.leading(schedule.PurposeDefault, t, begun, "", evse, 0)
		}
		w.lower(&v, tx, y, t, begun)
	} else {
		w.lower(&v, w.leading(schedule.PurposeStation, t, begun, "", 0), y, t, begun)
	}
	w.lower(&v, w.leading(schedule.PurposeExternal, t, begun, "", evse), y, t, begun)
	return v
}

// ofEVSE is what an EVSE may draw at t, the station's limits kept.
func (w *world) ofEVSE(evse int, t, fictive int64) draw {
	v := w.own(evse, t, fictive)
	if evse > 0 {
		y := w.supply(evse)
		w.lower(&v, w.leading(schedule.PurposeStation, t, 0, "", 0), y, t, 0)
		w.lower(&v, w.leading(schedule.PurposeExternal, t, 0, "", 0), y, t, 0)
	}
	if v.lines != 1 {
		v.line = 0
	}
	return v
}

// composite is what a composite schedule from second from on has to say of second t.
func (w *world) composite(evse int, t, from int64, u schedule.Unit) schedule.Period {
	if evse > 0 {
		v := w.ofEVSE(evse, t, from)
		p := schedule.Period{Phases: int8(v.lines), PhaseToUse: int8(v.line)}
		if u == schedule.Amperes {
			p.Limit = w.current(v.phase)
		} else {
			p.Limit = power(v.phase, v.lines)
		}
		return p
	}
	phase, all := ratio{0, 1}, ratio{0, 1}
	lines := 1
	for e := range w.cfg.EVSEs {
		v := w.own(e+1, t, from)
		phase = phase.plus(v.phase)
		all = all.plus(ratio{v.phase.n * int64(v.lines), v.phase.d})
		lines = max(lines, v.lines)
	}
	v := w.own(0, t, from)
	p := schedule.Period{Phases: int8(min(v.lines, lines))}
	if u == schedule.Amperes {
		p.Limit = min(w.current(phase), w.current(v.phase))
	} else {
		p.Limit = min(power(all, 1), power(v.phase, v.lines))
	}
	return p
}

// limit is what Limit has to say of second t.
func (w *world) limit(evse int, t int64) (unit.Current, int, int8) {
	v := w.ofEVSE(evse, t, t)
	return unit.Current(w.current(v.phase)), v.lines, int8(v.line)
}

// set is the code under test, with this world in it.
func (w *world) set() *schedule.Set {
	s := schedule.New(w.cfg)
	for i, x := range w.txs {
		if x.id != "" {
			s.Begin(term.EVSEID(i+1), x.id, x.start)
		}
	}
	for _, in := range w.installed {
		s.Restore(in)
	}
	return s
}
