package station

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// Class says how a report is delivered.
type Class uint8

// Delivery classes.
const (
	Now    Class = iota // now or never: dropped when it cannot be sent over this connection
	Latest              // latest only: a newer report with the same Slot replaces one that waits
	Kept                // ordered and kept: in the outbox until the CSMS has acknowledged it
)

// Report is a fact for the CSMS.
type Report struct {
	ID    ReportID
	Class Class
	Slot  string // for Latest: what it is the newest of, e.g. "status/1.1"
	Early bool   // may be sent before the registration is Accepted (B02.FR.02: the CSMS asked for it)
	Body  ReportBody
}

// ReportBody is one kind of fact. Only the types of this file implement it.
type ReportBody interface{ report() }

// BootNotification (B01).
type BootNotification struct {
	Reason   BootReason
	Identity Identity
}

// Identity is what the station says about itself.
type Identity struct {
	Vendor, Model, SerialNumber, FirmwareVersion string
	ICCID, IMSI                                  string
}

// BootReason is why the station started (OCPP BootReasonEnumType).
type BootReason string

// Boot reasons.
const (
	BootPowerUp          BootReason = "PowerUp"
	BootApplicationReset BootReason = "ApplicationReset"
	BootRemoteReset      BootReason = "RemoteReset"
	BootFirmwareUpdate   BootReason = "FirmwareUpdate"
	BootScheduledReset   BootReason = "ScheduledReset"
	BootLocalReset       BootReason = "LocalReset"
	BootWatchdog         BootReason = "Watchdog"
	BootTriggered        BootReason = "Triggered"
	BootUnknown          BootReason = "Unknown"
)

// StatusNotification tells how a connector is, or with Ref {0,0} the station as a whole (G01). It is made whenever the view
// changes; whether that is news is up to the generation that tells it: where its word for Was, which the CSMS knows, is its
// word for the view, there is nothing to tell. The zero Was says that the CSMS knows nothing.
type StatusNotification struct {
	At  time.Time
	Ref term.Ref
	ConnectorView
	Was ConnectorView
}

// Instead returns r as it is to be told in the place of old, an earlier report of its slot that the CSMS never took.
func (r Report) Instead(old Report) Report {
	body, ok := r.Body.(StatusNotification)
	before, too := old.Body.(StatusNotification)
	if !ok || !too || body.Was == (ConnectorView{}) {
		return r
	}
	body.Was = before.Was
	if body.Status == before.Status { // true since then
		body.At = before.At
	}
	r.Body = body
	return r
}

// ConnectorStatus is the status of a connector in the five words of OCPP 2.x.
type ConnectorStatus string

// Connector statuses.
const (
	StatusAvailable   ConnectorStatus = "Available"
	StatusOccupied    ConnectorStatus = "Occupied"
	StatusReserved    ConnectorStatus = "Reserved"
	StatusUnavailable ConnectorStatus = "Unavailable"
	StatusFaulted     ConnectorStatus = "Faulted"
)

// NotifyEvent tells that a component has a problem, or has none any more: its variable Problem has changed (N07, G05).
type NotifyEvent struct {
	EventID   int // grows, over restarts too
	At        time.Time
	Component model.Component
	Problem   bool
	Code      string // the faults, as term.Fault spells them, separated by commas
	Info      string // more of the cause where there is more: the stable code of a storage trouble
}

// Heartbeat (G02).
type Heartbeat struct{}

// Authorize asks the CSMS about a token (C01).
type Authorize struct {
	Token term.IdToken
	Info  []term.AdditionalInfo
}

// MeterValues reports values outside a transaction (J01), or those that the CSMS triggered; EVSE 0 is the station's main meter.
type MeterValues struct {
	EVSE        term.EVSEID
	Connector   term.ConnectorID   // in use; 0 for none
	Transaction term.TransactionID // that runs meanwhile; "" for none
	Values      []term.MeterValue
}

// SecurityEvent (A04). Only critical ones are Kept.
type SecurityEvent struct {
	Type string // appendix security_events
	At   time.Time
	Info string // at most 255 characters
}

// NotifyReport is one part of a device-model report (B07, B08).
type NotifyReport struct {
	RequestID   int
	GeneratedAt time.Time
	SeqNo       int
	More        bool // to be continued
	Rows        []model.ReportRow
}

