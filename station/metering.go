package station

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/term"
)

// metering is what an EVSE's meter is being read for.
type metering struct {
	wants   wants
	asked   time.Time // when the reading for wants was asked for, monotonic
	instant time.Time // the clock-aligned instant that is being read for, wall time
	started time.Time // when the transaction began, monotonic: sampling counts from here
	updated sampling.Periodic
	ended   sampling.Periodic
	kept    sampling.Kept
	series  [trains]sampling.Series
}

// train is a sequence of samples with interval values of its own.
type train uint8

const (
	trainUpdated train = iota
	trainEnded
	trainAligned
	trainAlignedEnded
	trains
	trainNone // single values that no interval reaches to
)

// wants are the purposes of a reading that is under way.
type wants uint8

const (
	wantUpdated wants = 1 << iota // sampled values for an Updated event
	wantEnded                     // sampled values kept for the Ended event
	wantAligned                   // clock-aligned values
	wantAlignedEnded
	wantTrigger   // a MeterValues message was triggered (F06)
	wantTriggerTx // a TransactionEvent was triggered
	wantSampled   // a MeterValues message was triggered, of the sampled measurands
)

// meterPatience is how long a reading may take; after that the sample is lost and the meter is called faulty.
const meterPatience = 5 * time.Second

func (s *Station) samplingConfig() sampling.Config {
	m := s.model
	measurands := func(id model.ID) []term.Measurand {
		var ms []term.Measurand
		for _, name := range m.List(id) {
			v, ok := term.ParseMeasurand(name)
			if !ok {
				panic("station: measurand " + name)
			}
			ms = append(ms, v)
		}
		return ms
	}
	return sampling.Config{
		SampledEnabled: m.Bool(model.SampledDataEnabled),
		TxStarted:      measurands(model.SampledDataTxStartedMeasurands), TxUpdated: measurands(model.SampledDataTxUpdatedMeasurands),
		TxEnded:           measurands(model.SampledDataTxEndedMeasurands),
		TxUpdatedInterval: m.Duration(model.SampledDataTxUpdatedInterval), TxEndedInterval: m.Duration(model.SampledDataTxEndedInterval),
		AlignedEnabled: m.Bool(model.AlignedDataEnabled), Aligned: measurands(model.AlignedDataMeasurands),
		AlignedTxEnded:  measurands(model.AlignedDataTxEndedMeasurands),
		AlignedInterval: m.Duration(model.AlignedDataInterval), AlignedTxEndedInterval: m.Duration(model.AlignedDataTxEndedInterval),
		SendDuringIdle: m.Bool(model.AlignedDataSendDuringIdle),
	}.Effective()
}

// startSampling begins the intervals of a transaction.
func (s *Station) startSampling(e *evse) {
	e.meter.started = s.now
	e.meter.updated, e.meter.ended = sampling.Periodic{}, sampling.Periodic{}
	e.meter.kept = sampling.Kept{}
	if e.read { // the transaction's intervals count from its begin
		for _, t := range []train{trainUpdated, trainEnded, trainAlignedEnded} {
			e.meter.series[t] = sampling.Series{}
			e.meter.series[t].Select(nil, e.reading, sampling.Offer{}, nil, term.TransactionBegin)
		}
	}
	s.keepBegin(e)
	s.armSampling(e)
}

// keepBegin keeps the value at the start for the Ended event (E06.FR.11: with TxEndedInterval 0 it tells start and end).
func (s *Station) keepBegin(e *evse) {
	s.keep(e, trainNone, s.settings.sampling.TxEnded, term.TransactionBegin)
}

func (s *Station) armSampling(e *evse) {
	c := s.settings.sampling
	if e.meter.updated.Due(s.now, e.meter.started, c.TxUpdatedInterval) {
		s.want(e, wantUpdated)
	}
	if e.meter.ended.Due(s.now, e.meter.started, c.TxEndedInterval) {
		s.want(e, wantEnded)
	}
}

// sampleTimer asks for the readings that are due (J02.FR.11), and gives up on one that does not come.
func (s *Station) sampleTimer(e *evse) {
	if e.sampled() {
		s.armSampling(e)
	}
	if e.meter.wants == 0 || s.now.Sub(e.meter.asked) < meterPatience {
		return
	}
	if e.signing.busy() { // it signs, and is read again behind that
		e.meter.asked = s.now
		return
	}
	s.meterSilent(e)
}

