package peertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Peer is a CSMS library under a test's hand.
type Peer interface {
	Name() string
	Version() string // "1.6", "2.0.1", "2.1"
	URL() string     // ws://127.0.0.1:port, to which a station appends its identity
	Journal() *Journal

	// Send makes the library send a request; it checks request and response by its own rules.
	Send(station, action, payload string) (Answer, error)

	// SendRaw sends a frame past the library's checks and waits for the answer to id.
	SendRaw(station, id, frame string) (Answer, error)

	Close()
}

// Answer is how a station answered a request: with a result, or with a CALLERROR.
type Answer struct {
	Payload           string // "" if Code is set
	Code, Description string
}

func (a Answer) String() string {
	if a.Code != "" {
		return a.Code + ": " + a.Description
	}
	return a.Payload
}

// Status is the member status of a result.
func (a Answer) Status() string {
	var s struct{ Status string }
	_ = json.Unmarshal([]byte(a.Payload), &s)
	return s.Status
}

// answerTimeout is how long a station may take for a response.
const answerTimeout = 15 * time.Second

var errNoAnswer = errors.New("no answer in time")

// Decide says what a CSMS answers to a request of a station: the payload of the response.
type Decide func(action, payload string) string

// Unwelcome is how a card begins that the CSMS does not accept.
const Unwelcome = "NO-"

// SayYes accepts whatever can be accepted, but not the cards of unwelcome guests.
func SayYes(action, payload string) string {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	switch action {
	case "BootNotification":
		return fmt.Sprintf(`{"currentTime":"%s","interval":300,"status":"Accepted"}`, now)
	case "Heartbeat":
		return fmt.Sprintf(`{"currentTime":"%s"}`, now)
	case "Authorize", "TransactionEvent":
		return tokenAnswer(payload)
	case "DataTransfer":
		return `{"status":"Accepted"}`
	}
	return `{}`
}

func tokenAnswer(payload string) string {
	var request struct {
		IdToken *struct{ IdToken string }
	}
	if json.Unmarshal([]byte(payload), &request) != nil || request.IdToken == nil {
		return `{}`
	}
	status := "Accepted"
	if strings.HasPrefix(request.IdToken.IdToken, Unwelcome) {
		status = "Invalid"
	}
	return fmt.Sprintf(`{"idTokenInfo":{"status":"%s"}}`, status)
}

var lastID atomic.Uint64

// newID returns a message id that was not used before.
func newID(prefix string) string { return fmt.Sprintf("%s-%d", prefix, lastID.Add(1)) }

// result is an answer, or why there is none.
type result struct {
	answer Answer
	err    error
}

// waiting is the calls that have no answer yet, by message id.
type waiting map[string]chan result
