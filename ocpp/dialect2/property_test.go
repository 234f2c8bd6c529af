package dialect2

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Whatever a transaction event says within its bounds can be read back from the wire, in both versions: only the clock
// of an event is told in milliseconds, its charging time in seconds and its cable in ampere.
func TestTransactionEventLosesNothing(t *testing.T) {
	const runs = 4000
	for _, v := range versions {
		d := New(v) // one for all: what it reuses may not leak from event to event
		for seed := range uint64(runs) {
			e := anyEvent(rand.New(rand.NewPCG(seed, 1)))
			calls, err := d.Encode(station.Report{ID: station.ReportID(seed), Body: e}, nil)
			if err != nil || len(calls) != 1 {
				t.Fatalf("%v seed %d: %v of %+v", v, seed, err, e)
			}
			var m msg2.TransactionEventRequest
			var body rpc.Body
			body.Reset(string(calls[0].Payload), rpc.Limits{})
			if err := msg2.Decode(&body, &m, v); err != nil {
				t.Fatalf("%v seed %d: %v in %s", v, seed, err, calls[0].Payload)
			}
			want := told(e)
			if v == rpc.V201 && want.Trigger == term.TriggerTxResumed {
				want.Trigger = term.TriggerChargingStateChanged
			}
			if got := eventOf(t, &m, v, e); !reflect.DeepEqual(got, want) {
				t.Fatalf("%v seed %d: got\n%+v\nwant\n%+v\nfrom %s", v, seed, got, want, calls[0].Payload)
			}
		}
	}
}

// told returns what of e a wire can tell.
func told(e *station.TransactionEvent) station.TransactionEvent {
	w := *e
	w.ClockUnsure = false // no version has a word for it
	w.At = w.At.Truncate(time.Millisecond)
	if w.ChargingTime >= 0 {
		w.ChargingTime = w.ChargingTime.Truncate(time.Second)
	}
	w.CableMax = w.CableMax / unit.Ampere * unit.Ampere
	if !w.HasRemoteStart {
		w.RemoteStartID = 0
	}
	if !w.HasReservation || w.ReservationID < 0 {
		w.ReservationID, w.HasReservation = 0, false
	}
	if w.Ref.EVSE == 0 {
		w.Ref = term.Ref{}
	}
	w.Values = nil
	for _, mv := range e.Values {
		if len(mv.Sampled) > 0 {
			mv.At = mv.At.Truncate(time.Millisecond)
			w.Values = append(w.Values, mv)
		}
	}
	return w
}

// eventOf reads an event as a CSMS would, with the defaults of the schemas.
func eventOf(t *testing.T, m *msg2.TransactionEventRequest, v rpc.Version, sent *station.TransactionEvent) station.TransactionEvent {
	t.Helper()
	e := station.TransactionEvent{
		Phase:          map[msg2.TransactionEvent]station.Phase{"Started": station.PhaseStarted, "Updated": station.PhaseUpdated, "Ended": station.PhaseEnded}[m.EventType],
		At:             m.Timestamp,
		Trigger:        term.TriggerReason(m.TriggerReason),
		SeqNo:          m.SeqNo,
		Offline:        m.Offline.Or(false),
		Transaction:    term.TransactionID(m.TransactionInfo.TransactionID),
		ChargingState:  term.ChargingState(m.TransactionInfo.ChargingState),
		ChargingTime:   -1,
		StoppedReason:  term.StopReason(m.TransactionInfo.StoppedReason),
		RemoteStartID:  m.TransactionInfo.RemoteStartID.V,
		HasRemoteStart: m.TransactionInfo.RemoteStartID.Has,
		Ref:            term.Ref{EVSE: term.EVSEID(m.EVSE.V.ID), Connector: term.ConnectorID(m.EVSE.V.ConnectorID.V)},
		ReservationID:  m.ReservationID.V,
		HasReservation: m.ReservationID.Has,
		PhasesUsed:     int8(m.NumberOfPhasesUsed.Or(-1)),
		CableMax:       unit.Current(m.CableMaxCurrent.V) * unit.Ampere,
	}
	if s, ok := m.TransactionInfo.TimeSpentCharging.Get(); ok {
		e.ChargingTime = time.Duration(s) * time.Second
	}
	if m.IdToken.Has {
		e.Token, e.Info = rejoin(t, &m.IdToken.V, v, sent)
	}
	for _, mv := range m.MeterValue {
		value := term.MeterValue{At: mv.Timestamp}
		for _, s := range mv.SampledValue {
			value.Sampled = append(value.Sampled, sampleOf(t, s))
		}
		e.Values = append(e.Values, value)
	}
	return e
}

