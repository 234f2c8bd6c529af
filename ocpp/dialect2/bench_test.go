package dialect2

import (
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// sampledEvent is a periodic Updated event with what a three-phase meter gives.
func sampledEvent() *station.TransactionEvent {
	samples := []term.SampledValue{{Value: 12_345_678}, {Value: 11_040_000, Measurand: term.PowerActiveImport}}
	for _, p := range []term.Phase{term.PhaseL1, term.PhaseL2, term.PhaseL3} {
		samples = append(samples,
			term.SampledValue{Value: 16_012, Measurand: term.CurrentImport, Phase: p},
			term.SampledValue{Value: 230_150, Measurand: term.Voltage, Phase: p})
	}
	return &station.TransactionEvent{
		Phase: station.PhaseUpdated, At: at, Trigger: term.TriggerMeterValuePeriodic, SeqNo: 42,
		Transaction: "5f2c9a52-6c0b-4a53-a0a1-0d9d9f8f3f01", ChargingState: term.ChargingCharging, ChargingTime: time.Hour,
		Ref: term.Ref{EVSE: 1, Connector: 1}, PhasesUsed: 3, CableMax: 32 * unit.Ampere,
		Values: []term.MeterValue{{At: at, Sampled: samples}},
	}
}

func BenchmarkEncodeTransactionEvent(b *testing.B) {
	d := New(rpc.V201)
	r := station.Report{ID: 1, Body: sampledEvent()}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Encode(r, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResultTransactionEvent(b *testing.B) {
	d := New(rpc.V201)
	call := ocpp.Call{Action: "TransactionEvent"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Result(call, `{}`, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Only the payload and the list of calls may be allocated: the message and the buffer are reused.
func TestEncodeTransactionEventAllocates(t *testing.T) {
	d := New(rpc.V201)
	r := station.Report{ID: 1, Body: sampledEvent()}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := d.Encode(r, nil); err != nil {
			t.Fatal(err)
		}
	}); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
