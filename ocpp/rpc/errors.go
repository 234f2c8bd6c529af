package rpc

// ErrorCode is the errorCode of a CALLERROR (part 4, 4.3).
type ErrorCode string

// The codes of OCPP 2.0.1 and 2.1.
const (
	FormatViolation               ErrorCode = "FormatViolation"
	GenericError                  ErrorCode = "GenericError"
	InternalError                 ErrorCode = "InternalError"
	MessageTypeNotSupported       ErrorCode = "MessageTypeNotSupported"
	NotImplemented                ErrorCode = "NotImplemented"
	NotSupported                  ErrorCode = "NotSupported"
	OccurrenceConstraintViolation ErrorCode = "OccurrenceConstraintViolation"
	PropertyConstraintViolation   ErrorCode = "PropertyConstraintViolation"
	ProtocolError                 ErrorCode = "ProtocolError"
	RpcFrameworkError             ErrorCode = "RpcFrameworkError"
	SecurityError                 ErrorCode = "SecurityError"
	TypeConstraintViolation       ErrorCode = "TypeConstraintViolation"
)

// Canonical returns the 2.x spelling of a code that 1.6 and many peers spell otherwise. An unknown code
// stays as it is: it is only ever logged.
func (c ErrorCode) Canonical() ErrorCode {
	switch c {
	case "FormationViolation":
		return FormatViolation
	case "OccurenceConstraintViolation":
		return OccurrenceConstraintViolation
	}
	return c
}

// In returns the code as v spells it: 1.6 has two words of its own, which stay as they are for compatibility (OCPP-J 1.6,
// 4.2.3 with errata 5.1 and 5.2), and none for what is wrong with a frame.
func (c ErrorCode) In(v Version) ErrorCode {
	if v > V16 {
		return c
	}
	switch c {
	case FormatViolation:
		return "FormationViolation"
	case OccurrenceConstraintViolation:
		return "OccurenceConstraintViolation"
	case RpcFrameworkError, MessageTypeNotSupported:
		return GenericError
	}
	return c
}

// DecodeError says what is wrong with a received message and which code its sender should get.
type DecodeError struct {
	Code   ErrorCode
	Path   string // JSON path from the payload's root: idToken.additionalInfo[2].type; "" is the root
	Reason string
}

// Error names the place and the fault; it is fit to be sent as errorDescription.
func (e *DecodeError) Error() string { return at(e.Path, e.Reason) }

// EncodeError says why a message of ours cannot be told in the asked version.
type EncodeError struct {
	Path   string
	Reason string
}

// Error names the place and the fault.
func (e *EncodeError) Error() string { return at(e.Path, e.Reason) }

func at(path, reason string) string {
	if path == "" {
		return reason
	}
	return path + ": " + reason
}

// FrameError says what is wrong with a received frame and how to answer it.
type FrameError struct {
	Answer MessageType // CallError or CallResultError; 0 is silence
	ID     string      // the id to answer, "-1" where none could be read
	Type   MessageType // of the frame, 0 where it could not be read
	Code   ErrorCode
	Reason string
}

// Error returns the reason; it is fit to be sent as errorDescription.
func (e *FrameError) Error() string { return e.Reason }
