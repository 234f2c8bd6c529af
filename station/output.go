package station

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/term"
)

// Output is what Step wants done, in this order. Slices are reused by the next Step: carry them out or copy them.
type Output struct {
	Cut       []term.Permit // 1 at once: open, or a lower limit. Less power never waits
	Records   []Record      // 2 to the journal
	MustSync  bool          //   an fsync is owed before 3 and 4; false lets the records ride with the next sync
	Permits   []term.Permit // 3 once 2 is durable: close, or a higher limit
	Reports   []Report      // 4 once 2 is durable: facts for the CSMS
	Responses []Response    //   once 2 is durable: answers to requests
	Commands  []Command     // 5 once 2 is durable
	Deadline  time.Time     // call Step(now, nil) no later than this; zero means never
}

// Command is a thing to do that is neither power nor a message. Only the types of this file implement it.
type Command interface{ command() }

// Gate tells the link what it may send: the registration rules of B01-B03.
type Gate struct{ Status Registration }

// Registration is what the CSMS made of the last BootNotification.
type Registration string

// Registration states; RegistrationNone before the first answer.
const (
	RegistrationNone     Registration = ""
	RegistrationAccepted Registration = "Accepted"
	RegistrationPending  Registration = "Pending"
	RegistrationRejected Registration = "Rejected"
)

// Reboot asks the runner to restart the station (B11, B12). Outputs of the same Step come first. Flush is how long the
// runner may wait for queued messages to leave (B12.FR.05).
type Reboot struct{ Flush time.Duration }

// Reconfigure tells the runner that values of the device model changed which the runner or the link read.
type Reconfigure struct{}

// Reconnect asks the link to close its connection and dial again with the current network profile (B10).
type Reconnect struct{}

// Indicate tells what a connector's light shall show.
type Indicate struct {
	Ref  term.Ref
	Show hal.Indication
}

// Signal tells whoever has just shown a card, or has asked for a start, what became of it.
type Signal struct {
	EVSEs []term.EVSEID // where it was shown; empty: everywhere
	Kind  hal.Signal
	Code  string // why it is refused, stable; "" where it is accepted
	Times int    // how often the lights blink; 0: they do not
}

func (Signal) command() {}

// Dim tells how bright all lights shall be.
type Dim struct{ Level unit.Percent }

func (Dim) command() {}

// PollMeter asks for a reading of an EVSE's meter now.
type PollMeter struct{ EVSE term.EVSEID }

// MeterRate says how often an EVSE's meter shall be read; 0 means only on PollMeter.
type MeterRate struct {
	EVSE  term.EVSEID
	Every time.Duration
}

// Upload asks for one attempt to put a log where URL points; UploadEnded tells how it went. An attempt does not
// begin while another runs. A number may come again, for the next attempt.
type Upload struct {
	Number         uint64
	URL            string    // of HTTP; may hold credentials. File is appended to one that ends with a slash (N01.FR.21)
	Log            string    // DiagnosticsLog or SecurityLogs
	File           string    // name
	Oldest, Latest time.Time // of the lines; zero: no bound
}

// CancelUpload ends an attempt; nothing is told of it any more.
type CancelUpload struct{ Number uint64 }

// MakeCSR asks for a new key pair under the name Key, and a certificate signing request for it; CSRMade answers. Empty fields
// of the subject are left out. A key of that name that is there already is used again: the command may come twice.
type MakeCSR struct {
	Number                            uint64
	Use                               cert.Use
	Key                               string
	Algorithm                         cert.Algorithm
	CommonName, Organization, Country string
}

// DropKey asks to destroy the key of that name. One that does not exist is no error.
type DropKey struct{ Key string }

func (MakeCSR) command()      {}
func (DropKey) command()      {}
func (Upload) command()       {}
func (CancelUpload) command() {}
func (Gate) command()         {}
func (Reboot) command()       {}
func (Reconfigure) command()  {}
func (Reconnect) command()    {}
func (Indicate) command()     {}
func (PollMeter) command()    {}
func (MeterRate) command()    {}
