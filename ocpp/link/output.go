package link

import (
	"time"

	"github.com/evsed/evsed/station"
)

// Output is what one input to the Engine wants done, in this order. The Output and its slices are reused by the next
// input; the frames themselves belong to the receiver.
type Output struct {
	Frames   [][]byte        // to write, in order
	Events   []station.Event // for the core, in order
	Close    *Close          // close the connection after the frames; the engine sends nothing more until it is opened again
	Stranger bool            // over SOAP: the CSMS answered a call with SecurityError, as others answer 401
	Deadline time.Time       // call Tick no later than this; zero means never
}

// Close is a wish to end the connection.
type Close struct {
	Code   int    // WebSocket close code
	Reason string // at most 123 bytes, for the close frame and the log
}

// Stats counts what leaves no other trace.
type Stats struct {
	Calls      uint64 // CALLs sent
	Answers    uint64 // CALLRESULTs and CALLERRORs received for the CALL under way
	Silences   uint64 // CALLs that got no answer in time
	Stray      uint64 // answers and responses that belong to nothing: late, repeated, unknown
	Requests   uint64 // CALLs of the CSMS handed to the core
	Refused    uint64 // CALLs of the CSMS answered with an error
	Repeated   uint64 // CALLs of the CSMS with a used message id
	Malformed  uint64 // frames that could not be read
	Unexpected uint64 // SENDs and CALLRESULTERRORs, which no one waits for
	Dropped    uint64 // Now and Latest reports refused because their queue was full
	Skipped    uint64 // outbox entries without a readable key
	Dials      uint64 // connection attempts
	Opened     uint64 // connections opened
	Answered   uint64 // connections on which a CALL was answered
}
