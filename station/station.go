package station

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/auth"
	"github.com/evsed/evsed/station/diag"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/station/transaction"
)

// Config is what a station is born with.
type Config struct {
	Identity Identity
	Name     string // the charging station identity toward the CSMS (SecurityCtrlr.Identity)
	EVSEs    []EVSE
	Slots    []int // slots a network profile may be put into; empty: 1 to 3
	Bays     bool  // there are parking bay sensors
	Lights   bool  // connectors have lights that blink and can be dimmed

	// Limits hold from the start on.
	Limits []LimitClaimed

	// Boot is why the station started, as far as the runner knows; a reason that the core itself had noted before a reboot
	// outranks it.
	Boot BootReason

	// LastReport is the highest ReportID that was ever stored; numbering goes on behind it.
	LastReport ReportID

	// NewID returns a fresh id of at most 36 characters that was never returned before, on any boot (E01.FR.08).
	NewID func() string

	// Lookup finds a token in a committed local list. It is read-only: what it returns changes only by Records.
	Lookup func(list StageID, token term.IdToken) (term.TokenInfo, bool)

	// Queued reports whether messages of a transaction wait in the outbox; "" asks for any (E14).
	Queued func(term.TransactionID) bool

	// Image is the firmware that runs.
	Image Image

	// SimulatedFirmware says that there is no firmware that an update could replace: a FetchEnded may bring its own verdict on a
	// signature. Never where Install installs anything.
	SimulatedFirmware bool

	LocalListMax int // entries the side file may hold; 0: 100000

	SecurityLog SecurityLog
}

// EVSE is one EVSE of the topology.
type EVSE struct {
	ID         term.EVSEID
	Name       string // EvseId, e.g. DE*ABC*E1
	Phases     int    // 1, 3; 0 for DC
	MaxCurrent unit.Current
	Connectors []Connector

	Billing bool // no energy without its meter
	Signs   Signing
	Refused string // why this program does not charge here, with a stable code; "": it does
}

// Connector is one connector of an EVSE.
type Connector struct {
	ID       term.ConnectorID
	Type     string // ConnectorEnumStringType, e.g. cType2
	Tethered bool   // the cable is fixed to the station
}

// NominalVoltage is what power limits are reckoned with while no voltage is measured.
const NominalVoltage = 230 * unit.Volt

// Station is the state of a charging station. It has one owner; its methods may not be called from two goroutines.
type Station struct {
	cfg     Config
	model   *model.Model
	auth    *auth.Authorizer
	now     time.Time
	started time.Time // monotonic
	clock   clock
	boot    boot
	evses   []evse
	queue   floating // authorizations that wait for a car

	reserved reservations
	uploads  diag.Uploads
	firmware firmware
	certs    certificates

	nextReport ReportID
	asking     []question // Authorize calls under way
	reports    []reporting
	resetting  reset
	unlocks    []unlocking
	profiles   map[int]NetworkProfile
	availability
	faults                   faultSet // of the station itself
	storage                  string   // stable code of a storage trouble, "" for none
	toldFaults               faultSet // what the CSMS was told last
	trouble                  trouble
	events                   int            // the last eventId; ids grow over restarts too
	eventsKept               int            // ids up to this one are reserved on flash
	problemsKept             string         // components with a problem, as recorded
	slot                     int            // network slot in use
	raising                  int            // slot of a higher security profile on trial; 0: none
	trustFloor               time.Time      // the last time by which a CSMS was trusted
	dialled, worked          *workedNetwork // of the open connection; of the last one on which the CSMS answered. nil: none
	profile                  int            // security profile in use
	charging                 charging
	aligned                  time.Time // when a clock-aligned instant comes, monotonic
	alignedNow, alignedEnded sampling.Aligned
	restored                 []*transaction.Tx
	settings                 settings
	status                   telling // of the station as a whole
	listConflict             bool    // the CSMS contradicts the local list in force
	resetFailed              bool    // the last reset did not happen
	out                      Output
	running                  bool
	security                 security
}

