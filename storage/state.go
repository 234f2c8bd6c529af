package storage

import (
	"errors"
	"syscall"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"
)

// Codes of a store that is not well; stable, the same on console, API and wire.
const (
	CodeFull = "STO-FULL" // no room: refuse new transactions; those that run can still be ended
	CodeRO   = "STO-RO"   // the file system is read-only
	CodeIO   = "STO-IO"   // the device fails, or a database was damaged while in use
	CodeSlow = "STO-SLOW" // the device takes long: what rests on a record waits. Told by who waits; never a State
)

// State says how the store is. The zero value is well.
type State struct {
	Code string
	Err  error
}

// Bounds of the pace at which a store that is not well tries again.
const (
	retryFirst = time.Second
	retryMost  = time.Minute
)

// ErrOutboxFull says that the outbox is at its bound and holds nothing that may be thinned.
var ErrOutboxFull = errors.New("outbox is full of messages that may not be dropped")

// ErrBacklog says that too much was handed over that could not be made durable yet.
var ErrBacklog = errors.New("storage does not keep up: too many records wait to become durable")

// ErrClosed is returned by a store after Close.
var ErrClosed = errors.New("storage is closed")

// ErrInUse says that another process holds the directory.
var ErrInUse = errors.New("state directory is in use by another process")

func codeOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, bolterrors.ErrMaxSizeReached), errors.Is(err, ErrOutboxFull):
		return CodeFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return CodeRO
	}
	return CodeIO
}

// health is the failure that is being waited out.
type health struct {
	err   error
	wait  time.Duration
	retry time.Time
}

// failed notes an error at now and sets the next try.
func (h *health) failed(err error, now time.Time) {
	h.wait = min(max(2*h.wait, retryFirst), retryMost)
	h.err, h.retry = err, now.Add(h.wait)
}

func (h *health) well() { *h = health{} }
