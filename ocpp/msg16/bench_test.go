package msg16

import (
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
)

// busy are the messages that a station sends all day.
var busy = map[string]Message{
	"BootNotification": &BootNotificationRequest{ChargePointVendor: "Example", ChargePointModel: "Two", ChargePointSerialNumber: Some("SN-0001"),
		FirmwareVersion: Some("1.2.3"), MeterType: Some("EM24")},
	"MeterValues": &MeterValuesRequest{ConnectorID: 1, TransactionID: Some(4711), MeterValue: []MeterValue{value("10230.5"), value("10231.0")}},
	"StopTransaction": &StopTransactionRequest{TransactionID: 4711, MeterStop: 10231, Timestamp: noon, IdTag: Some("CAFE01"),
		Reason: ReasonEVDisconnected, TransactionData: []MeterValue{value("10000.0"), value("10231.0")}},
	"Heartbeat": &HeartbeatRequest{},
}

var noon = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func value(register string) MeterValue {
	return MeterValue{Timestamp: noon, SampledValue: []SampledValue{
		{Value: register, Context: ReadingContextSamplePeriodic, Measurand: MeasurandEnergyActiveImportRegister, Unit: UnitOfMeasureWh},
		{Value: "11040", Context: ReadingContextSamplePeriodic, Measurand: MeasurandPowerActiveImport, Unit: UnitOfMeasureW},
		{Value: "16.0", Context: ReadingContextSamplePeriodic, Measurand: MeasurandCurrentImport, Phase: PhaseL1, Unit: UnitOfMeasureA},
	}}
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 4096)
	for name, m := range busy {
		if got := testing.AllocsPerRun(100, func() {
			if _, err := AppendJSON(buf, m); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func TestDecodeHardlyAllocates(t *testing.T) {
	for name, m := range busy {
		text := encoded(t, m)
		got, _ := NewRequest(name)
		var b rpc.Body
		if n := testing.AllocsPerRun(100, func() {
			b.Reset(text, rpc.Limits{})
			if err := Decode(&b, got); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations in a message that was used before", name, n)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	buf := make([]byte, 0, 4096)
	for name, m := range busy {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				AppendJSON(buf, m)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, m := range busy {
		text := encoded(b, m)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var body rpc.Body
			for b.Loop() {
				got, _ := NewRequest(name)
				body.Reset(text, rpc.Limits{})
				if err := Decode(&body, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
