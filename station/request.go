package station

import (
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// RequestID is the sender's own number of a request; it comes back in the Response.
type RequestID uint64

// Request is something that the CSMS, the console or an API asks of the station.
// Only the types of this file implement it.
type Request interface{ request() }

// ChangeAvailability (G03, G04). Ref {0,0} is the station, {n,0} an EVSE.
type ChangeAvailability struct {
	Ref       term.Ref
	Operative bool
	Deep      bool // what becomes operative, becomes so with everything below it
}

// ClearCache (C11).
type ClearCache struct{}

// CustomerInformation asks to report and/or clear what is stored about a customer (N09, N10).
type CustomerInformation struct {
	RequestID     int
	Report, Clear bool
	Token         term.IdToken // zero if not given
	Identifier    string       // "" if not given
	HasCert       bool         // a certificate hash was given
}

// DataTransfer (P01).
type DataTransfer struct{ VendorID, MessageID string }

// GetBaseReport (B07).
type GetBaseReport struct {
	RequestID int
	Base      model.Base
}

// GetReport (B08).
type GetReport struct {
	RequestID int
	Query     model.Query
}

// GetVariables (B06).
type GetVariables struct{ Items []model.GetItem }

// SetVariables (B05).
type SetVariables struct{ Items []model.SetItem }

// ListVariables asks for what GetReport does, in one answer.
type ListVariables struct {
	Query model.Query
	Names []string // what the asker calls them, for its answer; the core does not read it
}

// GetLocalListVersion (D02).
type GetLocalListVersion struct{}

// SendLocalList (D01). Entries are in the Stage; Staged is how many.
type SendLocalList struct {
	Version    int
	Full       bool    // Full replaces the list; else Differential
	Stage      StageID // the list as it will be; for a differential update merged with the one in force
	Staged     int     // entries of the message
	Total      int     // entries that the list will have
	Duplicates bool    // a token was named twice
	Broken     bool    // the list could not be written
}

// StageID names a list that was validated item by item on its way in; 0 means no items came.
type StageID uint64

// GetLog (N01), and the GetDiagnostics of 1.6, which has no number.
type GetLog struct {
	LogType        string // LogEnumType
	RequestID      int    // valid if HasRequestID
	HasRequestID   bool
	URL            string    // may hold credentials
	Oldest, Latest time.Time // of the lines; zero: no bound
	Retries        int       // valid if HasRetries; else the station decides
	HasRetries     bool
	RetryInterval  time.Duration // 0 or less: the station decides
}

// GetTransactionStatus (E14). Transaction "" asks for the whole queue.
type GetTransactionStatus struct{ Transaction term.TransactionID }

// RequestStart is RequestStartTransaction (F01, F02).
type RequestStart struct {
	EVSE          term.EVSEID      // 0: the station chooses
	Connector     term.ConnectorID // of the EVSE; 0: where the car is, or comes
	RemoteStartID int
	Token         term.IdToken
	Info          []term.AdditionalInfo
	Group         term.IdToken
	HasProfile    bool // a charging profile came along
	Profile       schedule.Profile
	Beyond        string // as in SetChargingProfile
	Loose         bool   // as in SetChargingProfile
}

// RequestStop is RequestStopTransaction (F03).
type RequestStop struct{ Transaction term.TransactionID }

// Reset (B11, B12). EVSE 0 is the station.
type Reset struct {
	Kind ResetKind
	EVSE term.EVSEID
	Hard bool // the hardware is meant, not the software alone; transactions end with that reason
}

// ResetKind is OCPP's ResetEnumType.
type ResetKind string

// Reset kinds; ImmediateAndResume came with 2.1.
const (
	ResetImmediate          ResetKind = "Immediate"
	ResetOnIdle             ResetKind = "OnIdle"
	ResetImmediateAndResume ResetKind = "ImmediateAndResume"
)

// SetNetworkProfile (B09).
type SetNetworkProfile struct {
	Slot    int
	Profile NetworkProfile
}

// RaiseSecurity asks for a higher security profile toward the CSMS that is connected (whitepaper of 1.6, A05).
type RaiseSecurity struct{ Profile int }

// NetworkProfile is a network connection profile (NetworkConnectionProfileType).
type NetworkProfile struct {
	URL             string        `json:"url"`
	Versions        []string      `json:"versions,omitempty"` // OCPP subprotocols offered, best first; empty: all
	Interface       string        `json:"interface,omitempty"`
	SecurityProfile int           `json:"securityProfile"`
	MessageTimeout  time.Duration `json:"messageTimeout"`
	Identity        string        `json:"identity,omitempty"` // 2.1
	Password        string        `json:"password,omitempty"` // 2.1; write-only
	Listen          string        `json:"listen,omitempty"`   // host:port where the CSMS can call the station over HTTP; "": nowhere
	Callback        string        `json:"callback,omitempty"` // the URL of that as the CSMS sees it; "": of the interface that leads to it
	HasAPN, HasVPN  bool          `json:"-"`                  // asked for, which this station does not offer
	Transport       string        `json:"-"`                  // JSON or SOAP as asked
}

// ReserveNow (H01). A reservation with the ID of another replaces it.
type ReserveNow struct {
	ID            int
	Expiry        time.Time
	EVSE          term.EVSEID // 0: any
	ConnectorType string      // of an EVSE that may be any; "" for any
	Token         term.IdToken
	Info          []term.AdditionalInfo
	Group         term.IdToken
}

// CancelReservation (H02).
type CancelReservation struct{ ID int }

// SetChargingProfile (K01). EVSE 0 is the station; a TxDefaultProfile for it is meant for every EVSE.
type SetChargingProfile struct {
	EVSE    term.EVSEID
	Profile schedule.Profile
	Beyond  string // the field of the message that asks for more than Profile can say, "" for none
	Loose   bool   // a schedule may lack its start, a TxProfile its transaction; takes the place of one with its purpose, stack level and EVSE
}

// ProfileFilter names charging profiles: those that have everything that is given.
type ProfileFilter struct {
	IDs      []int // empty: not given
	HasEVSE  bool
	EVSE     term.EVSEID
	Purpose  schedule.Purpose // "" : not given
	HasStack bool
	Stack    int
}

// ClearChargingProfile (K10).
type ClearChargingProfile struct{ Filter ProfileFilter }

// GetChargingProfiles (K09).
type GetChargingProfiles struct {
	RequestID int
	Filter    ProfileFilter
	Sources   []string // ChargingLimitSourceEnumType; empty: all
}

// GetCompositeSchedule (K08). EVSE 0 is the whole station.
type GetCompositeSchedule struct {
	EVSE     term.EVSEID
	Duration time.Duration
	Unit     schedule.Unit // "" : the station chooses
}

// TriggerMessage (F06).
type TriggerMessage struct {
	Message string // MessageTriggerEnumType
	HasEVSE bool
	Ref     term.Ref
	Sampled bool // MeterValues: the measurands of sampled values, not the clock-aligned ones
}

// UnlockConnector (F05).
type UnlockConnector struct {
	Ref    term.Ref
	Finish bool // a session there is ended first, and does not stand in the way
}

// OverrideVariables sets variables as a fitter may, read-only ones too. Never from a CSMS.
type OverrideVariables struct{ Items []model.SetItem }

// GetInventory lists variables as a fitter may see them, secrets included; "" matches all. Never from a CSMS.
type GetInventory struct{ Component, Variable string }

// PutAuthCache puts entries into the authorization cache as a fitter may. Never from a CSMS.
type PutAuthCache struct{ Entries []CacheEntry }

// CacheEntry is one entry of PutAuthCache.
type CacheEntry struct {
	Token term.IdToken
	Info  term.TokenInfo
}

// GetDiagnosticState asks for the snapshot that the console and the simulator API show. It never comes from a CSMS.
type GetDiagnosticState struct{}

func (ChangeAvailability) request()   {}
func (ClearCache) request()           {}
func (CustomerInformation) request()  {}
func (DataTransfer) request()         {}
func (GetBaseReport) request()        {}
func (GetReport) request()            {}
func (GetVariables) request()         {}
func (SetVariables) request()         {}
func (ListVariables) request()        {}
func (GetLocalListVersion) request()  {}
func (SendLocalList) request()        {}
func (GetLog) request()               {}
func (GetTransactionStatus) request() {}
func (RequestStart) request()         {}
func (RequestStop) request()          {}
func (Reset) request()                {}
func (ReserveNow) request()           {}
func (CancelReservation) request()    {}
func (SetChargingProfile) request()   {}
func (ClearChargingProfile) request() {}
func (GetChargingProfiles) request()  {}
func (GetCompositeSchedule) request() {}
func (SetNetworkProfile) request()    {}
func (RaiseSecurity) request()        {}
func (TriggerMessage) request()       {}
func (UnlockConnector) request()      {}
func (OverrideVariables) request()    {}
func (GetInventory) request()         {}
func (PutAuthCache) request()         {}
func (GetDiagnosticState) request()   {}

// Response answers a Request: a Body, or an Error with the RPC framework's code.
type Response struct {
	ID    RequestID
	Body  ResponseBody // nil when Error is set
	Error *RequestError
}

// RequestError refuses a request as such: Code is a CALLERROR code like SecurityError or NotSupported.
type RequestError struct{ Code, Description string }

// ResponseBody is one kind of answer. Only the types of this file implement it.
type ResponseBody interface{ response() }

// Status answers every request whose response is a status with an optional reason:
// CancelReservation, ChangeAvailability, ClearCache, ClearChargingProfile, CustomerInformation, DataTransfer, GetBaseReport,
// GetChargingProfiles, GetReport, RequestStop, ReserveNow, Reset, SendLocalList, SetChargingProfile, SetNetworkProfile, TriggerMessage, UnlockConnector.
type Status struct {
	Status string // the word of the response's own status type
	Reason string // reasonCode of the appendix; "" for none
	Info   string // additionalInfo, at most 512 characters
}

// StartStatus answers RequestStart.
type StartStatus struct {
	Status
	Transaction term.TransactionID // set when one had already begun (F02.FR.01)
}

// Log answers GetLog.
type Log struct {
	Status
	File string // its name; "" where nothing is uploaded
}

// Variables answers GetVariables.
type Variables struct{ Results []model.GetResult }

// VariablesSet answers SetVariables.
type VariablesSet struct{ Results []model.SetResult }

// LocalListVersion answers GetLocalListVersion.
type LocalListVersion struct {
	Version int
	Off     bool // LocalAuthListCtrlr.Enabled is false
}

// Inventory answers GetInventory and ListVariables.
type Inventory struct{ Rows []model.ReportRow }

// CompositeSchedule answers GetCompositeSchedule.
type CompositeSchedule struct {
	Status
	EVSE     term.EVSEID
	Start    time.Time
	Duration time.Duration
	Unit     schedule.Unit
	Periods  []schedule.Period
}

// TransactionStatus answers GetTransactionStatus. HasOngoing is false when no transaction was asked for (E14.FR.06).
type TransactionStatus struct {
	HasOngoing, Ongoing, Queued bool
}

// DiagnosticState answers GetDiagnosticState.
type DiagnosticState struct {
	Registration    Registration
	Connected       bool
	Offline         time.Duration // for how long; 0 while online
	Clock           time.Time
	ClockSet        bool
	Boots           int
	EVSEs           []EVSEState
	Faults          []term.Fault
	Storage         string // stable code of a storage trouble; "" for none
	NetworkSlot     int
	SecurityProfile int
	Certificates    []cert.Summary
}

// EVSEState is one EVSE of a DiagnosticState.
type EVSEState struct {
	ID          term.EVSEID
	Operative   bool
	Reserved    bool // held back for a reservation
	Reservation int  // its id; of several that any of several EVSEs can serve, the one that would have this EVSE now
	Transaction term.TransactionID
	Token       term.IdToken
	State       term.ChargingState
	Limit       unit.Current
	LimitBy     string      // whose limit that is, as stable code; "" for the board's
	Energy      unit.Energy // register
	Refusal     string      // why the last card was refused here, as stable code; "" once one is accepted
	Connectors  []ConnectorState
}

// ConnectorState is one connector of an EVSEState.
type ConnectorState struct {
	ID     term.ConnectorID
	Status ConnectorStatus
	Faults []term.Fault
}

func (Status) response()            {}
func (StartStatus) response()       {}
func (Log) response()               {}
func (Variables) response()         {}
func (VariablesSet) response()      {}
func (LocalListVersion) response()  {}
func (TransactionStatus) response() {}
func (Inventory) response()         {}
func (CompositeSchedule) response() {}
func (DiagnosticState) response()   {}