// evse is the state of one EVSE.
type evse struct {
	cfg        EVSE
	conns      []connector
	bay        bool
	active     int // index of the connector in use, -1 none
	grant      *transaction.Grant
	granted    time.Time // monotonic
	tx         *transaction.Tx
	spent      transaction.Points
	facts      transaction.Facts
	state      term.ChargingState
	energy     time.Time // since when energy flows, monotonic; zero: it does not
	offered    time.Time // since when energy has been offered, monotonic
	opened     time.Time // when the contactor last opened, monotonic
	cut        time.Time // when the permit to close was last withdrawn, monotonic
	faults     faultSet
	toldFaults faultSet // what the CSMS was told last
	trouble    trouble
	reading    hal.MeterReading
	read       bool // reading is valid
	meter      metering
	signing    meterSigning
	resume     time.Time         // a restored transaction waits for its car until then; zero: none does
	reset      time.Time         // an EVSE reset shows state F until then
	ending     time.Time         // the end of the transaction is told without a last reading at this time
	ready      time.Time         // when the running session became ready to deliver energy, monotonic; zero: before the restart
	starting   *schedule.Profile // came with the remote start of a session that has no transaction yet
	bounds     bounds
	resetLater bool         // reset once its transaction has ended
	ownerToken term.IdToken // whose cable stays locked
	plugged    time.Time    // when the car was plugged in, monotonic
	keepLocked bool         // the cable stays locked until the driver shows up again
	begun      bool         // the first offer of the transaction is over
	evLeft     bool         // the car was there and has been unplugged; the session goes on (E10)
	types      []string     // of its connectors
	reserved   bool         // held back for a reservation
	heldFor    int          // its id, or of the one that is to have this EVSE as things stand
	refusal    string       // stable code of the last card that was refused here, until one is accepted
	availability
}

// connector is the state of one connector.
type connector struct {
	ref        term.Ref
	cfg        Connector
	pilot      term.PilotState
	car        bool // a car is on the line: true from B, C or D until A
	present    bool
	rating     unit.Current
	closed     bool
	locked     bool
	offer      unit.Current
	faults     faultSet
	permit     term.Permit
	issued     bool
	status     telling         // what the CSMS was told
	over       term.StopReason // why the last transaction stopped, while its traces are here; "" for none
	toldFaults faultSet
	toldLock   faultSet
	trouble    trouble
	lock       trouble // of its lock alone
	shown      hal.Indication
	availability
}

// faultSet is a set of term.Fault.
type faultSet uint32

func (s *faultSet) set(f term.Fault, on bool) (changed bool) {
	old := *s
	if *s &^= 1 << f; on {
		*s |= 1 << f
	}
	return old != *s
}

func (s faultSet) has(f term.Fault) bool { return s&(1<<f) != 0 }

func (s faultSet) stopping() bool {
	for f := term.FaultNone; f <= term.FaultStorage; f++ {
		if s.has(f) && f.StopsCharging() {
			return true
		}
	}
	return false
}

func (s faultSet) list() []term.Fault {
	var l []term.Fault
	for f := term.FaultNone; f <= term.FaultStorage; f++ {
		if s.has(f) {
			l = append(l, f)
		}
	}
	return l
}

// New makes a station. Replay the stored Records with Restore, then call Start once.
func New(cfg Config) (*Station, error) {
	s := &Station{cfg: cfg, profiles: map[int]NetworkProfile{}, nextReport: cfg.LastReport + 1}
	if len(s.cfg.Slots) == 0 {
		s.cfg.Slots = []int{1, 2, 3}
	}
	if s.cfg.LocalListMax == 0 {
		s.cfg.LocalListMax = 100_000
	}
	for i, e := range cfg.EVSEs {
		if e.ID != term.EVSEID(i+1) {
			return nil, fmt.Errorf("evse %d: ids must run from 1 without a gap", e.ID)
		}
		if len(e.Connectors) == 0 {
			return nil, fmt.Errorf("evse %d: no connector", e.ID)
		}
		s.evses = append(s.evses, newEVSE(e))
	}
	m, err := model.New(s.modelConfig(), s)
	if err != nil {
		return nil, err
	}
	s.model = m
	s.certs.store.Max = model.DefaultCertificates
	s.configureProfiles()
	s.auth = auth.New(auth.Lookup(func(list uint64, t term.IdToken) (term.TokenInfo, bool) {
		if s.cfg.Lookup == nil {
			return term.TokenInfo{}, false
		}
		return s.cfg.Lookup(StageID(list), t)
	}))
	return s, nil
}

