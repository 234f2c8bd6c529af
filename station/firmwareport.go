package station

import (
	"time"

	"github.com/evsed/evsed/station/update"
)

// Image is the firmware that runs, as whoever started the station knows it.
type Image = update.Running

// UpdateFirmware (L01), and both messages of 1.6 with that meaning.
type UpdateFirmware struct {
	RequestID     int  // valid if HasRequestID
	HasRequestID  bool // the plain update of 1.6 has no number
	URL           string
	Retrieve      time.Time // not before
	Install       time.Time // not before; zero: as soon as it can be
	Retries       int       // valid if HasRetries; else the station decides
	HasRetries    bool
	RetryInterval time.Duration // 0 or less: the station decides
	Certificate   string        // in PEM; "" : none was given
	Signature     string        // in Base64; "" : none was given

	// Plain is the message of 1.6 that has neither room for a certificate and a signature nor for a status in its answer.
	Plain bool
}

// FirmwareStatus tells how an update is (L01.FR.01); Idle, and the newest again, where the CSMS asks (F06).
type FirmwareStatus struct {
	Status       string // FirmwareStatusEnumType
	RequestID    int    // valid if HasRequestID
	HasRequestID bool
	Reason       string // stable code of a failure; "" for none
	Info         string // more of it, for people
	Triggered    bool   // the CSMS asked how it is
}

// Fetch asks for one attempt to download a firmware image to where it can be installed from; FetchEnded tells how it went.
// An attempt does not begin while another runs. A number may come again, for the next attempt, also after a restart.
type Fetch struct {
	Number uint64
	URL    string // may hold credentials
	Resume bool   // go on with what an attempt of this number has written; else from the beginning
}

// CancelFetch ends what runs for an update: an attempt to download it, or its installation. Nothing is told of it any more.
type CancelFetch struct{ Number uint64 }

// Install asks to check what was fetched: that it is whole, the manufacturer's, and fits this hardware. Nothing starts it yet.
// InstallEnded tells how that went. It may come again after a restart.
type Install struct {
	Number uint64
	Digest []byte // SHA-256 of the file, as FetchEnded told it
}

// Activate asks that the next start runs what was installed; Activated tells how that went. It may come again after a restart.
type Activate struct{ Number uint64 }

// FetchProgress tells that a download moves.
type FetchProgress struct{ Number uint64 }

// FetchEnded tells how an attempt to download went. Code is "" or why it failed, stable; Final says that another attempt would go
// no better. Digest is the SHA-256 of the whole file.
type FetchEnded struct {
	Number uint64
	Digest []byte
	Size   int64
	Code   string
	Final  bool

	// Verdict is what a simulated download says of the signature, "ok" or "fail": there is no file that could be held against
	// it. It counts where Config.SimulatedFirmware says so, and nowhere else.
	Verdict string
}

// InstallEnded tells how the check of an image went: its version, or Code, why it is not installed; Unfit says that the image
// is to blame, not the station.
type InstallEnded struct {
	Number  uint64
	Version string
	Code    string
	Unfit   bool
	Forged  bool // the image is not what its maker has signed
}

// Activated tells how an Activate went. Code is "" or why it failed. Live says that the new firmware runs already.
type Activated struct {
	Number uint64
	Code   string
	Live   bool
}

// ImageProved tells that the image that ran on trial is kept.
type ImageProved struct{}

func (UpdateFirmware) request() {}
func (FirmwareStatus) report()  {}
func (Fetch) command()          {}
func (CancelFetch) command()    {}
func (Install) command()        {}
func (Activate) command()       {}
func (FetchProgress) event()    {}
func (FetchEnded) event()       {}
func (InstallEnded) event()     {}
func (Activated) event()        {}
func (ImageProved) event()      {}
