package station

import (
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// meterSigning is what an EVSE's meter does for one transaction.
//
//	        driver and car                 contactor open
//	idle ──SignBegin──► beginning ─► counting ──SignEnd──► ending ─► signed
//	                     │    ▲                             │   ▲
//	                     └────┘ every signRetry             └───┘ until signPatience is over
//
// No energy flows before it counts.
type meterSigning struct {
	state     signState
	tx        term.TransactionID // that it is told; the transaction that begins here bears it
	again     time.Time          // when the meter is asked anew, monotonic; zero: it has been asked, or need not be
	failed    string             // why it does not sign; "": nothing is wrong
	begin     *term.SignedMeterValue
	now       *term.SignedMeterValue // while a reading that was signed is served
	end       *term.SignedMeterValue
	uncounted bool   // energy was allowed to flow in this session that it does not count
	wants     wants  // a signed reading is under way for these
	key       []byte // SubjectPublicKeyInfo; nil: not known yet
}

type signState uint8

const (
	signIdle signState = iota
	signBeginning
	signCounting
	signEnding
	signDone // signed, or given up
)

const (
	signRetry    = 5 * time.Second  // until a meter that refused is asked again
	signPatience = 30 * time.Second // for the record at the end: some meters take that long (signed meter values 1.0, 2.3.1)

	maxSignedData = 24_000 // bytes: 32,000 characters of 32,768 (2.1)
	maxPublicKey  = 900    // bytes: 2,424 characters of 2,500
)

// signedConfig is what the device model says of signed values (signed meter values 1.0, 3.3 and 4.3).
type signedConfig struct {
	sampled, started, updated bool // SampledDataCtrlr.SignReadings, SignStartedReadings, SignUpdatedReadings
	aligned, alignedUpdated   bool // AlignedDataCtrlr.SignReadings, SignUpdatedReadings
	key                       keyPolicy
}

// keyPolicy says with which values the public key goes (OCPPCommCtrlr.PublicKeyWithSignedMeterValue).
type keyPolicy uint8

const (
	keyNever keyPolicy = iota
	keyOnce
	keyAlways
)

func (s *Station) signedConfig() signedConfig {
	m := s.model
	c := signedConfig{sampled: m.Bool(model.SampledDataSignReadings), aligned: m.Bool(model.AlignedDataSignReadings)}
	c.started = c.sampled && m.Bool(model.SampledDataSignStartedReadings)
	c.updated = c.sampled && m.Bool(model.SampledDataSignUpdatedReadings)
	c.alignedUpdated = c.aligned && m.Bool(model.AlignedDataSignUpdatedReadings)
	switch m.Text(model.PublicKeyWithSignedMeterValue) {
	case "OncePerTransaction":
		c.key = keyOnce
	case "EveryMeterValue":
		c.key = keyAlways
	}
	return c
}

// mustSign reports whether what flows at an EVSE has to be counted by a transaction of its meter. What was allowed to flow
// without goes on so: a record from the middle of it would be none of it.
func (s *Station) mustSign(e *evse) bool {
	return e.cfg.Signs != SignsNothing && (s.settings.signed.sampled || s.settings.signed.aligned) && !e.signing.uncounted
}

// allowUncounted notes that energy may flow which the meter does not count.
func (s *Station) allowUncounted(e *evse) {
	if e.cfg.Signs == SignsNothing || e.signing.state == signCounting || e.signing.uncounted {
		return
	}
	e.signing.uncounted = true
	if e.tx != nil {
		e.tx.Uncounted = true
		s.saveTransaction(e.tx)
	}
}

// counted reports whether energy that flows now is counted as it has to be (E02.FR.14).
func (s *Station) counted(e *evse) bool { return e.signing.state == signCounting || !s.mustSign(e) }

// letSign lets each meter begin as soon as a driver and a car are there.
func (s *Station) letSign() {
	for i := range s.evses {
		if e := &s.evses[i]; e.cfg.Signs != SignsNothing && e.cfg.Refused == "" {
			s.letMeterSign(e)
		}
	}
}

func (s *Station) letMeterSign(e *evse) {
	g := &e.signing
	wanted := e.entitled() && e.active >= 0 && e.conns[e.active].car && s.billed(e) && e.resume.IsZero() && s.mustSign(e)
	if e.tx == nil && !e.entitled() {
		g.uncounted = false
	}
	if g.state == signBeginning && e.tx != nil && e.tx.ID != g.tx { // it has begun under another name
		s.forgetSigning(e)
	}
	switch {
	case g.state == signIdle && wanted:
		s.askToBegin(e)
	case g.state == signBeginning && !wanted:
		s.forgetSigning(e) // the meter ends what it may have begun when it begins the next one
	case g.state == signCounting && e.tx == nil && !wanted:
		s.forgetSigning(e)
	case g.state == signBeginning && s.due(g.again):
		s.askToBegin(e)
	case g.state == signEnding && s.due(g.again):
		g.again = time.Time{}
		s.command(SignEnd{EVSE: e.cfg.ID, Session: s.meterSession(e)})
	}
	if g.failed != "" {
		e.faults.set(term.FaultMeter, true)
		e.trouble.set(term.FaultMeter, g.failed)
	}
}

func (s *Station) askToBegin(e *evse) {
	g := &e.signing
	g.state, g.again = signBeginning, time.Time{}
	switch {
	case e.tx != nil:
		g.tx = e.tx.ID
	case g.tx == "":
		g.tx = term.TransactionID(s.cfg.NewID())
	}
	s.command(SignBegin{EVSE: e.cfg.ID, Session: s.meterSession(e)})
}

// meterSession is what the meter is told of the transaction that it counts.
func (s *Station) meterSession(e *evse) hal.MeterSession {
	m := hal.MeterSession{Transaction: string(e.signing.tx), EVSE: e.cfg.Name, At: s.wall(), Synchronised: s.clock.known}
	if m.EVSE == "" {
		m.EVSE = fmt.Sprintf("%s*%d", s.cfg.Name, e.cfg.ID)
	}
	switch {
	case e.tx != nil:
		m.User = e.tx.Owner.Value
	case e.grant != nil:
		m.User = e.grant.Token.Value
	}
	return m
}

// forgetSigning ends what the meter did for one transaction.
func (s *Station) forgetSigning(e *evse) {
	s.signFailed(e, "")
	e.signing = meterSigning{key: e.signing.key, uncounted: e.signing.uncounted && e.tx != nil}
}

// signFailed notes why the meter does not sign; "": nothing is wrong any more.
func (s *Station) signFailed(e *evse, why string) {
	if e.signing.failed != "" && why == "" {
		e.trouble.set(term.FaultMeter, "")
		s.meterFault(e, false)
	}
	e.signing.failed = why
}

// bind notes that tx is the transaction that the meter counts.
func (g *meterSigning) bind(tx *transaction.Tx) {
	tx.Signed = tx.Signed || g.state == signCounting && g.tx == tx.ID
	tx.Uncounted = tx.Uncounted || g.uncounted
}

// takeOver goes on with a transaction of before a restart: the meter has counted meanwhile.
func (g *meterSigning) takeOver(e *evse, tx *transaction.Tx) {
	g.uncounted = tx.Uncounted
	if tx.Signed && e.cfg.Signs != SignsNothing {
		g.state, g.tx = signCounting, tx.ID
	}
}

// busy reports whether the meter is at work on a step.
func (g *meterSigning) busy() bool {
	return (g.state == signBeginning || g.state == signEnding) && g.again.IsZero() || g.wants != 0
}

// awaited is the step whose answer counts now.
func (g *meterSigning) awaited() SignStep {
	switch g.state {
	case signBeginning:
		return SignedBegin
	case signCounting:
		return SignedNow
	case signEnding:
		return SignedEnd
	}
	return 0
}

// meterSigned takes what became of a SignBegin, SignNow or SignEnd.
func (s *Station) meterSigned(ev MeterSigned) {
	e := s.evse(ev.EVSE)
	if e == nil {
		return
	}
	if ev.Transaction != e.signing.tx || ev.Step != e.signing.awaited() {
		return // nobody waits for it any more
	}
	record, err := recordOf(ev.Signed)
	if ev.Err != "" {
		err = ev.Err
	}
	if record != nil {
		s.learnKey(e, record.PublicKey)
		s.meterRead(MeterRead{EVSE: ev.EVSE, Reading: ev.Signed.Reading})
	}
	switch ev.Step {
	case SignedNow:
		if record != nil && ev.Signed.Reading.Import != e.reading.Import {
			record = nil // a newer reading was here first: what is told now is not what was signed
		}
		s.signedNow(e, record)
	case SignedBegin:
		s.signedBegin(e, record, err)
	case SignedEnd:
		s.signedEnd(e, record, err)
	}
}

// recordOf returns what a meter signed in the form in which it is told; an error text where it cannot be.
func recordOf(r *hal.SignedReading) (*term.SignedMeterValue, string) {
	switch {
	case r == nil:
		return nil, ""
	case len(r.Data) > maxSignedData:
		return nil, fmt.Sprintf("a signed record of %d bytes, at most %d can be told", len(r.Data), maxSignedData)
	case len(r.PublicKey) > maxPublicKey:
		return nil, fmt.Sprintf("a public key of %d bytes, at most %d can be told", len(r.PublicKey), maxPublicKey)
	}
	return &term.SignedMeterValue{Data: r.Data, SigningMethod: r.SigningMethod, EncodingMethod: r.EncodingMethod, PublicKey: r.PublicKey}, ""
}

func (s *Station) signedBegin(e *evse, record *term.SignedMeterValue, err string) {
	g := &e.signing
	if err != "" {
		s.signFailed(e, "the meter does not sign: "+err)
		g.again = s.now.Add(signRetry)
		return
	}
	s.signFailed(e, "")
	g.state, g.begin = signCounting, record
	if e.tx == nil {
		return // told with its start
	}
	g.bind(e.tx)
	s.out.MustSync = true // before any energy flows
	vs := s.beginValues(e)
	if g.begin == nil || !s.settings.signed.started || register(vs) < 0 {
		s.saveTransaction(e.tx)
		return
	}
	s.emit(e.tx, e, PhaseUpdated, term.TriggerSignedDataReceived, func(ev *TransactionEvent) { ev.Values = s.signBegin(e, vs) })
}

func (s *Station) signedEnd(e *evse, record *term.SignedMeterValue, err string) {
	g := &e.signing
	if err != "" || record == nil {
		if err == "" {
			err = "it gave no record"
		}
		s.signFailed(e, "the meter does not sign the end: "+err)
		g.again = s.now.Add(signRetry)
		return
	}
	s.signFailed(e, "")
	g.state, g.end = signDone, record
	s.tryEnd(e)
}

// signedOff reports whether nothing more is to be expected of the meter for a transaction that ends; it asks first.
func (s *Station) signedOff(e *evse) bool {
	g := &e.signing
	switch g.state {
	case signCounting:
		g.state, g.again, g.wants = signEnding, time.Time{}, 0
		s.command(SignEnd{EVSE: e.cfg.ID, Session: s.meterSession(e)})
		e.ending = s.now.Add(signPatience)
		return false
	case signEnding:
		return s.due(e.ending)
	}
	return true
}

// wantSigned asks for a signed reading where one is wanted and can be had.
func (s *Station) wantSigned(e *evse, w wants) bool {
	c := s.settings
	var ms []term.Measurand
	switch {
	case w == wantUpdated && c.signed.updated:
		ms = c.sampling.TxUpdated
	case w == wantAligned && c.signed.alignedUpdated:
		ms = c.sampling.Aligned
	}
	g := &e.signing
	if e.cfg.Signs != SignsReadings || g.state != signCounting || e.tx == nil || !slices.Contains(ms, term.EnergyActiveImportRegister) {
		return false
	}
	if g.wants == 0 {
		s.command(SignNow{EVSE: e.cfg.ID, Transaction: g.tx})
	}
	g.wants |= w
	return true
}

// signedNow serves what a signed reading was wanted for; without a record it is told as it was read last.
func (s *Station) signedNow(e *evse, record *term.SignedMeterValue) {
	g := &e.signing
	w := g.wants
	g.wants, g.now = 0, record
	s.serve(e, w)
	g.now = nil
}

// signBegin adds the record of the beginning to the values of a start.
func (s *Station) signBegin(e *evse, vs []term.MeterValue) []term.MeterValue {
	if !s.settings.signed.started {
		return vs
	}
	if s.sign(e, vs, e.signing.begin) {
		e.signing.begin = nil
	}
	return vs
}

// signNow adds the record that is being served to values of a train that is to be signed.
func (s *Station) signNow(e *evse, t train, vs []term.MeterValue) []term.MeterValue {
	if c := s.settings.signed; t == trainUpdated && c.updated || t == trainAligned && c.alignedUpdated {
		s.sign(e, vs, e.signing.now)
	}
	return vs
}

// signEnd adds the record of the whole transaction to its last values: begin and end in one container bear the context of the
// end (signed meter values 1.0, 4.1.2).
func (s *Station) signEnd(e *evse, vs []term.MeterValue) []term.MeterValue {
	if s.endSigned() {
		s.sign(e, vs, e.signing.end)
	}
	return vs
}

// endSigned reports whether the register at the end is to be told signed.
func (s *Station) endSigned() bool {
	c := s.settings
	return c.signed.sampled && slices.Contains(c.sampling.TxEnded, term.EnergyActiveImportRegister) ||
		c.signed.aligned && slices.Contains(c.sampling.AlignedTxEnded, term.EnergyActiveImportRegister)
}

// endMeasurands are those of the last values: with the register where only the clock-aligned ones have it and it is signed.
func (s *Station) endMeasurands(e *evse) []term.Measurand {
	ms := s.settings.sampling.TxEnded
	if e.signing.end != nil && s.endSigned() && !slices.Contains(ms, term.EnergyActiveImportRegister) {
		ms = append(slices.Clip(ms), term.EnergyActiveImportRegister)
	}
	return ms
}

// sign adds a record to the newest value that has the register, with the key where it is due.
func (s *Station) sign(e *evse, vs []term.MeterValue, record *term.SignedMeterValue) bool {
	i := register(vs)
	if i < 0 || record == nil || e.tx == nil {
		return false
	}
	r := *record
	switch key := s.settings.signed.key; {
	case key == keyAlways, key == keyOnce && !e.tx.KeyTold:
		e.tx.KeyTold = e.tx.KeyTold || r.PublicKey != nil
	default:
		r.PublicKey = nil
	}
	vs[i].Signed = &r
	return true
}

// register returns the place of the newest value with the import register, -1 where none has it.
func register(vs []term.MeterValue) int {
	for i := len(vs) - 1; i >= 0; i-- {
		if slices.ContainsFunc(vs[i].Sampled, func(v term.SampledValue) bool { return v.Measurand == term.EnergyActiveImportRegister }) {
			return i
		}
	}
	return -1
}

// meterKey notes the key of an EVSE's meter.
func (s *Station) meterKey(ev MeterKey) {
	if e := s.evse(ev.EVSE); e != nil {
		s.learnKey(e, ev.Key)
	}
}

func (s *Station) learnKey(e *evse, key []byte) {
	if len(key) > 0 && len(key) <= maxPublicKey {
		e.signing.key = slices.Clone(key)
	}
}
