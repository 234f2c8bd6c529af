package rauc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/evsed/evsed/storage/slot"
)

// syncBytes is after how many bytes what was written is made durable, so that a power cut costs no more.
const syncBytes = 4 << 20

// spool is a bundle that is being downloaded. A file beside it says how many of its bytes are durable and what they are the
// beginning of.
type spool struct {
	name   string
	f      *os.File
	sum    hash.Hash
	size   int64
	synced int64
	tag    string
}

// openSpool goes on with what is durable of a bundle.
func openSpool(name string) (*spool, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	s := &spool{name: name, f: f, sum: sha256.New()}
	if err := s.recover(); err != nil {
		f.Close()
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	return s, nil
}

func (s *spool) mark() string { return s.name + ".tag" }

// recover reads what is durable.
func (s *spool) recover() error {
	b, err := os.ReadFile(s.mark())
	size, tag, _ := strings.Cut(string(b), " ")
	n, bad := strconv.ParseInt(size, 10, 64)
	if err != nil || bad != nil || n < 0 || len(tag) > slot.MaxTag {
		return s.Truncate(0)
	}
	got, err := io.Copy(s.sum, io.LimitReader(s.f, n))
	if err != nil || got < n {
		return s.Truncate(0)
	}
	s.size, s.synced, s.tag = n, n, tag
	return s.f.Truncate(n)
}

// Offset is how many bytes there are.
func (s *spool) Offset() int64 { return s.size }

// Write appends.
func (s *spool) Write(p []byte) (int, error) {
	if s.size+int64(len(p)) > MaxBundle {
		return 0, tooLarge(s.size + int64(len(p)))
	}
	n, err := s.f.WriteAt(p, s.size)
	s.sum.Write(p[:n])
	s.size += int64(n)
	if err == nil && s.size-s.synced >= syncBytes {
		err = s.sync()
	}
	return n, full(err)
}

// full says of a full disk that it is full.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", slot.ErrFull, err)
	}
	return err
}

// sync makes durable what there is.
func (s *spool) sync() error {
	if err := s.f.Sync(); err != nil {
		return err
	}
	if err := replace(s.mark(), []byte(strconv.FormatInt(s.size, 10)+" "+s.tag)); err != nil {
		return err
	}
	s.synced = s.size
	return nil
}

// Truncate goes back to size bytes; to 0 it forgets the tag.
func (s *spool) Truncate(size int64) error {
	if size < 0 || size > s.size {
		return fmt.Errorf("truncate %d bytes to %d", s.size, size)
	}
	if size == 0 {
		s.tag = ""
	}
	s.size = size
	s.sum.Reset()
	if _, err := io.Copy(s.sum, io.NewSectionReader(s.f, 0, size)); err != nil {
		return err
	}
	if err := s.sync(); err != nil { // first: no start may take for durable what is about to go
		return full(err)
	}
	return s.f.Truncate(size)
}

// Tag is what SetTag was given last.
func (s *spool) Tag() string { return s.tag }

// SetTag names what the bytes are the beginning of.
func (s *spool) SetTag(tag string) error {
	if len(tag) > slot.MaxTag {
		return fmt.Errorf("tag of %d bytes: want at most %d", len(tag), slot.MaxTag)
	}
	s.tag = tag
	return full(s.sync())
}

// Sum is the SHA-256 of the bytes.
func (s *spool) Sum() []byte { return s.sum.Sum(nil) }

// Close makes durable what was written.
func (s *spool) Close() error { return errors.Join(full(s.sync()), s.f.Close()) }
