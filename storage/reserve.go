package storage

import (
	"errors"
	"syscall"
	"time"
)

// reserveName is a file that only takes room. It is given up when the device is full, so that what runs can still be
// ended: from then on, and until it is back, the store says that it is full, and no new session begins.
const reserveName = "reserve"

// ErrReserve says that the device is full and that what is left is for the sessions that run.
var ErrReserve = errors.New("the device is full: what was kept in reserve is in use")

// dropReserve gives the reserve up and reports whether there was one.
func (s *Store) dropReserve() bool {
	f, err := s.opts.Files.Open(reserveName)
	if err != nil {
		return false
	}
	size, err := f.Size()
	if f.Close() != nil || err != nil || size < reserveBytes {
		return false
	}
	if s.opts.Files.Remove(reserveName) != nil {
		return false
	}
	s.lack(true)
	return true
}

// restoreReserve takes the reserve from the device if it is not there.
func (s *Store) restoreReserve() {
	f, err := s.opts.Files.Open(reserveName)
	if err != nil {
		s.lack(codeOf(err) == CodeFull)
		return
	}
	size, err := f.Size()
	if err == nil && size < reserveBytes {
		err = f.Allocate(reserveBytes)
	}
	_ = f.Close()
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	if full {
		_ = s.opts.Files.Remove(reserveName) // an empty reserve is none
	}
	s.lack(full)
}

// lack notes whether the reserve is missing.
func (s *Store) lack(missing bool) {
	s.missing.Store(nil)
	if missing {
		s.missing.Store(new(time.Time)) // it is asked for a while after the next Tick
	}
}

// refill tries once a minute to get a missing reserve back.
func (s *Store) refill(now time.Time) {
	due := s.missing.Load()
	if due == nil {
		return
	}
	if !due.IsZero() && !now.Before(*due) {
		s.restoreReserve()
	}
	if due = s.missing.Load(); due != nil && due.IsZero() {
		next := now.Add(retryMost)
		s.missing.Store(&next)
	}
}