// rejoin puts a token together again. Toward 2.0.1 long values come in pieces of 36 characters, and in place of a token
// that it cannot carry stands a Central one with the true one first in additionalInfo.
func rejoin(t *testing.T, m *msg2.IdToken, v rpc.Version, sent *station.TransactionEvent) (term.IdToken, []term.AdditionalInfo) {
	t.Helper()
	var info []term.AdditionalInfo
	whole := true
	for _, a := range m.AdditionalInfo {
		if n := len(info); !whole && info[n-1].Type == a.Type {
			info[n-1].Value += a.AdditionalIdToken
		} else {
			info = append(info, term.AdditionalInfo{Value: a.AdditionalIdToken, Type: a.Type})
		}
		whole = v == rpc.V21 || len([]rune(a.AdditionalIdToken)) < maxToken201
	}
	token := term.IdToken{Value: m.IdToken, Type: term.IdTokenType(m.Type)}
	if sent.Token == token {
		return token, info
	}
	if v != rpc.V201 || token.Type != term.TokenCentral || len(info) == 0 {
		t.Fatalf("token %+v was told as %+v", sent.Token, m)
	}
	true1 := info[0]
	if info = info[1:]; len(info) == 0 {
		info = nil
	}
	return term.IdToken{Value: true1.Value, Type: term.IdTokenType(true1.Type)}, info
}

func sampleOf(t *testing.T, m msg2.SampledValue) term.SampledValue {
	t.Helper()
	value, ok := m.Value.Milli()
	measurand, known := term.ParseMeasurand(string(m.Measurand))
	if !ok || !known {
		t.Fatalf("sample %+v", m)
	}
	s := term.SampledValue{Value: value, Measurand: measurand}
	if got := m.UnitOfMeasure.V.Unit.Or("Wh"); got != measurand.Unit() && measurand != term.PowerFactor {
		t.Fatalf("%v is told in %q", measurand, got)
	}
	for m.Context != msg2.ReadingContext(s.Context.String()) {
		s.Context++
	}
	for m.Phase != msg2.Phase(s.Phase.String()) {
		s.Phase++
	}
	for m.Location != "" && m.Location != msg2.Location(s.Location.String()) {
		s.Location++
	}
	return s
}

var (
	triggers = []term.TriggerReason{
		term.TriggerAbnormalCondition, term.TriggerAuthorized, term.TriggerCablePluggedIn, term.TriggerChargingStateChanged,
		term.TriggerDeauthorized, term.TriggerEnergyLimitReached, term.TriggerEVCommunicationLost, term.TriggerEVConnectTimeout,
		term.TriggerEVDeparted, term.TriggerEVDetected, term.TriggerMeterValueClock, term.TriggerMeterValuePeriodic,
		term.TriggerRemoteStart, term.TriggerRemoteStop, term.TriggerResetCommand, term.TriggerSignedDataReceived,
		term.TriggerStopAuthorized, term.TriggerTrigger, term.TriggerTxResumed, term.TriggerUnlockCommand,
	}
	stops = []term.StopReason{
		"", term.StopDeAuthorized, term.StopEmergencyStop, term.StopEVDisconnected, term.StopGroundFault, term.StopImmediateReset,
		term.StopMasterPass, term.StopLocal, term.StopOther, term.StopOvercurrent, term.StopPowerLoss, term.StopReboot,
		term.StopRemote, term.StopByEV, term.StopTimeout, term.StopEnergyLimit,
	}
	states = []term.ChargingState{
		"", term.ChargingIdle, term.ChargingEVConnected, term.ChargingCharging, term.ChargingSuspendedEV, term.ChargingSuspendedEVSE,
	}
	tokenTypes = []term.IdTokenType{
		term.TokenCentral, term.TokenDirectPayment, term.TokenEMAID, term.TokenISO14443, term.TokenISO15693, term.TokenKeyCode,
		term.TokenLocal, term.TokenMacAddress, term.TokenNoAuthorization, term.TokenVIN, "EVCCID", "somethingOfTwentyCh",
	}
)

