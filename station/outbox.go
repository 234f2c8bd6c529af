package station

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/term"
)

// Outbox values: an OutboxHeader, a byte for the kind of report, then its JSON. Fields may be added, never renamed.
const (
	keptTransaction byte = 1
	keptSecurity    byte = 2
	keptReservation byte = 3
	keptFirmware    byte = 4
)

// txWire is a TransactionEvent on flash.
type txWire struct {
	At          time.Time             `json:"at"`
	Unsure      bool                  `json:"unsure,omitempty"`
	Trigger     term.TriggerReason    `json:"why"`
	Offline     bool                  `json:"off,omitempty"`
	State       term.ChargingState    `json:"st,omitempty"`
	Time        time.Duration         `json:"t,omitempty"` // charging time + 1 ns, so that "told as 0" differs from "not told"
	Reason      term.StopReason       `json:"end,omitempty"`
	Remote      *int                  `json:"rs,omitempty"`
	Ref         term.Ref              `json:"ref,omitzero"`
	Token       term.IdToken          `json:"tok,omitzero"`
	Info        []term.AdditionalInfo `json:"inf,omitempty"`
	Reservation *int                  `json:"res,omitempty"`
	Phases      int8                  `json:"ph"`
	Cable       unit.Current          `json:"cab,omitempty"`
	Values      []byte                `json:"v,omitempty"`
	Begin       unit.Energy           `json:"beg,omitempty"` // + 1 mWh, like Register: 0 is not known
	Register    unit.Energy           `json:"reg,omitempty"`
	StoppedBy   term.IdToken          `json:"by,omitzero"`
}

// EncodeReport returns the outbox value of a kept report.
func EncodeReport(r Report) []byte {
	switch b := r.Body.(type) {
	case *TransactionEvent:
		w := txWire{b.At, b.ClockUnsure, b.Trigger, b.Offline, b.ChargingState, b.ChargingTime + 1, b.StoppedReason, nil, b.Ref,
			b.Token, b.Info, nil, b.PhasesUsed, b.CableMax, nil, b.Begin + 1, b.Register + 1, b.StoppedBy}
		if b.HasRemoteStart {
			w.Remote = &b.RemoteStartID
		}
		if b.HasReservation {
			w.Reservation = &b.ReservationID
		}
		if len(b.Values) > 0 {
			w.Values = sampling.AppendBinary(nil, b.Values)
		}
		h := OutboxHeader{Phase: b.Phase, Transaction: b.Transaction, SeqNo: b.SeqNo}
		return appendJSON(append(h.AppendTo(nil), keptTransaction), w)
	case Unreadable:
		return slices.Clone(b)
	case SecurityEvent:
		return appendJSON(append(OutboxHeader{}.AppendTo(nil), keptSecurity), b)
	case ReservationStatus:
		return appendJSON(append(OutboxHeader{}.AppendTo(nil), keptReservation), b)
	case FirmwareStatus:
		return appendJSON(append(OutboxHeader{}.AppendTo(nil), keptFirmware), b)
	}
	panic(fmt.Sprintf("station: %T is not kept", r.Body))
}

func appendJSON(dst []byte, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("station: " + err.Error()) // plain data only
	}
	return append(dst, b...)
}

// DecodeReport is the inverse of EncodeReport: the report is equal in every field to the one that was kept.
func DecodeReport(id ReportID, value []byte) (Report, error) {
	h, rest, err := ParseOutboxHeader(value)
	if err != nil {
		return Report{}, err
	}
	r := Report{ID: id, Class: Kept}
	if len(rest) == 0 {
		return r, fmt.Errorf("read kept report %d: empty", id)
	}
	switch rest[0] {
	case keptTransaction:
		r.Body, err = decodeTransaction(h, rest[1:])
	case keptSecurity:
		var b SecurityEvent
		err = json.Unmarshal(rest[1:], &b)
		r.Body = b
	case keptReservation:
		var b ReservationStatus
		err = json.Unmarshal(rest[1:], &b)
		r.Body = b
	case keptFirmware:
		var b FirmwareStatus
		err = json.Unmarshal(rest[1:], &b)
		r.Body = b
	default:
		err = fmt.Errorf("unknown kind %d", rest[0])
	}
	if err != nil {
		return Report{}, fmt.Errorf("read kept report %d: %w", id, err)
	}
	return r, nil
}

func decodeTransaction(h OutboxHeader, b []byte) (*TransactionEvent, error) {
	var w txWire
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, err
	}
	ev := &TransactionEvent{Phase: h.Phase, At: w.At, ClockUnsure: w.Unsure, Trigger: w.Trigger, SeqNo: h.SeqNo, Offline: w.Offline,
		Transaction: h.Transaction, ChargingState: w.State, ChargingTime: w.Time - 1, StoppedReason: w.Reason, Ref: w.Ref, Token: w.Token,
		Info: w.Info, PhasesUsed: w.Phases, CableMax: w.Cable,
		Begin: w.Begin - 1, Register: w.Register - 1, StoppedBy: w.StoppedBy}
	if w.Remote != nil {
		ev.RemoteStartID, ev.HasRemoteStart = *w.Remote, true
	}
	if w.Reservation != nil {
		ev.ReservationID, ev.HasReservation = *w.Reservation, true
	}
	if len(w.Values) > 0 {
		v, _, err := sampling.ParseBinary(w.Values)
		if err != nil {
			return nil, err
		}
		ev.Values = v
	}
	return ev, nil
}
