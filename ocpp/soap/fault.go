package soap

import "github.com/evsed/evsed/ocpp/rpc"

// Code is the code of a SOAP fault.
type Code string

// The codes of SOAP 1.2 that OCPP uses, and the two with which an envelope itself is refused.
const (
	Sender          Code = "Sender"
	Receiver        Code = "Receiver"
	MustUnderstand  Code = "MustUnderstand"
	VersionMismatch Code = "VersionMismatch"
)

// The subcodes of OCPP (OCPP-S 1.6, table 1). A peer may send any other (errata 3.3).
const (
	SecurityError    = "SecurityError"
	IdentityMismatch = "IdentityMismatch"
	ProtocolError    = "ProtocolError"
	InternalError    = "InternalError"
	NotSupported     = "NotSupported"
)

// Fault is a SOAP fault, received or to be sent.
type Fault struct {
	Code    Code
	Subcode string // "" for none
	Reason  string
}

func (f *Fault) Error() string {
	name := f.Subcode
	if name == "" {
		name = string(f.Code)
	}
	if f.Reason == "" {
		return name
	}
	return name + ": " + f.Reason
}

// Status returns the status of the HTTP response that carries the fault (SOAP 1.2 part 2, table 20).
func (f *Fault) Status() int {
	if f.Code == Sender {
		return 400
	}
	return 500
}

// protocolError is what most of what can be wrong is.
func protocolError(reason string) *Fault { return &Fault{Sender, ProtocolError, reason} }

// FaultOf returns the fault that says what a CALLERROR of ours says.
func FaultOf(code rpc.ErrorCode, description string) Fault {
	switch code {
	case rpc.NotImplemented, rpc.NotSupported:
		return Fault{Receiver, NotSupported, description}
	case rpc.InternalError, rpc.GenericError:
		return Fault{Receiver, InternalError, description}
	case rpc.SecurityError:
		return Fault{Sender, SecurityError, description}
	}
	return Fault{Sender, ProtocolError, description}
}

// ErrorCode returns the code of the CALLERROR that says what a fault of the peer says.
func (f *Fault) ErrorCode() rpc.ErrorCode {
	switch f.Subcode {
	case SecurityError, ProtocolError, InternalError, NotSupported:
		return rpc.ErrorCode(f.Subcode)
	}
	return rpc.GenericError
}
