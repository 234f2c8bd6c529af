package slot

import (
	"context"
	"errors"

	"github.com/evsed/evsed/storage/slot/image"
)

// Installer puts firmware in place. The package's AB keeps two slots of the evsed binary; a system that updates whole images
// implements the same. Its methods are called by one goroutine at a time, Status by any.
type Installer interface {
	// Stage begins to write an image into what does not run, or goes on with what an earlier Stage began: the Writer's Offset
	// says where. size: bytes of the whole image, -1 when nobody knows. ErrFull, image.ErrSize.
	Stage(ctx context.Context, size int64) (Writer, error)
	// Check says whether what was staged may run here: whole, signed by a key that counts, for this hardware, not older than
	// what was good already. Its errors wrap the reasons of package image.
	Check() (Manifest, error)
	// Activate checks once more, and makes the next start a trial of what was staged.
	Activate() error
	// Good ends the trial: what runs is what starts from now on. Without a trial it does nothing.
	Good() error
	// Rollback ends the trial, or takes an Activate back: the next start is what was good before.
	Rollback() error
	Status() Status
}

// Writer takes the bytes of an image in their order.
type Writer interface {
	// Offset is how many bytes of the image are there.
	Offset() int64
	Write(p []byte) (int, error)
	// Truncate goes back to size bytes: 0 begins anew.
	Truncate(size int64) error
	// Tag is what SetTag was last given, "" after Truncate(0): which file the bytes are the beginning of. It is as durable as
	// they are. At most MaxTag bytes.
	Tag() string
	SetTag(tag string) error
	// Sum is the SHA-256 of the bytes up to Offset.
	Sum() []byte
	// Close makes durable what was written; a later Stage goes on there.
	Close() error
}

// MaxTag is how long a tag may be, in bytes.
const MaxTag = 512

// Manifest is what an image says of itself.
type Manifest = image.Manifest

// Name is the place of a binary.
type Name string

// Names.
const (
	A       Name = "a"
	B       Name = "b"
	Factory Name = "factory" // the binary that came with the system, outside the slots
)

// Status is how the slots are.
type Status struct {
	Running Boot   // what runs now
	Next    Name   // what the next start takes
	Trial   bool   // and whether that is a trial
	Staged  int64  // bytes of an image that is being staged
	Highest uint32 // security version below which nothing starts
	History []Entry
}

// Boot says what was started, and what became of the last trial.
type Boot struct {
	Slot         Name
	Trial        bool
	Version      string
	ReturnedFrom string // version that does not run although it was to; "" when there was none since the last Activate
	Code         string // why, stable: one of the codes below
	Why          string // and in words
	Alone        bool   // the trial was decided while there was no CSMS
}

// Entry is one line of the history of a station's firmware.
type Entry struct {
	What    string `json:"what"` // staged, activated, good, returned, refused
	Slot    Name   `json:"slot"`
	Version string `json:"version"`
	Why     string `json:"why,omitempty"`
}

// Codes of why a binary does not run although it was to.
const (
	CodeStarts   = "FW-STARTS"   // all starts of its trial went by
	CodeHung     = "FW-HUNG"     // it neither proved itself nor gave up
	CodeEnded    = "FW-ENDED"    // it ended with an error during its trial
	CodeGuard    = "FW-GUARD"    // its guard did not answer
	CodeCSMS     = "FW-CSMS"     // the CSMS did not accept it
	CodeKept     = "FW-KEPT"     // that it is good could not be kept
	CodeImage    = "FW-IMAGE"    // the image is not, or no longer, one that may start
	CodeExec     = "FW-EXEC"     // the system does not start it
	CodeRollback = "FW-ROLLBACK" // somebody has said so
)

// Reasons beside those of package image.
var (
	// ErrFull says that there is no room for the image.
	ErrFull = errors.New("no room for the image")
	// ErrNothing says that nothing whole was staged.
	ErrNothing = errors.New("no image was staged")
	// ErrTrial says that a trial is still running: what it would return to must not be written over.
	ErrTrial = errors.New("what runs is on trial")
)
