package stationtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// The requests about charging profiles. Times are from now (+90s, -1h) or of the first day (17:00); limits are in A or W:
//
//	request SetChargingProfile evse=1 id=7 [stack=2] for=default|tx|station [kind=Recurring every=Daily] [start=+0s] [dur=5m]
//	        [unit=W] p=0:6,100:8.5/3 [tx=T1] [from=+5m] [to=+1h] [beyond=FIELD] [loose]     p is start:limit[/phases], ...
//	request ClearChargingProfile [id=7] [evse=0] [for=tx] [stack=2]
//	request GetChargingProfiles [req=5] [ids=1,2] [evse=0] [for=tx] [stack=2] [source=CSO]
//	request GetCompositeSchedule evse=1 dur=300s [unit=A]
//	request RequestStart id=7 token=ALICE profile pid=3 p=0:6 ...
func parseSetProfile(b *Bench, l line) (station.Request, error) {
	p, err := b.profile(l, "id")
	if err != nil {
		return nil, err
	}
	evse, err := l.number("evse")
	return station.SetChargingProfile{EVSE: term.EVSEID(evse), Profile: p, Beyond: l.keys["beyond"], Loose: l.has("loose")}, err
}

func parseClearProfile(_ *Bench, l line) (station.Request, error) {
	f, err := l.filter("id")
	return station.ClearChargingProfile{Filter: f}, err
}

func parseGetProfiles(_ *Bench, l line) (station.Request, error) {
	f, err := l.filter("ids")
	if err != nil {
		return nil, err
	}
	id, err := l.number("req")
	r := station.GetChargingProfiles{RequestID: id, Filter: f}
	if s := l.keys["source"]; s != "" {
		r.Sources = strings.Split(s, ",")
	}
	return r, err
}

func parseComposite(_ *Bench, l line) (station.Request, error) {
	evse, err := l.number("evse")
	if err != nil {
		return nil, err
	}
	d, err := l.duration("dur", time.Minute)
	return station.GetCompositeSchedule{EVSE: term.EVSEID(evse), Duration: d, Unit: schedule.Unit(l.keys["unit"])}, err
}

var purposes = map[string]schedule.Purpose{"": schedule.PurposeDefault, "default": schedule.PurposeDefault, "tx": schedule.PurposeTx,
	"station": schedule.PurposeStation, "external": schedule.PurposeExternal}

func purposeOf(word string) schedule.Purpose {
	if p, ok := purposes[word]; ok {
		return p
	}
	return schedule.Purpose(word)
}

func (l line) filter(ids string) (f station.ProfileFilter, err error) {
	for w := range strings.SplitSeq(l.keys[ids], ",") {
		if w == "" {
			continue
		}
		n, err := strconv.Atoi(w)
		if err != nil {
			return f, err
		}
		f.IDs = append(f.IDs, n)
	}
	_, f.HasEVSE = l.keys["evse"]
	_, f.HasStack = l.keys["stack"]
	if f.Stack, err = l.number("stack"); err != nil {
		return f, err
	}
	if word, ok := l.keys["for"]; ok {
		f.Purpose = purposeOf(word)
	}
	evse, err := l.number("evse")
	f.EVSE = term.EVSEID(evse)
	return f, err
}

// profile reads a charging profile; id names the key of its ID.
func (b *Bench) profile(l line, id string) (p schedule.Profile, err error) {
	if p.ID, err = l.number(id); err != nil {
		return p, err
	}
	if p.StackLevel, err = l.number("stack"); err != nil {
		return p, err
	}
	p.Purpose, p.Kind, p.Recurrency = purposeOf(l.keys["for"]), schedule.Kind(l.keys["kind"]), schedule.Recurrency(l.keys["every"])
	p.Transaction = term.TransactionID(l.keys["tx"])
	c := schedule.Schedule{ID: 1, Unit: schedule.Unit(l.keys["unit"])}
	for _, t := range []struct {
		key string
		to  *time.Time
	}{{"from", &p.ValidFrom}, {"to", &p.ValidTo}, {"start", &c.Start}} {
		if *t.to, err = b.instant(l.keys[t.key]); err != nil {
			return p, err
		}
	}
	if p.Kind == "" {
		p.Kind = schedule.Relative
		if !c.Start.IsZero() {
			p.Kind = schedule.Absolute
		}
	}
	if c.Unit == "" {
		c.Unit = schedule.Amperes
	}
	if c.Duration, err = l.duration("dur", 0); err != nil {
		return p, err
	}
	c.Periods, err = periods(l.keys["p"])
	p.Schedules = []schedule.Schedule{c}
	return p, err
}

// instant reads "+5m", "-1h", "17:00" or "".
func (b *Bench) instant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if s[0] == '+' || s[0] == '-' {
		d, err := time.ParseDuration(s)
		return b.wall().Add(d).Truncate(time.Second), err
	}
	t, err := time.Parse("15:04", s)
	return time.Date(Birth.Year(), Birth.Month(), Birth.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC), err
}

