// Package ocpp holds what all generations of OCPP share: the Dialect, a pure translator between the station's
// vocabulary and one wire, and the nouns of its contract.
package ocpp

import (
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Call is one CALL that a report becomes. Payload is the JSON object (or the SOAP body) to send.
type Call struct {
	Report  station.ReportID // whose outcome this call's answer is
	Action  string
	Payload []byte

	// Transaction is the transaction that the call begins, where the dialect needs it again for the answer.
	Transaction term.TransactionID
}

// Stage takes the items of a list that is too long to hold in memory, one by one, already validated
// (SendLocalList). A request carries the id that Begin returned; the core commits or drops it.
type Stage interface {
	Begin() (station.StageID, error)
	// Add stages one local list entry; remove is set for an entry without idTokenInfo (D01.FR.16: delete it).
	Add(token term.IdToken, info term.TokenInfo, remove bool) error
	Abort()
}

// Dialect is one generation of OCPP. It is pure: it keeps nothing but the Table it is given.
type Dialect interface {
	Version() rpc.Version

	// Encode turns a fact into 0..n calls. A fact that this generation cannot tell becomes no call and no error.
	Encode(r station.Report, t *Table) ([]Call, error)

	// Result turns the payload of a call's CALLRESULT into the reply. An error means that the answer is invalid; it
	// carries the RPC error code as *rpc.DecodeError.
	Result(c Call, payload string, t *Table) (station.Reply, error)

	// Request turns a CALL of the CSMS into a request. Errors are *RequestError.
	Request(action, payload string, t *Table, big Stage) (station.Request, error)

	// Respond appends the payload of the CALLRESULT for a request that Request returned. An error response is not its
	// business: the link sends a CALLERROR for station.Response.Error.
	Respond(dst []byte, action string, req station.Request, body station.ResponseBody) ([]byte, error)
}

// Independent is a Dialect whose calls rest on no answer: a report may be encoded before the answers to those in front of
// it are there, and encoding changes nothing.
type Independent interface{ Independent() }

// Abandoner is the ability of a Dialect whose later calls rest on answers to hear that one will never come.
type Abandoner interface {
	// Abandoned tells that the CSMS refused a call to the last attempt. What rests on its answer is told without it from
	// now on (OCPP 1.6 errata 3.18: transaction id -1).
	Abandoned(c Call, t *Table)
}

// Streamer is the ability of a Dialect to read a request whose list is too long to keep, piece by piece as it arrives.
type Streamer interface {
	// Stream begins a request. list is the member of the payload that comes in pieces; a nil Stream means that the
	// action has none.
	Stream(action string, big Stage) (list string, s Stream)
}

// Stream is a request that arrives in pieces. Pieces first, then Request or Abort. Errors are *RequestError; after one of
// Piece only Abort may follow, after one of Request nothing.
type Stream interface {
	// Piece takes a JSON list with the next elements of the list, from its second on. piece is not kept.
	Piece(piece []byte) error
	// Request takes the payload, whose list has but its first element.
	Request(payload string) (station.Request, error)
	Abort()
}

// RequestError refuses a CALL: NotImplemented for an unknown action, NotSupported for a known one that this station does
// not offer, or the violation that decoding found.
type RequestError struct {
	Code        rpc.ErrorCode
	Description string
}

func (e *RequestError) Error() string { return string(e.Code) + ": " + e.Description }