// meterSilent gives up on a reading: samples are lost. What the CSMS asked for is told with the register as last read
// (F06.FR.10).
func (s *Station) meterSilent(e *evse) {
	w := e.meter.wants
	e.meter.wants = 0
	s.meterFault(e, true)
	s.serve(e, w&(wantTrigger|wantTriggerTx|wantSampled))
}

// sampled reports whether periodic samples are taken: a car is at the transaction's EVSE and its end is not decided.
func (e *evse) sampled() bool { return e.tx != nil && e.tx.Ending == nil && e.resume.IsZero() }

func (s *Station) sampleDeadline(e *evse) time.Time {
	var d time.Time
	if e.sampled() {
		d = earliest(e.meter.updated.Next(), e.meter.ended.Next())
	}
	if e.meter.wants != 0 {
		d = earliest(d, e.meter.asked.Add(meterPatience))
	}
	return d
}

func (s *Station) want(e *evse, w wants) {
	if s.wantSigned(e, w) {
		return
	}
	if e.meter.wants == 0 {
		e.meter.asked = s.now
		s.command(PollMeter{EVSE: e.cfg.ID})
	}
	e.meter.wants |= w
}

// startAligned arms the clock-aligned intervals anew, after the clock or the configuration changed.
func (s *Station) startAligned() {
	s.alignedNow.Due(s.wall(), s.settings.sampling.AlignedInterval)
	s.alignedEnded.Due(s.wall(), s.settings.sampling.AlignedTxEndedInterval)
	s.planAligned()
}

func (s *Station) planAligned() {
	next := earliest(s.alignedNow.Next(), s.alignedEnded.Next())
	if next.IsZero() {
		s.aligned = time.Time{}
		return
	}
	s.aligned = s.now.Add(next.Sub(s.wall()))
}

// alignedTimer asks every EVSE for the values of a clock-aligned instant (J01.FR.14, J01.FR.22).
func (s *Station) alignedTimer() {
	if !s.due(s.aligned) {
		return
	}
	c := s.settings.sampling
	instant := earliest(s.alignedNow.Next(), s.alignedEnded.Next())
	now := s.alignedNow.Due(s.wall(), c.AlignedInterval)
	ended := s.alignedEnded.Due(s.wall(), c.AlignedTxEndedInterval)
	busy := false
	for i := range s.evses {
		busy = busy || s.evses[i].tx != nil
	}
	for i := range s.evses {
		e := &s.evses[i]
		e.meter.instant = instant
		if now && c.SendsAligned(false, e.tx != nil, busy) {
			s.want(e, wantAligned)
		}
		if ended && e.sampled() {
			s.want(e, wantAlignedEnded)
		}
	}
	s.planAligned()
}

// meterRead takes a reading and everything it was wanted for.
func (s *Station) meterRead(ev MeterRead) {
	e := s.evse(ev.EVSE)
	if e == nil {
		return
	}
	r := ev.Reading
	if e.read && r.At.Before(e.reading.At) {
		return // older than what is known
	}
	if e.read && (r.Import < e.reading.Import || r.Export < e.reading.Export) || e.tx != nil && r.Import < e.tx.Last {
		s.meterFault(e, true) // a register may not fall (J02.FR.16); nothing of this reading is told
		return
	}
	s.meterFault(e, e.signing.failed != "")
	e.reading, e.read = r, true
	s.follow(e)
	w := e.meter.wants
	e.meter.wants = 0
	s.serve(e, w)
	if !e.resume.IsZero() {
		s.tryResume(e)
	}
}

// follow keeps what the running transaction knows of the meter.
func (s *Station) follow(e *evse) {
	if e.tx == nil {
		return
	}
	if !e.tx.HasBegin {
		e.tx.Begin, e.tx.HasBegin = e.reading.Import, true
		if !e.tx.Charged && e.tx.Ending == nil {
			s.keepBegin(e)
		}
	}
	e.tx.Last = e.reading.Import
	s.checkBudget(e)
}

