package station_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// randomEvent makes a TransactionEvent as the core makes them: times in whole milliseconds, UTC.
func randomEvent(r *rand.Rand) *station.TransactionEvent {
	at := func() time.Time { return time.UnixMilli(r.Int64N(4e12)).UTC() }
	ev := &station.TransactionEvent{
		Phase: station.Phase(1 + r.IntN(3)), At: at(), ClockUnsure: r.IntN(2) == 0, Trigger: term.TriggerAuthorized, SeqNo: r.IntN(1 << 20),
		Offline: r.IntN(2) == 0, Transaction: "0b2f7f6e-1c55-4cb3-a5d5-7d3e6f2d9b11", ChargingTime: -1, PhasesUsed: int8(r.IntN(5) - 1),
		Begin: unit.Energy(r.IntN(3) - 1), Register: unit.Energy(r.Int64N(1e12)) - 1,
	}
	if r.IntN(2) == 0 {
		ev.ChargingState, ev.ChargingTime = term.ChargingCharging, time.Duration(r.Int64N(1e15))
	}
	if r.IntN(2) == 0 {
		ev.RemoteStartID, ev.HasRemoteStart = r.IntN(3)-1, true
	}
	if r.IntN(2) == 0 {
		ev.Ref = term.Ref{EVSE: term.EVSEID(r.IntN(5)), Connector: term.ConnectorID(r.IntN(3))}
		ev.CableMax = unit.Current(r.IntN(64)) * unit.Ampere
	}
	if r.IntN(2) == 0 {
		ev.Token = term.IdToken{Value: "\u00e9\"<&>\\ \u2028", Type: term.TokenKeyCode}
		ev.Info = []term.AdditionalInfo{{Value: "a", Type: "b"}}
		ev.StoppedReason = term.StopLocal
		if r.IntN(2) == 0 {
			ev.StoppedBy = term.IdToken{Value: "B", Type: term.TokenISO14443}
		}
		if ev.HasReservation = r.IntN(2) == 0; ev.HasReservation {
			ev.ReservationID = r.IntN(3) - 1
		}
	}
	for range r.IntN(4) {
		v := term.MeterValue{At: at()}
		for range 1 + r.IntN(5) {
			v.Sampled = append(v.Sampled, term.SampledValue{Value: r.Int64() - r.Int64(), Measurand: term.Measurand(r.IntN(int(term.MeasurandCount))),
				Phase: term.Phase(r.IntN(4)), Context: term.ReadingContext(r.IntN(5)), Location: term.Location(r.IntN(3))})
		}
		if r.IntN(3) == 0 {
			v.Signed = &term.SignedMeterValue{Data: []byte("OCMF|{}|{\"SD\":\"\xff\"}"), SigningMethod: "ECDSA-secp256r1-SHA256", EncodingMethod: "OCMF"}
		}
		if r.IntN(3) == 0 && v.Signed != nil {
			v.Signed.PublicKey = []byte{0x30, 0}
		}
		ev.Values = append(ev.Values, v)
	}
	return ev
}

// TestOutboxRoundTrip: what is read back from flash is what was told, in every field, and is written the same again. So a
// message that is sent a second time, after a restart too, is the same message.
func TestOutboxRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 2000 {
		want := station.Report{ID: station.ReportID(n), Class: station.Kept, Body: randomEvent(r)}
		if n%10 == 0 {
			want.Body = station.SecurityEvent{Type: station.ResetOrReboot, At: time.UnixMilli(r.Int64N(4e12)).UTC(), Info: "x\"y"}
		}
		value := station.EncodeReport(want)
		got, err := station.DecodeReport(want.ID, value)
		if err != nil {
			t.Fatalf("decode %q: %v", value, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read back\n%+v\nwant\n%+v", got.Body, want.Body)
		}
		if again := station.EncodeReport(got); string(again) != string(value) {
			t.Fatalf("written again\n%q\nwant\n%q", again, value)
		}
	}
}

func FuzzDecodeReport(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		f.Add(station.EncodeReport(station.Report{Body: randomEvent(r)}))
	}
	f.Add(station.EncodeReport(station.Report{Body: station.SecurityEvent{Type: "x", Info: "y"}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		first, err := station.DecodeReport(7, value)
		if err != nil {
			return
		}
		second, err := station.DecodeReport(7, station.EncodeReport(first))
		if err != nil {
			t.Fatalf("read what was written: %v", err)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("read back\n%+v\nwant\n%+v", second.Body, first.Body)
		}
	})
}
