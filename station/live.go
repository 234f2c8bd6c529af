package station

import (
	"strconv"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/term"
)

func (s *Station) modelConfig() model.Config {
	c := model.Config{Identity: s.cfg.Name, Vendor: s.cfg.Identity.Vendor, Model: s.cfg.Identity.Model, Slots: s.cfg.Slots,
		Measurands: sampling.Supported(), ParkingBay: s.cfg.Bays, Lights: s.cfg.Lights, ListEntries: s.cfg.LocalListMax, Veto: s.veto}
	c.SignedParts = true
	for _, e := range s.cfg.EVSEs {
		c.Signed = c.Signed || e.Signs != SignsNothing
		c.SignedParts = c.SignedParts && e.Signs != SignsTransactions
		me := model.EVSE{ID: e.ID, EvseID: e.Name, Phases: e.Phases, Signed: e.Signs != SignsNothing,
			MaxPower: unit.Power(int64(e.MaxCurrent.Times(NominalVoltage)) * int64(max(e.Phases, 1)))}
		for _, k := range e.Connectors {
			me.Connectors = append(me.Connectors, model.Connector{ID: k.ID, Type: k.Type, Phases: e.Phases, Fixed: k.Tethered})
		}
		c.EVSEs = append(c.EVSEs, me)
	}
	return c
}

// Live answers the device model's question for a value that is not stored but is.
func (s *Station) Live(ref term.Ref, id model.ID) (string, bool) {
	switch id {
	case model.StationAvailabilityState:
		return string(s.stationStatus()), true
	case model.StationProblem:
		return strconv.FormatBool(s.faults != 0), true
	case model.DateTime:
		return s.wall().Format(time.RFC3339), true
	case model.AuthCacheStorage:
		return strconv.Itoa(s.auth.Cache.Bytes()), true
	case model.LocalAuthListEntries:
		return strconv.Itoa(s.auth.List.Entries), true
	case model.LocalAuthListStorage:
		return strconv.Itoa(s.auth.List.Entries * listEntryBytes), true
	case model.ActiveNetworkProfile:
		return strconv.Itoa(s.slot), true
	case model.SecurityProfile:
		return strconv.Itoa(s.securityLevel()), true
	case model.ChargingProfileEntries:
		return strconv.Itoa(s.charging.set.Len()), true
	case model.CertificateEntries:
		return strconv.Itoa(s.certs.store.Len()), true
	case model.DefaultMessageTimeout:
		if p, ok := s.profiles[s.slot]; ok {
			return strconv.Itoa(int(p.MessageTimeout / time.Second)), true
		}
		return "", false
	}
	return s.liveEVSE(ref, id)
}

// listEntryBytes is the mean size of an entry of the local list's side file, for LocalAuthListCtrlr.Storage.
const listEntryBytes = 64

func (s *Station) liveEVSE(ref term.Ref, id model.ID) (string, bool) {
	e := s.evse(ref.EVSE)
	if e == nil {
		return "", false
	}
	_, c := s.connector(ref)
	switch id {
	case model.EVSEAvailabilityState:
		return string(s.evseStatus(e)), true
	case model.FiscalMeteringPublicKey:
		return string(term.OCAPublicKey(e.signing.key)), e.signing.key != nil
	case model.EVSEProblem:
		return strconv.FormatBool(e.meterSeen() != 0), true
	case model.EVSEPower:
		return string(unit.AppendMilli(nil, int64(e.power()))), true
	case model.ConnectorAvailabilityState:
		if c != nil {
			return string(s.statusOf(e, c)), true
		}
	case model.ConnectorProblem: // a problem of the lock is one of the connector too
		if c != nil {
			return strconv.FormatBool(c.faults&^meterFaults != 0), true
		}
	case model.LockProblem:
		if c != nil {
			return strconv.FormatBool(c.faults&lockFaults != 0), true
		}
	}
	return "", false
}

// evseStatus is the status of an EVSE: that of the connector in use, else the best that it has to offer.
func (s *Station) evseStatus(e *evse) ConnectorStatus {
	if e.active >= 0 {
		return s.statusOf(e, &e.conns[e.active])
	}
	best := s.statusOf(e, &e.conns[0])
	for j := range e.conns {
		if st := s.statusOf(e, &e.conns[j]); rank(st) < rank(best) {
			best = st
		}
	}
	return best
}

// stationStatus is the best status of its EVSEs.
func (s *Station) stationStatus() ConnectorStatus {
	if len(s.evses) == 0 {
		return StatusUnavailable
	}
	best := s.evseStatus(&s.evses[0])
	for i := range s.evses {
		if st := s.evseStatus(&s.evses[i]); rank(st) < rank(best) {
			best = st
		}
	}
	return best
}

// rank orders statuses by what a driver can expect of them.
func rank(st ConnectorStatus) int {
	switch st {
	case StatusAvailable:
		return 0
	case StatusReserved:
		return 1
	case StatusOccupied:
		return 2
	case StatusUnavailable:
		return 3
	}
	return 4
}

// diagnosticState is the snapshot for console and simulator API.
func (s *Station) diagnosticState() DiagnosticState {
	d := DiagnosticState{Registration: s.boot.status, Connected: s.online(), Clock: s.wall(), ClockSet: s.clock.known, Boots: s.boot.boots,
		Faults: s.faults.list(), Storage: s.storage, NetworkSlot: s.slot, SecurityProfile: s.profile, Certificates: s.certs.store.Summaries()}
	if !s.boot.offline.IsZero() {
		d.Offline = s.now.Sub(s.boot.offline)
	}
	for i := range s.evses {
		e := &s.evses[i]
		v := EVSEState{ID: e.cfg.ID, Operative: s.operative(e), Reserved: e.reserved, State: e.state, Energy: e.reading.Import, Refusal: e.refusal}
		if e.reserved {
			v.Reservation = e.heldFor
		}
		if e.tx != nil {
			v.Transaction = e.tx.ID
		}
		if e.grant != nil {
			v.Token = e.grant.Token
		}
		for j := range e.conns {
			c := &e.conns[j]
			v.Limit = max(v.Limit, c.permit.Max)
			v.LimitBy = e.bounds.reason()
			v.Connectors = append(v.Connectors, ConnectorState{ID: c.ref.Connector, Status: s.statusOf(e, c), Faults: append(c.faults.list(), e.faults.list()...)})
		}
		d.EVSEs = append(d.EVSEs, v)
	}
	return d
}
