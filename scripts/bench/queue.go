package main

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

const (
	queueSize     = 100_000 // as many events as the outbox holds before it is thinned
	queuePerTx    = 100     // of them in one transaction
	queueBatch    = 200     // handed over at once
	queueSpacing  = 10 * time.Second
	queueReadings = 6 // of the meter in one event
)

// queuedEvent is the n-th event of a station that has been offline: whole transactions, one after the other, with sampled
// values of all phases: an event is of about eventSize bytes.
func queuedEvent(n int) *station.TransactionEvent {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * queueSpacing)
	ev := &station.TransactionEvent{Phase: station.PhaseUpdated, At: at, Trigger: term.TriggerMeterValuePeriodic, SeqNo: n % queuePerTx, Offline: true,
		Transaction: queuedTransaction(n), ChargingState: term.ChargingCharging, ChargingTime: -1, PhasesUsed: -1,
		Ref: term.Ref{EVSE: 1, Connector: 1}}
	for i := range queueReadings {
		ev.Values = append(ev.Values, term.MeterValue{At: at.Add(time.Duration(i) * queueSpacing / queueReadings), Sampled: queuedSamples(n*queueReadings + i)})
	}
	switch n % queuePerTx {
	case 0:
		ev.Phase, ev.Trigger = station.PhaseStarted, term.TriggerAuthorized
		ev.Token = term.IdToken{Value: "04A1B2C3D4E5F6", Type: term.TokenISO14443}
	case queuePerTx - 1:
		ev.Phase, ev.Trigger, ev.StoppedReason = station.PhaseEnded, term.TriggerStopAuthorized, term.StopLocal
	}
	return ev
}

func queuedTransaction(n int) term.TransactionID {
	return term.TransactionID(fmt.Sprintf("5f2c9a52-6a1c-4a52-9d3b-%012d", n/queuePerTx))
}

// queuedSamples is the n-th reading of the meter: no two are the same.
func queuedSamples(n int) []term.SampledValue {
	out := []term.SampledValue{{Value: int64(n) * 7_500, Measurand: term.EnergyActiveImportRegister}}
	for i, m := range []term.Measurand{term.Voltage, term.CurrentImport, term.PowerActiveImport} {
		for j, p := range []term.Phase{term.PhaseL1, term.PhaseL2, term.PhaseL3} {
			out = append(out, term.SampledValue{Value: 230_000 + int64((n*31+i*7+j)*7919%20_000), Measurand: m, Phase: p})
		}
	}
	return out
}

// fillQueue puts the first n events into an outbox.
func fillQueue(dir string, n int) error {
	s, _, err := storage.Open(dir, storage.Options{CheckpointRecords: 4096, MaxOutboxEntries: 2 * queueSize})
	if err != nil {
		return err
	}
	for at := 0; at < n && err == nil; at += queueBatch {
		var batch []station.Record
		for i := at; i < min(at+queueBatch, n); i++ {
			batch = append(batch, station.Record{Bucket: station.BucketOutbox, Key: key(i), Value: station.EncodeReport(station.Report{Body: queuedEvent(i)})})
		}
		err = s.Commit(batch)
	}
	if err != nil {
		s.Abandon()
		return err
	}
	return s.Close()
}