func newEVSE(cfg EVSE) evse {
	e := evse{cfg: cfg, active: -1, state: term.ChargingIdle, bounds: newBounds(cfg.MaxCurrent)}
	for _, c := range cfg.Connectors {
		e.conns = append(e.conns, connector{ref: term.Ref{EVSE: cfg.ID, Connector: c.ID}, cfg: c, present: c.Tethered})
		e.types = append(e.types, c.Type)
	}
	e.refuse()
	return e
}

// Start begins the station's life: call it once, after the last Restore.
func (s *Station) Start(now time.Time, wall time.Time) Output {
	s.begin(now)
	s.running, s.started = true, s.now
	s.clock.set(now, wall)
	s.readSettings()
	s.configureProfiles()
	s.claimFromStart(s.cfg.Limits)
	s.startBoot()
	s.startTransactions()
	s.startUpdate()
	s.settleReservations()
	s.sweepProfiles()
	s.startAligned()
	s.startLights()
	s.startCertificates()
	return s.finish()
}

// Step takes one event, or nil when only time has passed, and returns what follows from it. now is monotonic and never
// jumps. The returned slices are valid until the next call.
func (s *Station) Step(now time.Time, ev Event) Output {
	if !s.running {
		panic("station: Step before Start")
	}
	s.begin(now)
	if ev != nil {
		s.handle(ev)
	}
	s.timers()
	return s.finish()
}

func (s *Station) begin(now time.Time) {
	if now.After(s.now) {
		s.now = now
	}
	o := &s.out
	o.Cut, o.Records, o.Permits, o.Reports = o.Cut[:0], o.Records[:0], o.Permits[:0], o.Reports[:0]
	o.Responses, o.Commands, o.MustSync, o.Deadline = o.Responses[:0], o.Commands[:0], false, time.Time{}
}

// handle routes an event to its block.
func (s *Station) handle(ev Event) {
	switch ev := ev.(type) {
	case PilotChanged:
		s.pilotChanged(ev)
	case CableChanged:
		s.cableChanged(ev)
	case PowerChanged:
		s.powerChanged(ev)
	case LockChanged:
		s.lockChanged(ev)
	case OfferChanged:
		s.offerChanged(ev)
	case FaultChanged:
		s.faultChanged(ev)
	case LimitClaimed:
		s.limitClaimed(ev)
	case MeterRead:
		s.meterRead(ev)
	case MeterSigned:
		s.meterSigned(ev)
	case MeterKey:
		s.meterKey(ev)
	case TokenRead:
		s.tokenRead(ev)
	case StopPressed:
		s.stopPressed(ev)
	case BayChanged:
		s.bayChanged(ev)
	case PowerFailing:
		s.powerFailing()
	case LinkUp:
		s.linkUp(ev)
	case LinkDown:
		s.linkDown()
	case AuthRefused:
		s.securityEvent(FailedToAuthenticateAtCsms, "")
	case CSMSDistrusted:
		s.securityEvent(ev.Kind, ev.Info)
	case BadMessage:
		s.badMessage(ev)
	case Replayed:
		s.securityEvent(AttemptedReplayAttacks, ev.Info)
	case RequestReceived:
		s.requestReceived(ev)
	case ReplyReceived:
		s.replyReceived(ev)
	case ClockSet:
		s.setClock(ev.Wall, ev.Source)
	case StorageChanged:
		s.storageChanged(ev)
	case StorageFound:
		s.securityEvent(StorageDamaged, ev.Text)
	case MemoryShort:
		s.securityEvent(MemoryExhaustion, fmt.Sprintf("RAM: %d KiB are in use", ev.Live>>10))
	case Unregistered:
		s.registerAnew()
	case Unheard: // a Heartbeat tells a CSMS that ignores one message from one that is gone (E13)
		if s.boot.linked && s.boot.status == RegistrationAccepted {
			s.report(Now, "", Heartbeat{})
		}
	case UploadEnded:
		s.uploadEnded(ev)
	case CSRMade:
		s.csrMade(ev)
	case FetchProgress:
		s.firmware.machine.Progress(s.world(), ev.Number)
	case FetchEnded:
		s.fetchEnded(ev)
	case InstallEnded:
		s.installEnded(ev)
	case Activated:
		s.activated(ev)
	case ImageProved:
		s.takeUpdate(s.firmware.machine.Proved())
	case SecurityLogged:
		s.securityLogged(ev)
	case Thinned:
		s.securityEvent(MemoryExhaustion, fmt.Sprintf("%d updates of a transaction thinned", ev.Count))
	default:
		panic(fmt.Sprintf("station: unknown event %T", ev))
	}
}

