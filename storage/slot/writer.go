package slot

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"syscall"

	"github.com/evsed/evsed/storage/journal"
	"github.com/evsed/evsed/storage/slot/image"
)

const (
	// syncEvery is how much of an image a power cut may cost, in bytes.
	syncEvery = 1 << 20
	// spareRoom is what an image leaves to others on the device, in bytes.
	spareRoom = 2 << 20
)

// progress is how far an image was staged, durably.
type progress struct {
	Slot   Name   `json:"slot"`
	Offset int64  `json:"offset"` // of the image
	Tag    string `json:"tag,omitempty"`
}

// writer writes an image into a slot: the header into one file once it is whole, the payload into another. What is no image
// is taken all the same, hashed and not kept: whoever fetches it shall find a whole file of the wrong kind, not a broken
// transfer.
type writer struct {
	a      *AB
	slot   Name
	size   int64 // of the image; -1: unknown
	tag    string
	sum    hash.Hash // of everything up to offset
	offset int64
	synced int64 // offset that is durable

	head    []byte // the header as far as it has come
	header  int64  // its size; 0: not whole yet
	length  int64  // of the payload
	payload journal.File
	refused error // why nothing more is kept
	failed  error // of the device: what was written since the last sync may be lost
}

// begin empties the slot. The header goes first: without it nothing starts from here.
func (w *writer) begin() error {
	w.drop()
	files, s := w.a.o.Files, w.a.book
	if err := w.a.record(progress{Slot: w.slot}); err != nil {
		return err
	}
	if s.Trial == w.slot || *s.slot(w.slot) != (mark{}) {
		err := s.change(func(s *state) {
			if s.Trial == w.slot {
				s.Trial, s.Tries, s.Alone = "", 0, false
			}
			s.vacate(w.slot, w.a.o.Boot.Slot)
			*s.slot(w.slot) = mark{}
		})
		if err != nil {
			return err
		}
	}
	for _, name := range []string{headName(w.slot), payloadName(w.slot)} {
		if err := files.Remove(name); err != nil {
			return err
		}
		if err := files.SyncDir(); err != nil {
			return err
		}
	}
	w.sum, w.offset, w.synced, w.head, w.header, w.length, w.refused, w.failed, w.tag = sha256.New(), 0, 0, nil, 0, 0, nil, nil, ""
	if w.size > 0 {
		return w.reserve(w.size)
	}
	return nil
}

// reserve takes the room for size bytes of payload, and finds out whether others have some left.
func (w *writer) reserve(size int64) (err error) {
	if w.payload == nil {
		if w.payload, err = w.a.o.Files.Open(payloadName(w.slot)); err != nil {
			return err
		}
	}
	if err = w.payload.Allocate(size + w.a.room); err == nil {
		err = w.payload.Truncate(size)
	}
	if err != nil {
		w.drop()
		return errors.Join(err, w.a.o.Files.Remove(payloadName(w.slot)))
	}
	return nil
}

// resume goes on where an earlier writer has stopped; any error says that there is no such place.
func (w *writer) resume() error {
	p, err := w.a.progress()
	if err != nil {
		return err
	}
	h, size, err := readHeader(w.a.o.Files, w.slot)
	if err != nil {
		return err
	}
	if p.Slot != w.slot || p.Offset < size || p.Offset > size+h.Manifest.Length || w.a.book.Trial == w.slot {
		return errors.New("nothing to go on with")
	}
	w.head, w.header, w.length, w.tag = h.Append(nil), size, h.Manifest.Length, p.Tag
	if err := w.rehash(p.Offset); err != nil {
		return err
	}
	if w.offset == w.header+w.length {
		return nil // whole, and maybe sealed
	}
	w.payload, err = w.a.o.Files.Open(payloadName(w.slot))
	return err
}

// rehash reads what is there up to an offset behind the header.
func (w *writer) rehash(offset int64) error {
	f, err := w.a.o.Files.Read(payloadName(w.slot))
	if err != nil {
		return err
	}
	defer f.Close()
	w.sum = sha256.New()
	w.sum.Write(w.head)
	want := offset - w.header
	n, err := io.Copy(w.sum, io.NewSectionReader(f, 0, want))
	if err == nil && n < want {
		err = io.ErrUnexpectedEOF
	}
	w.offset, w.synced = offset, offset
	return err
}

func (a *AB) progress() (p progress, err error) {
	a.stage = pair{fs: a.o.Files, name: a.stage.name, made: a.stage.made}
	text, err := a.stage.load()
	if err != nil {
		return p, err
	}
	if text == nil {
		return p, nil
	}
	return p, json.Unmarshal(text, &p)
}

func (a *AB) record(p progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return a.stage.save(text)
}

// Offset implements Writer.
func (w *writer) Offset() int64 { return w.offset }

// Tag implements Writer.
func (w *writer) Tag() string { return w.tag }

// SetTag implements Writer.
func (w *writer) SetTag(tag string) error {
	if len(tag) > MaxTag {
		return fmt.Errorf("tag of %d bytes: want at most %d", len(tag), MaxTag)
	}
	w.tag = tag // durable with the first bytes
	return nil
}