// serve turns a reading into what it was wanted for.
func (s *Station) serve(e *evse, w wants) {
	c := s.settings.sampling
	if w&wantAligned != 0 {
		s.tellValues(e, c.Aligned, term.SampleClock, term.TriggerMeterValueClock)
	}
	if w&wantTrigger != 0 {
		s.tellTriggered(e, c.Aligned) // F06.FR.06
	}
	if w&wantSampled != 0 {
		s.tellTriggered(e, c.TxUpdated)
	}
	if e.tx == nil || e.tx.Ending != nil {
		return
	}
	if w&wantUpdated != 0 {
		s.sample(e, trainUpdated, c.TxUpdated, term.SamplePeriodic, term.TriggerMeterValuePeriodic)
	}
	if w&wantTriggerTx != 0 {
		s.sample(e, trainNone, c.TxUpdated, term.Trigger, term.TriggerTrigger)
	}
	kept := false
	if w&wantEnded != 0 {
		kept = s.keep(e, trainEnded, c.TxEnded, term.SamplePeriodic)
	}
	if w&wantAlignedEnded != 0 {
		kept = s.keep(e, trainAlignedEnded, c.AlignedTxEnded, term.SampleClock) || kept
	}
	if kept && s.storage == "" {
		s.saveTransaction(e.tx)
	}
}

// tellTriggered tells a triggered MeterValues message: the register at least.
func (s *Station) tellTriggered(e *evse, ms []term.Measurand) {
	if len(ms) == 0 {
		ms = []term.Measurand{term.EnergyActiveImportRegister}
	}
	if vs := s.valuesOf(e, trainNone, ms, term.Trigger); vs != nil {
		s.report(Now, "", s.meterValues(e, vs))
		s.early()
	}
}

// tellValues tells clock-aligned values: with the transaction that runs, or by themselves while somebody listens.
func (s *Station) tellValues(e *evse, ms []term.Measurand, c term.ReadingContext, trigger term.TriggerReason) {
	if e.tx != nil && e.tx.Ending == nil {
		s.sample(e, trainAligned, ms, c, trigger)
		return
	}
	if !s.online() {
		return
	}
	if vs := s.valuesOf(e, trainAligned, ms, c); vs != nil {
		s.report(Now, "", s.meterValues(e, vs))
	}
}

// meterValues tells values of an EVSE, and what goes on there.
func (s *Station) meterValues(e *evse, vs []term.MeterValue) MeterValues {
	m := MeterValues{EVSE: e.cfg.ID, Connector: s.refOf(e).Connector, Values: vs}
	if e.tx != nil && e.tx.Ending == nil {
		m.Transaction = e.tx.ID
	}
	return m
}

// sample tells an Updated event with values (J02.FR.11). While the storage is ill there are none of its own accord: the room
// that is left is for what ends the sessions.
func (s *Station) sample(e *evse, t train, ms []term.Measurand, c term.ReadingContext, trigger term.TriggerReason) {
	if s.storage != "" && trigger != term.TriggerTrigger {
		return
	}
	vs := s.valuesOf(e, t, ms, c)
	if vs == nil && trigger != term.TriggerTrigger {
		return
	}
	s.emit(e.tx, e, PhaseUpdated, trigger, func(ev *TransactionEvent) { ev.Values = s.signNow(e, t, vs) })
}

// keep adds a value to those for the Ended event, and reports whether there was one.
func (s *Station) keep(e *evse, t train, ms []term.Measurand, c term.ReadingContext) bool {
	vs := s.valuesOf(e, t, ms, c)
	for _, v := range vs {
		e.meter.kept.Add(v)
	}
	if len(vs) > 0 {
		e.tx.Samples = sampling.AppendBinary(nil, e.meter.kept.Values)
	}
	return len(vs) > 0
}

// meterFault raises or clears the fault of a meter that does not answer or counts backward.
func (s *Station) meterFault(e *evse, on bool) { e.faults.set(term.FaultMeter, on) }

// checkBudget ends the energy that a refused token may still use (E05.FR.03).
func (s *Station) checkBudget(e *evse) {
	g := e.grant
	if g == nil || g.Suspended || g.BudgetEnd == 0 || e.reading.Import < g.BudgetEnd {
		return
	}
	g.Suspended = true
	s.progress(e, "")
}

// energyBudget gives a refused token what MaxEnergyOnInvalidId still allows (E05.FR.03).
func (s *Station) energyBudget(e *evse) {
	g := e.grant
	if s.settings.maxEnergyInvalid == 0 || !e.read {
		g.Suspended = true // E05.FR.02
		return
	}
	if g.BudgetEnd == 0 { // counted from the refusal on
		g.BudgetEnd = e.reading.Import + unit.Energy(s.settings.maxEnergyInvalid)*unit.WattHour
	}
}