// timers runs what is due.
func (s *Station) timers() {
	s.bootTimers()
	s.questionTimers()
	s.floatingTimers()
	for i := range s.evses {
		s.evseTimers(&s.evses[i])
	}
	s.alignedTimer()
	s.resetTimers()
	s.unlockTimers()
	s.uploadTimers()
	s.certificateTimers()
	s.updateTimers()
	s.securityTimers()
	s.settleReservations()
}

// finish derives what follows from the state as a whole: permits, statuses, lights and the next deadline.
func (s *Station) finish() Output {
	s.applyLimits()
	s.letSign()
	s.issuePermits()
	s.tellStatuses()
	s.tellProblems()
	s.out.Deadline = s.deadline()
	if s.faults.has(term.FaultPowerLoss) && len(s.out.Records) > 0 { // whatever else would wait for a sync has no time any more
		s.out.MustSync = true
	}
	return s.out
}

// earliest returns the earlier of two deadlines; zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (s *Station) deadline() time.Time {
	d := s.bootDeadline()
	d = earliest(d, s.questionDeadline())
	d = earliest(d, s.pilotDeadline())
	d = earliest(d, s.statusDeadline(&s.status))
	d = earliest(d, s.floatingDeadline())
	for i := range s.evses {
		d = earliest(d, s.evseDeadline(&s.evses[i]))
	}
	d = earliest(d, s.aligned)
	d = earliest(d, s.reservationDeadline())
	d = earliest(d, s.charging.next)
	d = earliest(d, s.resetDeadline())
	d = earliest(d, s.uploads.Deadline())
	d = earliest(d, s.certificateDeadline())
	d = earliest(d, s.firmware.machine.Deadline(s.world()))
	d = earliest(d, s.securityDeadline())
	return earliest(d, s.unlockDeadline())
}

// due reports whether a deadline has come.
func (s *Station) due(t time.Time) bool { return !t.IsZero() && !s.now.Before(t) }

// wall returns the wall time now, UTC.
func (s *Station) wall() time.Time { return s.clock.at(s.now) }

// stampNow is the wall time for what is kept: in whole milliseconds, as it is stored and told.
func (s *Station) stampNow() time.Time { return s.wall().Truncate(time.Millisecond) }

// record adds a record to the output.
func (s *Station) record(b Bucket, key string, value []byte) {
	s.out.Records = append(s.out.Records, Record{Bucket: b, Key: key, Value: value})
}

// command adds a command to the output.
func (s *Station) command(c Command) { s.out.Commands = append(s.out.Commands, c) }

// report adds a report. Kept reports are recorded in the outbox and owe a sync unless lazy.
func (s *Station) report(class Class, slot string, body ReportBody) ReportID {
	r := Report{ID: s.nextReport, Class: class, Slot: slot, Body: body}
	s.nextReport++
	if class == Kept {
		s.record(BucketOutbox, r.ID.Key(), EncodeReport(r))
	}
	s.out.Reports = append(s.out.Reports, r)
	return r.ID
}

// early marks the newest report as one that the CSMS asked for: it may go before the registration (B02.FR.02).
func (s *Station) early() { s.out.Reports[len(s.out.Reports)-1].Early = true }

func (s *Station) evse(id term.EVSEID) *evse {
	if id < 1 || int(id) > len(s.evses) {
		return nil
	}
	return &s.evses[id-1]
}

func (s *Station) connector(r term.Ref) (*evse, *connector) {
	e := s.evse(r.EVSE)
	if e == nil || r.Connector < 1 {
		return nil, nil
	}
	for i := range e.conns {
		if e.conns[i].ref.Connector == r.Connector {
			return e, &e.conns[i]
		}
	}
	return e, nil
}

// Model is the device model; the runner reads its own settings there. It changes only inside Step.
func (s *Station) Model() *model.Model { return s.model }