func anyEvent(r *rand.Rand) *station.TransactionEvent {
	e := &station.TransactionEvent{
		Phase:          station.PhaseStarted + station.Phase(r.IntN(3)),
		At:             anyTime(r),
		ClockUnsure:    r.IntN(2) == 0,
		Trigger:        pick(r, triggers),
		SeqNo:          r.IntN(math.MaxInt32),
		Offline:        r.IntN(2) == 0,
		Transaction:    term.TransactionID(anyText(r, 36)),
		ChargingState:  pick(r, states),
		ChargingTime:   -1,
		StoppedReason:  pick(r, stops),
		RemoteStartID:  int(int32(r.Uint32())),
		HasRemoteStart: r.IntN(2) == 0,
		Ref:            term.Ref{EVSE: term.EVSEID(r.IntN(4)), Connector: term.ConnectorID(r.IntN(3))},
		ReservationID:  r.IntN(4) - 1,
		HasReservation: r.IntN(2) == 0,
		PhasesUsed:     int8(r.IntN(5) - 1),
		CableMax:       unit.Current(r.IntN(80_000)),
	}
	if e.PhasesUsed > 3 {
		e.PhasesUsed = 3
	}
	if r.IntN(3) > 0 {
		e.ChargingTime = time.Duration(r.Int64N(int64(math.MaxInt32 * time.Second)))
	}
	if r.IntN(2) == 0 {
		e.Token = term.IdToken{Value: anyText(r, term.MaxIdToken), Type: pick(r, tokenTypes)}
		for i := range r.IntN(3) {
			kind := string(rune('a'+i)) + anyText(r, 49) // told apart by their first letter
			e.Info = append(e.Info, term.AdditionalInfo{Value: anyText(r, 255), Type: kind})
		}
	}
	for range r.IntN(4) {
		e.Values = append(e.Values, term.MeterValue{At: anyTime(r), Sampled: anySamples(r)})
	}
	return e
}

func anySamples(r *rand.Rand) []term.SampledValue {
	var samples []term.SampledValue
	for range r.IntN(12) {
		samples = append(samples, term.SampledValue{
			Value:     int64(r.Uint64()) >> r.IntN(64),
			Measurand: term.Measurand(r.IntN(int(term.MeasurandCount))),
			Phase:     term.Phase(r.IntN(int(term.PhaseL3L1) + 1)),
			Context:   term.ReadingContext(r.IntN(int(term.InterruptionEnd) + 1)),
			Location:  term.Location(r.IntN(int(term.LocationBody) + 1)),
		})
	}
	return samples
}

func anyTime(r *rand.Rand) time.Time {
	return time.Unix(r.Int64N(4_000_000_000), r.Int64N(1_000_000_000)).UTC()
}

// anyText returns up to max characters, from a letter to a quote that must be escaped.
func anyText(r *rand.Rand, max int) string {
	alphabet := []rune(`abcXYZ019*-_=:+|@."\/` + "äß\u2028\u00a0\n\x01€😀")
	if r.IntN(2) == 0 {
		max = min(max, 36)
	}
	var b strings.Builder
	for range r.IntN(max + 1) {
		b.WriteRune(pick(r, alphabet))
	}
	return b.String()
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// The stand-in of a token that is too long is the same for equal tokens and another one for every other.
func TestStandIn(t *testing.T) {
	seen := map[string]term.IdToken{}
	for _, token := range []term.IdToken{
		bigToken,
		{Value: bigToken.Value, Type: term.TokenCentral},
		{Value: bigToken.Value + "0", Type: term.TokenKeyCode},
		{Value: bigToken.Value[:40], Type: term.TokenKeyCode},
	} {
		name := standIn(token)
		if other, ok := seen[name]; ok || len(name) != maxToken201 {
			t.Errorf("%q stands for %+v and %+v", name, token, other)
		}
		seen[name] = token
	}
	same := term.IdToken{Value: strings.ToLower(bigToken.Value), Type: bigToken.Type}
	if !same.Equal(bigToken) || standIn(same) != standIn(bigToken) {
		t.Error("equal tokens have two names")
	}
}
