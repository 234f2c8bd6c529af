package transfer

import (
	"context"
	"errors"
	"io"
)

// Sink takes a file from its beginning to its end, and may hold a part of it from an attempt before.
type Sink interface {
	// Write takes what comes behind Offset. Its error ends the transfer with ErrSink, which wraps it: a full disk is seen
	// as such by errors.Is.
	io.Writer
	// Offset is how many bytes of the file are held.
	Offset() int64
	// Truncate forgets what is held from the byte size on. A server that cannot go on where the sink stands, or whose file
	// is another now, begins again after Truncate(0).
	Truncate(size int64) error
}

// Tagger is what a Sink also is that can go on after an attempt that was cut. The tag says which file its bytes are the
// beginning of (an ETag, a date or a size, as the server tells them; at most MaxTag bytes). It is as durable as the bytes.
// A Sink that is no Tagger begins anew in each attempt: half of one file before half of another would make none.
type Tagger interface {
	// Tag is what SetTag was last given; "" at first.
	Tag() string
	// SetTag is called before the first byte of a file is written, and after Truncate(0). "": it cannot be told from another.
	SetTag(tag string) error
}

// MaxTag is how long a tag may be, in bytes.
const MaxTag = 512

// Reasons why a file was not fetched, beside those of Put.
var (
	// ErrScheme is a scheme that this build does not speak; the error names it.
	ErrScheme = errors.New("no way to transfer by this scheme")
	// ErrHost is an address that a station does not go to.
	ErrHost = errors.New("the station does not go to this address")
	// ErrTrust is a server whose certificate or host key nobody vouches for.
	ErrTrust = errors.New("the server is not trusted")
	// ErrNotFound is a file that is not there.
	ErrNotFound = errors.New("the file is not there")
	// ErrTooLarge is a file that is larger than it may be, or that the server said to be so.
	ErrTooLarge = errors.New("the file is too large")
	// ErrCut is a file that ended before its end; another attempt goes on there.
	ErrCut = errors.New("the file was cut short")
	// ErrAnswer is an answer that contradicts the question or itself.
	ErrAnswer = errors.New("the server's answer makes no sense")
	// ErrSink is a Sink that took no more.
	ErrSink = errors.New("the file could not be kept")
)

// Get fetches the file at an address into s: one attempt, which goes on at s.Offset() where server and file allow it. It ends
// early with ctx. What s holds after an error is the beginning of the file, for the next attempt.
//
// No error says more of the address than its host.
func (c *Client) Get(ctx context.Context, address string, s Sink) error {
	return c.get(ctx, address, s)
}

// Final says that another attempt would go no better: it is the address, the server's word or the file that is wrong, and not
// the way to it.
func Final(err error) bool {
	for _, e := range []error{ErrAddress, ErrScheme, ErrHost, ErrTrust, ErrRedirect, ErrPermission, ErrNotFound, ErrMethod, ErrMessage, ErrTooLarge} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