// Sum implements Writer.
func (w *writer) Sum() []byte { return w.sum.Sum(nil) }

// Write implements Writer. image.ErrSize for more than an image can have, ErrFull without room.
func (w *writer) Write(p []byte) (int, error) {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	if w.offset+int64(len(p)) > int64(image.MaxImage) {
		return 0, fmt.Errorf("%w: want at most %d bytes", image.ErrSize, image.MaxImage)
	}
	done := 0
	for done < len(p) {
		n, err := w.write(p[done:])
		w.sum.Write(p[done : done+n])
		w.offset += int64(n)
		done += n
		if err != nil {
			return done, fmt.Errorf("stage an image: %w", full(err))
		}
	}
	return done, nil
}

// write takes a part of p, at least a byte.
func (w *writer) write(p []byte) (int, error) {
	switch {
	case w.failed != nil:
		return 0, w.failed
	case w.refused != nil:
		return len(p), nil
	case w.header == 0:
		return w.writeHeader(p)
	case w.offset == w.header+w.length:
		w.refused = fmt.Errorf("%w: the file goes on behind it", image.ErrDigest)
		return len(p), nil
	}
	at := w.offset - w.header
	n, err := w.payload.WriteAt(p[:min(int64(len(p)), w.length-at)], at)
	if err == nil && w.offset+int64(n)-w.synced >= w.a.every {
		err = w.sync(w.offset + int64(n))
	}
	if err != nil {
		w.failed = err
		return 0, err
	}
	return n, nil
}

// writeHeader collects the header, and keeps it once it is whole.
func (w *writer) writeHeader(p []byte) (int, error) {
	want := image.PrefixSize
	if len(w.head) >= want {
		want, w.refused = image.HeaderSize(w.head[:want])
	}
	if w.refused != nil {
		return 0, nil
	}
	if n := min(len(p), want-len(w.head)); n > 0 {
		w.head = append(w.head, p[:n]...)
		if err := w.headerDone(); err != nil {
			w.head = w.head[:len(w.head)-n]
			return 0, err
		}
		return n, nil
	}
	return 0, w.headerDone()
}

// headerDone keeps the header if it is whole.
func (w *writer) headerDone() error {
	size, err := image.HeaderSize(w.head[:min(len(w.head), image.PrefixSize)])
	switch {
	case errors.Is(err, image.ErrTruncated):
		return nil
	case err != nil:
		w.refused = err
		return nil
	case len(w.head) < size:
		return nil
	}
	h, err := image.ParseHeader(w.head)
	if err != nil {
		w.refused = err
		return nil
	}
	if err := w.keepHeader(h); err != nil {
		return err
	}
	w.header, w.length = int64(size), h.Manifest.Length
	return nil
}

func (w *writer) keepHeader(h image.Header) error {
	if err := w.reserve(h.Manifest.Length); err != nil {
		return err
	}
	f, err := w.a.o.Files.Open(headName(w.slot))
	if err != nil {
		return err
	}
	_, err = f.WriteAt(w.head, 0)
	if err == nil {
		err = f.SyncData()
	}
	return errors.Join(err, f.Close(), w.a.o.Files.SyncDir())
}

// sync makes everything up to an offset durable.
func (w *writer) sync(offset int64) error {
	if err := w.payload.SyncData(); err != nil {
		return err
	}
	if err := w.a.record(progress{w.slot, offset, w.tag}); err != nil {
		return err
	}
	w.synced = offset
	return nil
}

// Truncate implements Writer. What was sealed, or ends within the header, begins anew: Offset says what is left.
func (w *writer) Truncate(size int64) error {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	if size >= w.offset {
		return nil
	}
	if w.header == 0 || size < w.header || w.payload == nil || w.refused != nil || w.failed != nil {
		return full(w.begin())
	}
	if err := w.rehash(size); err != nil {
		return err
	}
	return w.sync(size)
}

// Close implements Writer.
func (w *writer) Close() error {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	if w.a.writer != w {
		return nil
	}
	w.a.writer, w.a.refused = nil, w.refused
	var err error
	switch {
	case w.refused != nil:
		err = w.forget()
	case w.header == 0:
		w.a.refused = w.unfinished()
	case w.failed == nil && w.payload != nil && w.offset > w.synced:
		err = w.sync(w.offset)
	}
	w.drop()
	if err != nil {
		return fmt.Errorf("stage an image: %w", full(err))
	}
	return nil
}

// forget removes what turned out to be no image.
func (w *writer) forget() error {
	w.drop()
	files := w.a.o.Files
	return errors.Join(files.Remove(headName(w.slot)), files.SyncDir(), files.Remove(payloadName(w.slot)))
}

// unfinished is why a header that is not whole is none.
func (w *writer) unfinished() error {
	if w.offset == 0 {
		return ErrNothing
	}
	_, err := image.ReadHeader(bytes.NewReader(w.head))
	return err
}

// drop gives the file back.
func (w *writer) drop() {
	if w.payload != nil {
		_ = w.payload.Close() // what counts was synced
		w.payload = nil
	}
}

// full names a device without room.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
