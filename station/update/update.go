package update

import "time"

// Status is how an update is (FirmwareStatusEnumType).
type Status string

// Statuses.
const (
	Idle                      Status = "Idle"
	DownloadScheduled         Status = "DownloadScheduled"
	Downloading               Status = "Downloading"
	DownloadPaused            Status = "DownloadPaused"
	Downloaded                Status = "Downloaded"
	DownloadFailed            Status = "DownloadFailed"
	SignatureVerified         Status = "SignatureVerified"
	InvalidSignature          Status = "InvalidSignature"
	InstallScheduled          Status = "InstallScheduled"
	Installing                Status = "Installing"
	InstallRebooting          Status = "InstallRebooting"
	InstallationFailed        Status = "InstallationFailed"
	InstallVerificationFailed Status = "InstallVerificationFailed"
	Installed                 Status = "Installed"
)

// Known reports whether a status is one of FirmwareStatusEnumType.
func (s Status) Known() bool { return s.Over() || s.underWay() }

// Over reports whether nothing follows by itself any more.
func (s Status) Over() bool {
	switch s {
	case Idle, DownloadFailed, InvalidSignature, InstallationFailed, InstallVerificationFailed, Installed:
		return true
	}
	return false
}

func (s Status) underWay() bool {
	switch s {
	case DownloadScheduled, Downloading, DownloadPaused, Downloaded, SignatureVerified, InstallScheduled, Installing, InstallRebooting:
		return true
	}
	return false
}

// Update is one that was asked for.
type Update struct {
	Number       uint64        `json:"n"` // ours; Begin gives it
	RequestID    int           `json:"id,omitempty"`
	HasRequestID bool          `json:"has,omitempty"` // the plain update of 1.6 has no number
	URL          string        `json:"url,omitempty"` // may hold credentials; "" once the image is here
	Retrieve     time.Time     `json:"from,omitzero"` // wall time: not before
	Install      time.Time     `json:"at,omitzero"`   // wall time: not before; zero: as soon as it can be
	Retries      int           `json:"left"`          // attempts that may follow a failed one; below 0: as the station likes
	Interval     time.Duration `json:"every"`         // between attempts; 0 or less: as the station likes
	Certificate  []byte        `json:"cert,omitempty"`
	Signature    []byte        `json:"sig,omitempty"`  // nil: the image's own signature decides alone
	Digest       []byte        `json:"sum,omitempty"`  // SHA-256 of the file, once it is here
	Version      string        `json:"v,omitempty"`    // of the image, once it is installed
	From         string        `json:"slot,omitempty"` // where what ran lay when the image was activated
	Activations  int           `json:"act,omitempty"`  // how often it was activated
}

// Running is the firmware that runs, as who started it knows.
type Running struct {
	Version string
	Slot    string // where it lies; "" where there is but one place
	Trial   bool   // it is given up again unless it proves itself
	GaveUp  string // version that was activated last, did not prove itself, and was taken back; "" : none
	Why     string // it was, for people
}

// World is what an update depends on, as it is at a step.
type World struct {
	Now  time.Time // monotonic
	Wall time.Time
	Busy bool // a session runs, or is about to
	Ill  bool // nothing can be kept on flash
}

// Notice is what the CSMS is to hear. A Reason is a stable code, Info more of it for people.
type Notice struct {
	Status       Status
	RequestID    int
	HasRequestID bool
	Reason, Info string
}

// Turn is what follows, in this order.
type Turn struct {
	Cancel  uint64 // the attempt of this number ends; 0: none does
	Notices []Notice
	Keep    bool // Kept has changed
	Fetch   bool // an attempt to download the current update begins
	Resume  bool // at what an earlier attempt of it has written
	Install bool
	Enable  bool // activate: the next start runs the image
	Reboot  bool
}

// What the station does where the CSMS leaves it open, and bounds of what a CSMS may ask.
const (
	defaultRetries  = 3
	maxRetries      = 20
	defaultInterval = time.Minute
	minInterval     = 5 * time.Second
	maxInterval     = 24 * time.Hour

	// Burst is how many updates in a row a CSMS may ask for, and Every how long it takes until it may ask for one more: each
	// moves an image over a wire that may be paid for by the byte, and is written to flash.
	Burst = 16
	Every = time.Minute

	// FetchPatience is how long a download may stand still, InstallPatience how long the check of an image may take (one that
	// is written by others takes as long as its flash), EnablePatience how long the change of a boot entry may.
	FetchPatience   = 10 * time.Minute
	InstallPatience = 30 * time.Minute
	EnablePatience  = 2 * time.Minute

	// MaxActivations is how often an image may be activated that does not come up and that nobody has given up: a boot loader
	// that ignores it must not make the station restart for ever.
	MaxActivations = 3
)

// Reasons of ours, as stable codes.
const (
	ReasonSilent    = "FW-SILENT"    // nothing was heard of a step in its time
	ReasonSignature = "FW-SIGNATURE" // the file is not what was signed
	ReasonIgnored   = "FW-IGNORED"   // the image was activated and does not run
	ReasonGaveUp    = "FW-RETURNED"  // the image ran on trial and was taken back
)

func retriesOf(n int) int {
	if n < 0 {
		return defaultRetries
	}
	return min(n, maxRetries)
}

func intervalOf(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultInterval
	}
	return min(max(d, minInterval), maxInterval)
}
