package slot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/storage/slot/image"
)

// Options is what the slots of a station are made of.
type Options struct {
	Files   Files
	Trust   *image.Trust
	Machine image.Machine // Highest comes from the counter
	Boot    Boot          // what the launcher started
	Counter Counter       // nil: kept with the state
	// Now is the time for the certificates of signers; zero while the clock is not set, when the day of the release counts.
	Now func() time.Time
	// Alone says whether there is no CSMS at this moment; nil: there is.
	Alone func() bool
}

// Counter is where the highest security version is kept that was good: it never falls. A TPM can keep one.
type Counter interface {
	Value() (uint32, error)
	Raise(to uint32) error
}

// AB keeps two slots of the evsed binary. It is an Installer.
type AB struct {
	o Options

	mu      sync.Mutex // everything below
	book    *book
	stage   pair
	writer  *writer // open
	every   int64   // bytes between two syncs
	room    int64   // bytes that an image leaves to others
	refused error   // why what was staged last is none to keep
}

var _ Installer = (*AB)(nil)

// Open opens the slots for the station that runs.
func Open(o Options) (*AB, error) {
	b, err := openBook(o.Files)
	if err != nil {
		return nil, err
	}
	a := &AB{o: o, book: b, stage: pair{fs: o.Files, name: "stage"}, every: syncEvery, room: spareRoom}
	if b.damaged {
		return nil, errors.New("read the state of the slots: damaged: start evsed by evsed launch, which makes it anew")
	}
	// A power cut may have come between Good and the counter.
	if n := o.Boot.Slot; !o.Boot.Trial && n == b.Active && (n == A || n == B) && b.slot(n).Good {
		if err := a.raise(b.slot(n).Security); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// highest is the security version below which nothing starts.
func highest(c Counter, s *state) (uint32, error) {
	if c == nil {
		return s.Highest, nil
	}
	v, err := c.Value()
	if err != nil {
		return 0, fmt.Errorf("read the counter of security versions: %w", err)
	}
	return max(v, s.Highest), nil
}

func (a *AB) raise(to uint32) error {
	if a.o.Counter == nil {
		return nil // kept with the state
	}
	v, err := a.o.Counter.Value()
	if err == nil && v < to {
		err = a.o.Counter.Raise(to)
	}
	if err != nil {
		return fmt.Errorf("raise the counter of security versions to %d: %w", to, err)
	}
	return nil
}

// spare is the slot that may be written: neither the one that runs nor the one that is good. While a trial runs there is none.
func (a *AB) spare() Name {
	switch {
	case a.o.Boot.Slot == A || a.o.Boot.Slot == B:
		return other(a.o.Boot.Slot)
	case a.book.Active == A || a.book.Active == B:
		return other(a.book.Active)
	}
	return A
}

// Stage implements Installer.
func (a *AB) Stage(ctx context.Context, size int64) (Writer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.o.Boot.Trial:
		return nil, ErrTrial
	case size > int64(image.MaxImage):
		return nil, fmt.Errorf("%w: %d bytes: want at most %d", image.ErrSize, size, image.MaxImage)
	case a.writer != nil:
		return nil, errors.New("stage: the image that is being written is not closed")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	w := &writer{a: a, slot: a.spare(), size: size}
	if err := w.resume(); err != nil {
		if err := w.begin(); err != nil {
			return nil, fmt.Errorf("stage an image: %w", full(err))
		}
	}
	a.writer, a.refused = w, nil
	return w, nil
}

// Check implements Installer.
func (a *AB) Check() (Manifest, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := a.check()
	if err != nil {
		return m, fmt.Errorf("check the image: %w", err)
	}
	return m, nil
}

func (a *AB) check() (Manifest, error) {
	m, err := a.verify()
	if image.Refuses(err) && !errors.Is(err, image.ErrTruncated) {
		_ = a.record(progress{}) // whoever fetches it again shall not go on with this one
	}
	return m, err
}

func (a *AB) verify() (Manifest, error) {
	switch {
	case a.o.Boot.Trial:
		return Manifest{}, ErrTrial
	case a.writer != nil:
		return Manifest{}, errors.New("it is still being written")
	case a.refused != nil:
		return Manifest{}, a.refused
	}
	machine, n := a.o.Machine, a.spare()
	if err := a.whole(n); err != nil {
		return Manifest{}, err
	}
	var err error
	if machine.Highest, err = highest(a.o.Counter, &a.book.state); err != nil {
		return Manifest{}, err
	}
	var now time.Time
	if a.o.Now != nil {
		now = a.o.Now()
	}
	f, m, err := verify(a.o.Files, a.o.Trust, n, now, machine.Accepts)
	if err != nil {
		return m, err
	}
	return m, errors.Join(f.Close(), a.o.Files.Seal(payloadName(n)))
}

// whole tells whether what was staged has come to its end.
func (a *AB) whole(n Name) error {
	h, size, err := readHeader(a.o.Files, n)
	if err != nil {
		return err
	}
	p, err := a.progress()
	if err != nil {
		return err
	}
	if end := size + h.Manifest.Length; p.Slot == n && p.Offset < end {
		return fmt.Errorf("%w: %d of %d bytes are there", image.ErrTruncated, p.Offset, end)
	}
	return nil
}

// Activate implements Installer.
func (a *AB) Activate() error {
	alone := a.o.Alone != nil && a.o.Alone() // who answers may ask for the Status
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := a.check() // of the bytes that are there now
	if err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	return a.book.change(func(s *state) {
		n := a.spare()
		*s.slot(n) = markOf(m)
		s.vacate(n, a.o.Boot.Slot)
		s.Trial, s.Tries, s.Alone, s.Returned = n, Tries, alone, nil
		s.note("activated", n, "")
	})
}

// Good implements Installer.
func (a *AB) Good() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.o.Boot.Trial {
		return nil
	}
	if a.book.Trial != a.o.Boot.Slot {
		if a.book.Active == a.o.Boot.Slot {
			return nil // said before
		}
		return errors.New("good: the trial was given up before")
	}
	err := a.book.change(func(s *state) {
		m := s.slot(s.Trial)
		m.Good = true
		s.note("good", s.Trial, "")
		s.Active, s.Trial, s.Tries, s.Alone = s.Trial, "", 0, false
		s.Highest = max(s.Highest, m.Security)
	})
	if err != nil {
		return err
	}
	a.o.Boot.Trial = false
	return a.raise(a.book.slot(a.o.Boot.Slot).Security)
}

// Rollback implements Installer.
func (a *AB) Rollback() error { return a.Return(CodeRollback, "rolled back") }

// Return is Rollback with a reason for the history and for who starts next.
func (a *AB) Return(code, why string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.book.Trial == "":
		return nil
	case a.o.Boot.Trial && a.book.Trial == a.o.Boot.Slot:
		return a.book.change(func(s *state) { s.giveUp(code, why) })
	}
	return a.book.change(func(s *state) { // an Activate that is taken back was no trial
		s.note("withdrawn", s.Trial, why)
		s.Trial, s.Tries, s.Alone = "", 0, false
	})
}

// Status implements Installer.
func (a *AB) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	st := Status{Running: a.o.Boot, Next: a.book.Active, History: append([]Entry(nil), a.book.History...)}
	if st.Next == "" {
		st.Next = Factory
	}
	if a.book.Trial != "" {
		st.Next, st.Trial = a.book.Trial, true
	}
	if a.writer != nil {
		st.Staged = a.writer.Offset()
	}
	st.Highest, _ = highest(a.o.Counter, &a.book.state) // a counter that cannot be read refuses every image by itself
	return st
}
