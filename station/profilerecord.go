package station

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// profileWire is an installed charging profile on flash. Fields may be added, never renamed.
type profileWire struct {
	ID          int                 `json:"id"`
	EVSE        term.EVSEID         `json:"evse"`
	Source      schedule.Source     `json:"src"`
	Received    time.Time           `json:"at"`
	Stack       int                 `json:"stack"`
	Purpose     schedule.Purpose    `json:"for"`
	Kind        schedule.Kind       `json:"kind"`
	Recurrency  schedule.Recurrency `json:"every,omitempty"`
	From        time.Time           `json:"from,omitzero"`
	To          time.Time           `json:"to,omitzero"`
	Transaction term.TransactionID  `json:"tx,omitempty"`
	Schedules   []scheduleWire      `json:"plans"`
}

type scheduleWire struct {
	ID      int           `json:"id"`
	Start   time.Time     `json:"start,omitzero"`
	Seconds int64         `json:"s,omitempty"`
	Unit    schedule.Unit `json:"unit"`
	MinRate int64         `json:"min,omitempty"`
	Periods [][4]int64    `json:"p"` // start in seconds, limit in thousandths, phases, phase to use
}

// EncodeProfile returns the record value of an installed profile.
func EncodeProfile(in *schedule.Installed) []byte {
	p := &in.Profile
	w := profileWire{ID: p.ID, EVSE: in.EVSE, Source: in.Source, Received: in.Received, Stack: p.StackLevel, Purpose: p.Purpose, Kind: p.Kind,
		Recurrency: p.Recurrency, From: p.ValidFrom, To: p.ValidTo, Transaction: p.Transaction}
	for i := range p.Schedules {
		c := &p.Schedules[i]
		sw := scheduleWire{ID: c.ID, Start: c.Start, Seconds: int64(c.Duration / time.Second), Unit: c.Unit, MinRate: c.MinRate}
		for _, d := range c.Periods {
			sw.Periods = append(sw.Periods, [4]int64{int64(d.Start / time.Second), d.Limit, int64(d.Phases), int64(d.PhaseToUse)})
		}
		w.Schedules = append(w.Schedules, sw)
	}
	return appendJSON(nil, w)
}

// DecodeProfile is the inverse of EncodeProfile.
func DecodeProfile(value []byte) (in schedule.Installed, err error) {
	var w profileWire
	if err := json.Unmarshal(value, &w); err != nil {
		return in, fmt.Errorf("charging profile: %w", err)
	}
	in = schedule.Installed{EVSE: w.EVSE, Source: w.Source, Received: w.Received, Profile: schedule.Profile{ID: w.ID, StackLevel: w.Stack,
		Purpose: w.Purpose, Kind: w.Kind, Recurrency: w.Recurrency, ValidFrom: w.From, ValidTo: w.To, Transaction: w.Transaction}}
	for _, sw := range w.Schedules {
		c := schedule.Schedule{ID: sw.ID, Start: sw.Start, Duration: time.Duration(sw.Seconds) * time.Second, Unit: sw.Unit, MinRate: sw.MinRate}
		for _, d := range sw.Periods {
			c.Periods = append(c.Periods, schedule.Period{Start: time.Duration(d[0]) * time.Second, Limit: d[1], Phases: int8(d[2]), PhaseToUse: int8(d[3])})
		}
		if len(c.Periods) == 0 {
			return in, fmt.Errorf("charging profile %d: a schedule without periods", w.ID)
		}
		in.Profile.Schedules = append(in.Profile.Schedules, c)
	}
	if len(in.Profile.Schedules) == 0 {
		return in, fmt.Errorf("charging profile %d: no schedule", w.ID)
	}
	return in, nil
}

// keepProfile records an installed profile (K01.FR.27).
func (s *Station) keepProfile(in schedule.Installed) {
	s.record(BucketProfile, strconv.Itoa(in.Profile.ID), EncodeProfile(&in))
	s.out.MustSync = true
}

func (s *Station) forgetProfile(id int) {
	s.record(BucketProfile, strconv.Itoa(id), nil)
	s.out.MustSync = true
}

// startingPrefix begins the key of a profile that waits for a car together with its transaction.
const startingPrefix = "start/"

// keepStarting records the profile of a remote start whose transaction has begun without an EVSE.
func (s *Station) keepStarting(w waiting) {
	if w.tx != nil && w.profile != nil {
		in := schedule.Installed{Source: schedule.SourceCSO, Received: s.wall(), Profile: *w.profile}
		s.record(BucketProfile, startingPrefix+string(w.tx.ID), EncodeProfile(&in))
	}
}

func (s *Station) forgetStarting(w waiting) {
	if w.tx != nil && w.profile != nil {
		s.record(BucketProfile, startingPrefix+string(w.tx.ID), nil)
	}
}

func (s *Station) restoreChargingProfile(r Record) error {
	if tx, ok := strings.CutPrefix(r.Key, startingPrefix); ok {
		return s.restoreStarting(term.TransactionID(tx), r.Value)
	}
	in, err := DecodeProfile(r.Value)
	if err != nil {
		return err
	}
	if in.EVSE < 0 || int(in.EVSE) > len(s.evses) {
		return fmt.Errorf("charging profile %s: no EVSE %d", r.Key, in.EVSE)
	}
	s.charging.set.Restore(in)
	return nil
}

func (s *Station) restoreStarting(tx term.TransactionID, value []byte) error {
	in, err := DecodeProfile(value)
	if err != nil {
		return err
	}
	if s.charging.starting == nil {
		s.charging.starting = map[term.TransactionID]*schedule.Profile{}
	}
	s.charging.starting[tx] = &in.Profile
	return nil
}

// sweepProfiles deletes the profiles of transactions that do not run any more: the end of one and its profiles are one
// batch, but what storage found damaged may have lost half of it.
func (s *Station) sweepProfiles() {
	for _, in := range s.charging.set.List(schedule.Filter{Purpose: schedule.PurposeTx}, nil) {
		if e := s.evse(in.EVSE); e == nil || e.tx == nil || e.tx.ID != in.Profile.Transaction {
			s.charging.set.Remove(in.Profile.ID)
			s.forgetProfile(in.Profile.ID)
		}
	}
	for _, w := range s.queue {
		if w.tx != nil {
			delete(s.charging.starting, w.tx.ID)
		}
	}
	for _, tx := range slices.Sorted(maps.Keys(s.charging.starting)) {
		s.record(BucketProfile, startingPrefix+string(tx), nil)
	}
	s.charging.starting = nil
}
