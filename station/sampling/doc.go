// Package sampling makes meter values out of meter readings: which measurands, at which moments, in which words of
// OCPP 2.x block J, and how many of them are kept until a transaction ends. It is pure: readings, wall time and
// monotonic time come in as values.
//
//	MeterReading ──► Series.Select ──► []SampledValue ──► MeterValue ──► Updated, MeterValues
//	                                                          └────────► Kept ──► Ended
//
// Periodic and Aligned say when the next reading is due. AppendBinary keeps meter values on flash.
package sampling

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Config holds the values of the device model that sampling obeys.
type Config struct {
	SampledEnabled    bool             // SampledDataCtrlr.Enabled
	TxStarted         []term.Measurand // SampledDataCtrlr.TxStartedMeasurands
	TxUpdated         []term.Measurand // SampledDataCtrlr.TxUpdatedMeasurands
	TxEnded           []term.Measurand // SampledDataCtrlr.TxEndedMeasurands
	TxUpdatedInterval time.Duration    // SampledDataCtrlr.TxUpdatedInterval; 0: no Updated events for samples
	TxEndedInterval   time.Duration    // SampledDataCtrlr.TxEndedInterval; 0: only begin and end are kept

	AlignedEnabled         bool             // AlignedDataCtrlr.Enabled
	Aligned                []term.Measurand // AlignedDataCtrlr.Measurands
	AlignedTxEnded         []term.Measurand // AlignedDataCtrlr.TxEndedMeasurands
	AlignedInterval        time.Duration    // AlignedDataCtrlr.Interval; 0: none
	AlignedTxEndedInterval time.Duration    // AlignedDataCtrlr.TxEndedInterval; 0: none
	SendDuringIdle         bool             // AlignedDataCtrlr.SendDuringIdle of the station
}

// Effective returns the configuration with everything blanked that is switched off.
func (c Config) Effective() Config {
	if !c.SampledEnabled {
		c.TxStarted, c.TxUpdated, c.TxEnded = nil, nil, nil
		c.TxUpdatedInterval, c.TxEndedInterval = 0, 0
	}
	if !c.AlignedEnabled {
		c.Aligned, c.AlignedTxEnded = nil, nil
		c.AlignedInterval, c.AlignedTxEndedInterval = 0, 0
	}
	return c
}

// SendsAligned reports whether clock-aligned values of an EVSE may be sent now. evseIdleOnly is SendDuringIdle of that
// EVSE, evseBusy and anyBusy tell of ongoing transactions. It is about MeterValues and Updated events only: values
// that are kept for the Ended event are taken in any case.
func (c Config) SendsAligned(evseIdleOnly, evseBusy, anyBusy bool) bool {
	return !(evseIdleOnly && evseBusy) && // J01.FR.19
		!(c.SendDuringIdle && anyBusy) // J01.FR.20
}

// Supported lists what a meter of this station and the offer to the car can give, in OCPP's order of names. The
// reactive measurands are missing: hal.MeterReading carries none.
func Supported() []term.Measurand {
	return []term.Measurand{
		term.CurrentExport, term.CurrentImport, term.CurrentOffered,
		term.EnergyActiveExportInterval, term.EnergyActiveExportRegister,
		term.EnergyActiveImportInterval, term.EnergyActiveImportRegister,
		term.Frequency, term.PowerActiveExport, term.PowerActiveImport, term.PowerFactor, term.PowerOffered,
		term.SoC, term.Voltage,
	}
}