func periods(s string) (ps []schedule.Period, err error) {
	for w := range strings.SplitSeq(s, ",") {
		if w == "" {
			continue
		}
		var d schedule.Period
		start, rest, _ := strings.Cut(w, ":")
		limit, phases, hasPhases := strings.Cut(rest, "/")
		n, err := strconv.Atoi(start)
		if err != nil {
			return nil, fmt.Errorf("period %q: %w", w, err)
		}
		whole, frac, _ := strings.Cut(limit, ".")
		if d.Limit, err = strconv.ParseInt(whole+(frac + "000")[:3], 10, 64); err != nil {
			return nil, fmt.Errorf("period %q: %w", w, err)
		}
		if hasPhases {
			k, err := strconv.Atoi(phases)
			if err != nil {
				return nil, fmt.Errorf("period %q: %w", w, err)
			}
			d.Phases = int8(k)
		}
		d.Start = time.Duration(n) * time.Second
		ps = append(ps, d)
	}
	return ps, nil
}

func describeComposite(c station.CompositeSchedule) string {
	if len(c.Periods) == 0 {
		return describeStatus(c.Status)
	}
	return fmt.Sprintf("%s evse=%d %s for %s %s", describeStatus(c.Status), c.EVSE, c.Start.Format("15:04:05"), c.Duration, describePeriods(c.Unit, c.Periods))
}

func describePeriods(u schedule.Unit, ps []schedule.Period) string {
	var words []string
	for _, d := range ps {
		words = append(words, fmt.Sprintf("%d:%s%s%s", d.Start/time.Second, unit.AppendMilli(nil, d.Limit), u, choose(d.Phases != 0, fmt.Sprintf("/%d", d.Phases), "")))
	}
	return strings.Join(words, " ")
}

func describeProfiles(r station.ChargingProfiles) string {
	s := fmt.Sprintf("ChargingProfiles id=%d evse=%d %s%s", r.RequestID, r.EVSE, r.Source, choose(r.More, " more", ""))
	for _, p := range r.Profiles {
		s += fmt.Sprintf("; %s/%d stack=%d %s%s", p.Purpose, p.ID, p.StackLevel, p.Kind, choose(p.Transaction != "", " "+string(p.Transaction), ""))
		for _, c := range p.Schedules {
			s += " " + describePeriods(c.Unit, c.Periods)
		}
	}
	return s
}

// profiles is what an onlooker knows of charging profiles: those on record, and the sessions that they are for.
type profiles struct {
	list map[string]schedule.Installed // by the key of the record
	txs  map[term.TransactionID]session
}

type session struct {
	evse  term.EVSEID
	ready time.Time
}

func (p *profiles) init() {
	p.list, p.txs = map[string]schedule.Installed{}, map[term.TransactionID]session{}
}

// least is the lowest limit that a profile sets at an EVSE for a second, looked up in the plainest way: what is there to
// be compared with. EVSE 0 is the sum of all. Without a limit it is -1.
func (p *profiles) least(evse term.EVSEID, at time.Time) unit.Current {
	var tx term.TransactionID
	ready := at
	for id, s := range p.txs {
		if s.evse == evse {
			if tx = id; !s.ready.IsZero() {
				ready = s.ready
			}
		}
	}
	session := p.leader(at, ready, func(in *schedule.Installed) bool {
		return evse > 0 && in.EVSE == evse && in.Profile.Purpose == schedule.PurposeTx && in.Profile.Transaction == tx
	})
	if session < 0 {
		session = p.leader(at, ready, func(in *schedule.Installed) bool {
			return evse > 0 && (in.EVSE == evse || in.EVSE == 0) && in.Profile.Purpose == schedule.PurposeDefault
		})
	}
	all := p.leader(at, ready, func(in *schedule.Installed) bool { return in.Profile.Purpose == schedule.PurposeStation })
	switch {
	case session < 0:
		return all
	case all < 0:
		return session
	}
	return min(session, all)
}

// leader is the limit of the profile of the highest stack level that has a period at a second, -1 for none.
func (p *profiles) leader(at, ready time.Time, of func(*schedule.Installed) bool) unit.Current {
	best, level := unit.Current(-1), -1
	for _, in := range p.list {
		if !of(&in) || len(in.Profile.Schedules) == 0 {
			continue
		}
		rank := 2 * in.Profile.StackLevel
		if in.EVSE > 0 {
			rank++
		}
		if l := limitAt(&in.Profile, at, ready); l >= 0 && rank > level {
			best, level = l, rank
		}
	}
	return best
}

func limitAt(p *schedule.Profile, at, ready time.Time) unit.Current {
	c := &p.Schedules[0]
	at, start := at.Truncate(time.Second), c.Start.Truncate(time.Second)
	if start.IsZero() {
		start = ready.Truncate(time.Second)
	}
	passed := at.Sub(start)
	if at.Before(p.ValidFrom.Truncate(time.Second)) || !p.ValidTo.IsZero() && !at.Before(p.ValidTo.Truncate(time.Second)) || passed < 0 {
		return -1
	}
	switch p.Recurrency {
	case schedule.Daily:
		passed %= 24 * time.Hour
	case schedule.Weekly:
		passed %= 7 * 24 * time.Hour
	}
	if c.Duration > 0 && passed >= c.Duration {
		return -1
	}
	limit := unit.Current(-1)
	for _, d := range slices.Backward(c.Periods) {
		if d.Start <= passed {
			phases := int64(d.Phases)
			if phases == 0 {
				phases = 3
			}
			if limit = unit.Current(d.Limit); c.Unit == schedule.Watts {
				limit = unit.Current(d.Limit * 1000 / (int64(station.NominalVoltage) * phases))
			}
			break
		}
	}
	return limit
}
