package cert16_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// samples are the sampled values of a list of meter values: measurand to context.
func samples(b *bench, values any) map[string]string {
	b.Helper()
	all := map[string]string{}
	list, _ := values.([]any)
	for _, v := range list {
		for _, s := range cases.Member(v, "sampledValue").([]any) {
			measurand, context := cases.Member(s, "measurand"), cases.Member(s, "context")
			if measurand == nil {
				measurand = "Energy.Active.Import.Register"
			}
			if context == nil {
				context = "Sample.Periodic"
			}
			all[measurand.(string)+" "+context.(string)] = fmt.Sprint(cases.Member(s, "value"))
		}
	}
	return all
}

// covers: TC_070_CS
func TestSampledMeterValues(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MeterValueSampleInterval", "20", "MeterValuesSampledData", "Energy.Active.Import.Register,Current.Import,Voltage",
			"StopTxnSampledData", "Energy.Active.Import.Register,Power.Active.Import")
		tx := b.charging(2, "TAG1")
		var last time.Time
		for i := range 3 {
			h := b.WantWithin(cases.Patience, "MeterValues", obj{"connectorId": 2, "transactionId": tx})
			if d := h.At.Sub(last).Round(time.Second); i > 0 && d != 20*time.Second {
				b.Errorf("samples are %v apart, want 20 s", d)
			}
			last = h.At
			got := samples(b, h.Body["meterValue"])
			for _, m := range []string{"Energy.Active.Import.Register", "Current.Import", "Voltage"} {
				if got[m+" Sample.Periodic"] == "" {
					b.Errorf("no %s in %v", m, h)
				}
			}
			if len(got) != 3 {
				b.Errorf("not asked for: %v", got)
			}
		}
		b.Swipe(2, "TAG1")
		got := samples(b, b.stops(2, tx, "Local")["transactionData"])
		for _, want := range []string{"Energy.Active.Import.Register Transaction.Begin", "Energy.Active.Import.Register Transaction.End",
			"Power.Active.Import Sample.Periodic"} {
			if got[want] == "" {
				b.Errorf("no %s in transactionData: %v", want, got)
			}
		}
		b.status(2, "Finishing")
		b.None(time.Minute, "MeterValues", nil)
	})
}

// covers: TC_071_CS
func TestClockAlignedMeterValues(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("ClockAlignedDataInterval", "60", "MeterValuesAlignedData", "Energy.Active.Import.Register,Voltage", "MeterValueSampleInterval", "0")
		for range 2 { // without a transaction, at each connector
			for _, c := range []int{1, 2} {
				h := b.WantWithin(2*time.Minute, "MeterValues", obj{"connectorId": c, "transactionId": nil})
				at := b.stamp(cases.Member(h.Body, "meterValue.0").(obj))
				if !at.Equal(at.Truncate(time.Minute)) {
					b.Errorf("%v is not aligned to a minute", at)
				}
				if got := samples(b, h.Body["meterValue"]); got["Voltage Sample.Clock"] == "" || got["Energy.Active.Import.Register Sample.Clock"] == "" {
					b.Errorf("aligned: %v", got)
				}
			}
		}
		tx := b.charging(2, "TAG1")
		h := b.WantWithin(2*time.Minute, "MeterValues", obj{"connectorId": 2, "transactionId": tx})
		if got := samples(b, h.Body["meterValue"]); got["Voltage Sample.Clock"] == "" {
			b.Errorf("aligned, in a transaction: %v", got)
		}
	})
}

// covers: TC_062_CS TC_064_CS
func TestDataTransfer(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("UnknownVendorId", "DataTransfer", obj{"vendorId": "com.example", "messageId": "greeting", "data": "hello"})
		b.charging(2, "TAG1")
		b.None(5*time.Minute, "DataTransfer", nil)
	})
}

// covers: TC_054_CS
func TestTriggerMessage(t *testing.T) {
	ready(t, func(b *bench) {
		trigger := func(status, message string, c int) {
			b.Helper()
			payload := obj{"requestedMessage": message}
			if c > 0 {
				payload["connectorId"] = c
			}
			b.Answers(status, "TriggerMessage", payload)
		}
		tx := b.charging(2, "TAG1")
		trigger("Accepted", "MeterValues", 2)
		h := b.Want("MeterValues", obj{"connectorId": 2, "transactionId": tx})
		if got := samples(b, h["meterValue"]); got["Energy.Active.Import.Register Trigger"] == "" {
			b.Errorf("triggered: %v", h)
		}
		trigger("Accepted", "Heartbeat", 0)
		b.Want("Heartbeat", nil)
		trigger("Accepted", "StatusNotification", 1)
		b.status(1, "Available")
		trigger("Accepted", "StatusNotification", 2)
		b.status(2, "Charging")
		trigger("Rejected", "BootNotification", 0) // it has been accepted; that it is up to the charge point is 5.17
		// There never is an update or an upload: the truth about them is Idle.
		for _, message := range []string{"DiagnosticsStatusNotification", "FirmwareStatusNotification"} {
			trigger("Accepted", message, 0)
			b.Want(message, obj{"status": "Idle"})
		}
	})
}

// covers: TC_055_CS
func TestTriggerMessageRejected(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("Rejected", "TriggerMessage", obj{"requestedMessage": "MeterValues", "connectorId": 7})
		b.Answers("Rejected", "TriggerMessage", obj{"requestedMessage": "StatusNotification", "connectorId": 7})
		b.None(5*time.Second, "MeterValues", nil)
	})
}
