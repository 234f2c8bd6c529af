package station

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/term"
)

// Event is something that happened outside the core. Only the types of this file implement it.
type Event interface{ event() }

// PilotChanged tells the debounced state of a connector's control pilot. From the guard.
type PilotChanged struct {
	Ref   term.Ref
	State term.PilotState
}

// CableChanged tells that a plug entered or left the station's socket, with the rating of its cable
// (IEC 61851-1 Annex B). A tethered cable is always present. From the guard.
type CableChanged struct {
	Ref     term.Ref
	Present bool
	Rating  unit.Current // 0 where unknown
}

// PowerChanged tells the feedback of a connector's contactor. From the guard.
type PowerChanged struct {
	Ref    term.Ref
	Closed bool
}

// LockChanged tells that the plug lock reached a position, or failed to. From the guard.
type LockChanged struct {
	Ref    term.Ref
	Locked bool
	Failed bool
}

// OfferChanged tells what the guard offers to the car now: the least of permit, cable and hardware.
type OfferChanged struct {
	Ref     term.Ref
	Current unit.Current // per phase; 0 while nothing is offered
}

// FaultChanged raises or clears a fault. Ref {0,0} is the station, {n,0} an EVSE.
type FaultChanged struct {
	Ref    term.Ref
	Fault  term.Fault
	Active bool
	Info   string // at most 255 bytes are kept
}

// MeterRead brings a reading of an EVSE's meter.
type MeterRead struct {
	EVSE    term.EVSEID
	Reading hal.MeterReading
}

// TokenRead tells that a driver presented a token at a reader. EVSEs lists the EVSEs that this reader serves;
// empty means all.
type TokenRead struct {
	Token term.IdToken
	Info  []term.AdditionalInfo
	EVSEs []term.EVSEID
}

// StopPressed tells that the stop button of an EVSE was pressed; EVSE 0 stops every transaction.
type StopPressed struct{ EVSE term.EVSEID }

// BayChanged tells whether a car stands in the parking bay of an EVSE.
type BayChanged struct {
	EVSE     term.EVSEID
	Occupied bool
}

// PowerFailing tells that the mains are gone and a buffer keeps the station alive for a moment: transactions end
// with reason PowerLoss if they cannot be resumed later.
type PowerFailing struct{}

// LinkUp tells that a CSMS connection is open; nothing has been answered yet. Slot is the configuration slot of the
// network profile in use.
type LinkUp struct {
	Slot            int
	SecurityProfile int

	// Of a connection with TLS: the root in which the CSMS' certificate chain ended - the first of Roots that serves - and
	// the certificate that the station has shown. The zero Sum: none.
	Root, Own cert.Sum

	// Valid is the time by which that chain was valid, if somebody has set the clock; else it is zero.
	Valid time.Time
}

// LinkDown tells that the connection is gone.
type LinkDown struct{ Why string }

// AuthRefused tells that the CSMS refused the station's credentials (HTTP 401), which is a security event (A00.FR.502 family).
type AuthRefused struct{ Slot int }

// CSMSDistrusted tells that the station refused a connection because it does not trust who is at its other end. Kind is the
// name of the security event (A00.FR.310, A00.FR.316, A00.FR.323), Info says why and holds no secret. Who raises it tells
// each cause at most once an hour.
type CSMSDistrusted struct {
	Slot int
	Kind string
	Info string
}

// BadMessage tells that the CSMS sent something that is not a valid OCPP message; security event InvalidMessages.
type BadMessage struct{ Info string }

// Replayed tells that the CSMS, or somebody in its place, sends a request again and again that has had its answer; security
// event AttemptedReplayAttacks. It is not carried out again.
type Replayed struct{ Info string }

// RequestReceived brings a request from the CSMS or from a local interface. ID is chosen by the sender and comes
// back in the Response.
type RequestReceived struct {
	ID      RequestID
	Request Request
	Size    int // bytes of the message's payload; 0 for a local request
}

// ReplyReceived brings the outcome of a Report: the CSMS's answer, or why there is none.
// For a kept report (see Class) it comes exactly once: when it was answered or was given up after the last attempt.
type ReplyReceived struct {
	ID    ReportID
	Class Class
	Of    ReportBody // the report that this answers
	Reply Reply

	// Side are changes of the dialects' side table that came with it, to be kept in the batch of the acknowledgement.
	// MustKeep: they hold what only the CSMS knows, and owe a sync.
	Side     []Record
	MustKeep bool
}

// ClockSet moves the wall clock: wall time is now + Offset from here on.
type ClockSet struct {
	Wall   time.Time // what the time is at this instant
	Source string    // "Heartbeat", "RTC", "NTP", "Manual"
}

// StorageChanged tells the health of the storage: Code is "" when all is well, else a stable code like STO-FULL.
type StorageChanged struct{ Code string }

// StorageFound tells what storage found at its start: damage, a file that was put aside, what was rebuilt or lost.
type StorageFound struct{ Code, Text string }

// MemoryShort tells that the program holds more RAM than it should: Live bytes.
type MemoryShort struct{ Live uint64 }

// Unheard tells that the CSMS did not answer a kept report in time, on a connection that is still open.
type Unheard struct{}

// Unregistered tells that the CSMS answered a report with SecurityError: it does not know the station (B01.FR.10).
type Unregistered struct{}

// UploadEnded tells how an Upload went. Status: Uploaded, UploadFailure, BadMessage, PermissionDenied, NotSupportedOperation.
// A Reason, of the appendix' codes, says that it would fail again.
type UploadEnded struct {
	Number uint64
	Status string
	Reason string
}

// Thinned tells that storage had to drop intermediate Updated events of a transaction (E04.FR.07).
type Thinned struct {
	Transaction term.TransactionID
	Count       int
}

// CSRMade answers MakeCSR: the request for a certificate in PEM, or Code, why there is none: "KEY-STORE" where the key cannot be
// made or kept, "CSR" where it cannot sign.
type CSRMade struct {
	Number uint64
	PEM    string
	Code   string
}

func (PilotChanged) event()    {}
func (CableChanged) event()    {}
func (PowerChanged) event()    {}
func (LockChanged) event()     {}
func (OfferChanged) event()    {}
func (FaultChanged) event()    {}
func (MeterRead) event()       {}
func (TokenRead) event()       {}
func (StopPressed) event()     {}
func (BayChanged) event()      {}
func (PowerFailing) event()    {}
func (LinkUp) event()          {}
func (LinkDown) event()        {}
func (AuthRefused) event()     {}
func (CSMSDistrusted) event()  {}
func (BadMessage) event()      {}
func (Replayed) event()        {}
func (RequestReceived) event() {}
func (ReplyReceived) event()   {}
func (ClockSet) event()        {}
func (StorageChanged) event()  {}
func (StorageFound) event()    {}
func (Unheard) event()         {}
func (MemoryShort) event()     {}
func (Unregistered) event()    {}
func (UploadEnded) event()     {}
func (Thinned) event()         {}
func (CSRMade) event()         {}
