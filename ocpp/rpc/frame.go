package rpc

import "unicode/utf8"

// MessageType is the first element of a frame (part 4, 4.1.3).
type MessageType uint8

// The message types; CallResultError and Send exist since 2.1.
const (
	Call            MessageType = 2
	CallResult      MessageType = 3
	CallError       MessageType = 4
	CallResultError MessageType = 5
	Send            MessageType = 6
)

// UnknownID answers a frame whose own id could not be read (part 4, 4.2.3).
const UnknownID = "-1"

// Frame is one message as it stands on the wire. Its strings are windows of the one copy that Parse made.
type Frame struct {
	Type             MessageType
	ID               string    // at most 36 characters
	Action           string    // Call, Send
	Payload          string    // Call, Send, CallResult: one object, its grammar checked; {} where the peer wrote null
	ErrorCode        ErrorCode // CallError, CallResultError, in the 2.x spelling if known
	ErrorDescription string
	ErrorDetails     string // one object, its grammar checked
}

// OpenCall appends a CALL up to its payload. The caller appends the payload and ']'.
func OpenCall(dst []byte, id, action string) []byte { return open(dst, '2', id, action) }

// OpenSend appends a SEND up to its payload. The caller appends the payload and ']'.
func OpenSend(dst []byte, id, action string) []byte { return open(dst, '6', id, action) }

// OpenCallResult appends a CALLRESULT up to its payload. The caller appends the payload and ']'.
func OpenCallResult(dst []byte, id string) []byte { return append(openAny(dst, '3', id), ',') }

func open(dst []byte, kind byte, id, action string) []byte {
	return append(AppendString(append(openAny(dst, kind, id), ','), action), ',')
}

func openAny(dst []byte, kind byte, id string) []byte {
	return AppendString(append(dst, '[', kind, ','), id)
}

// AppendCall appends a CALL.
func AppendCall(dst []byte, id, action string, payload []byte) []byte {
	return append(append(OpenCall(dst, id, action), payload...), ']')
}

// AppendSend appends a SEND.
func AppendSend(dst []byte, id, action string, payload []byte) []byte {
	return append(append(OpenSend(dst, id, action), payload...), ']')
}

// AppendCallResult appends a CALLRESULT.
func AppendCallResult(dst []byte, id string, payload []byte) []byte {
	return append(append(OpenCallResult(dst, id), payload...), ']')
}

// AppendCallError appends a CALLERROR without details. The description is cut to 255 characters.
func AppendCallError(dst []byte, id string, code ErrorCode, description string) []byte {
	return appendError(dst, '4', id, code, description)
}

// AppendCallResultError appends a CALLRESULTERROR without details. The description is cut to 255 characters.
func AppendCallResultError(dst []byte, id string, code ErrorCode, description string) []byte {
	return appendError(dst, '5', id, code, description)
}

func appendError(dst []byte, kind byte, id string, code ErrorCode, description string) []byte {
	dst = append(openAny(dst, kind, id), ',')
	dst = append(AppendString(dst, string(code)), ',')
	dst = AppendString(dst, cut(description, MaxReason))
	return append(dst, ",{}]"...)
}

// AppendAnswer appends the frame that answers e, nothing where the answer is silence.
func AppendAnswer(dst []byte, e *FrameError) []byte {
	switch e.Answer {
	case CallError:
		return AppendCallError(dst, e.ID, e.Code, e.Reason)
	case CallResultError:
		return AppendCallResultError(dst, e.ID, e.Code, e.Reason)
	}
	return dst
}

// cut returns at most max characters of s.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for i := range s {
		if max--; max < 0 {
			return s[:i]
		}
	}
	return s
}

// tooLongID tells whether an id has more than 36 characters.
func tooLongID(id string) bool {
	return len(id) > MaxMessageID && utf8.RuneCountInString(id) > MaxMessageID
}