// NotifyCustomerInformation answers CustomerInformation with data (N09, N10).
type NotifyCustomerInformation struct {
	RequestID   int
	GeneratedAt time.Time
	SeqNo       int
	More        bool
	Data        string
}

// ReservationStatus tells that a reservation came to an end by itself (H04).
type ReservationStatus struct {
	ID     int
	Status string // ReservationUpdateStatusEnumType: Expired, Removed, NoTransaction
}

// ChargingProfiles is one part of the answer to GetChargingProfiles (K09).
type ChargingProfiles struct {
	RequestID int
	EVSE      term.EVSEID
	Source    string // ChargingLimitSourceEnumType
	More      bool   // to be continued
	Profiles  []schedule.Profile
}

// LogStatus is the status of a log upload (N01).
type LogStatus struct {
	Status       string // UploadLogStatusEnumType
	RequestID    int    // valid if HasRequestID
	HasRequestID bool
	Reason       string // reason code of the appendix; "" for none
	Triggered    bool   // the CSMS asked how it is
}

// TransactionEvent tells one step of a transaction (block E). It is complete in itself: sent again it is the same.
type TransactionEvent struct {
	Phase          Phase
	At             time.Time
	ClockUnsure    bool // the wall clock had not been set when this happened
	Trigger        term.TriggerReason
	SeqNo          int
	Offline        bool
	Transaction    term.TransactionID
	ChargingState  term.ChargingState // "" when it is not told
	ChargingTime   time.Duration      // time in which energy flowed; -1 when it is not told
	StoppedReason  term.StopReason    // in Ended only
	StoppedBy      term.IdToken       // in Ended only: the token that stopped it, where it was told before as Token
	RemoteStartID  int                // valid if HasRemoteStart
	HasRemoteStart bool
	Ref            term.Ref // EVSE 0: not known yet
	Token          term.IdToken
	Info           []term.AdditionalInfo
	ReservationID  int // that this begins to use up; valid if HasReservation
	HasReservation bool
	PhasesUsed     int8         // -1 when it is not told
	CableMax       unit.Current // 0 when it is not told
	Begin          unit.Energy  // import register when it began, or when the meter first answered; -1 when it is not known
	Register       unit.Energy  // import register as last read; -1 when it is not known
	Values         []term.MeterValue
}

// Unreadable is a kept report whose stored form could not be read: its bytes, for the dead letters.
type Unreadable []byte

func (Unreadable) report()                {}
func (BootNotification) report()          {}
func (StatusNotification) report()        {}
func (NotifyEvent) report()               {}
func (Heartbeat) report()                 {}
func (Authorize) report()                 {}
func (MeterValues) report()               {}
func (SecurityEvent) report()             {}
func (NotifyReport) report()              {}
func (NotifyCustomerInformation) report() {}
func (ReservationStatus) report()         {}
func (ChargingProfiles) report()          {}
func (LogStatus) report()                 {}
func (*TransactionEvent) report()         {}

// Reply is the outcome of a Report. Only the types of this file implement it.
type Reply interface{ reply() }

// BootReply answers BootNotification.
type BootReply struct {
	Status   Registration
	Now      time.Time
	Interval time.Duration
}

// HeartbeatReply answers Heartbeat.
type HeartbeatReply struct{ Now time.Time }

// TokenReply answers Authorize, and TransactionEvent (there Has may be false).
type TokenReply struct {
	Has  bool
	Info term.TokenInfo
}

// Acknowledged answers a report whose response carries nothing.
type Acknowledged struct{}

// Refused says that the CSMS answered with an error, for a kept report after the last attempt (E13.FR.04).
type Refused struct {
	Code, Description string
}

// Untold says that the generation in use has no word for a report, or none that would be news: nothing was sent.
type Untold struct{}

// Unanswered says that a Now report could not be delivered: no answer in time, or no connection.
type Unanswered struct{}

func (BootReply) reply()      {}
func (HeartbeatReply) reply() {}
func (TokenReply) reply()     {}
func (Acknowledged) reply()   {}
func (Refused) reply()        {}
func (Unanswered) reply()     {}
func (Untold) reply()         {}
