package slot

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/storage/slot/image"
)

// Choice is what a launcher starts.
type Choice struct {
	Boot Boot
	File File // the binary, checked; nil: the factory's, which is the launcher itself
}

// Choose says what to start. The try of a trial is counted durably before it returns; where that cannot be, no trial begins.
// There is always something to start: the error, beside a good Choice, is for the log.
func Choose(o Options) (Choice, error) {
	l := launcher{o: o}
	var err error
	if l.book, err = openBook(o.Files); err != nil {
		l.note(err)
		l.book = &book{pair: pair{fs: o.Files, name: "state"}, damaged: true}
	}
	if l.highest, err = highest(o.Counter, &l.book.state); err != nil {
		l.note(err)
	}
	if l.book.damaged {
		l.rebuild()
	}
	c := l.choose()
	if r := l.book.Returned; r != nil && c.Boot.ReturnedFrom == "" {
		c.Boot.ReturnedFrom, c.Boot.Code, c.Boot.Why = r.Version, r.Code, r.Why
	}
	return c, errors.Join(l.errs...)
}

type launcher struct {
	o       Options
	book    *book
	highest uint32
	errs    []error
}

func (l *launcher) note(err error) {
	if err != nil {
		l.errs = append(l.errs, err)
	}
}

func (l *launcher) choose() Choice {
	if l.book.Trial != "" {
		if c, ok := l.trial(); ok {
			return c
		}
	}
	n := l.book.Active
	if n != A && n != B {
		return Choice{Boot: Boot{Slot: Factory}}
	}
	from := l.book.slot(n).Version
	why := ""
	for _, try := range []Name{n, other(n)} {
		f, m, err := l.open(try)
		if err == nil {
			c := Choice{Boot: Boot{Slot: try, Version: m.Version.String()}, File: f}
			if why != "" {
				c.Boot.ReturnedFrom, c.Boot.Code, c.Boot.Why = from, CodeImage, why
			}
			return c
		}
		l.note(fmt.Errorf("slot %s: %w", try, err))
		if why == "" {
			why = clip(err.Error())
			l.note(l.book.change(func(s *state) { s.note("refused", n, why) }))
		}
	}
	return Choice{Boot: Boot{Slot: Factory, ReturnedFrom: from, Code: CodeImage, Why: why}}
}

// trial starts the trial if there are tries left, and ends it otherwise.
func (l *launcher) trial() (Choice, bool) {
	n := l.book.Trial
	if l.book.Tries < 1 {
		l.giveUp(CodeStarts, fmt.Sprintf("it did not prove itself in %d starts", Tries))
		return Choice{}, false
	}
	f, m, err := l.open(n)
	if err != nil {
		l.giveUp(CodeImage, err.Error())
		return Choice{}, false
	}
	alone := l.book.Alone
	if err := l.book.change(func(s *state) { s.Tries-- }); err != nil {
		l.note(fmt.Errorf("no trial of slot %s: %w", n, err))
		l.note(f.Close())
		return Choice{}, false
	}
	return Choice{Boot: Boot{Slot: n, Trial: true, Alone: alone, Version: m.Version.String()}, File: f}, true
}

// giveUp goes back. If that cannot be kept, the next start finds the same and goes back again.
func (l *launcher) giveUp(code, why string) {
	l.note(fmt.Errorf("trial of slot %s: %s", l.book.Trial, why))
	if err := l.book.change(func(s *state) { s.giveUp(code, why) }); err != nil {
		l.note(err)
		l.book.giveUp(code, why)
	}
}

// open opens the binary of a slot, which must be the one that the state knows.
func (l *launcher) open(n Name) (File, Manifest, error) {
	known := l.book.slot(n)
	if !known.Good && n != l.book.Trial {
		return nil, Manifest{}, errors.New("nothing in it was ever good")
	}
	return verify(l.o.Files, l.o.Trust, n, time.Time{}, func(m Manifest) error {
		if known.SHA256 != hex.EncodeToString(m.SHA256[:]) || known.Version != m.Version.String() || known.Security != m.Security {
			return fmt.Errorf("%w: it is not the image that was activated", image.ErrDigest)
		}
		return l.runs(m)
	})
}

func (l *launcher) runs(m Manifest) error {
	if m.Security < l.highest {
		return fmt.Errorf("%w: security version %d, and %d was good", image.ErrOlder, m.Security, l.highest)
	}
	return l.o.Machine.Runs(m)
}

// rebuild makes a state where none can be read: the newest image goes on trial, with the other one behind it. So a state that
// is lost costs no more than a trial.
func (l *launcher) rebuild() {
	l.note(errDamaged)
	marks := map[Name]mark{}
	var newest, second Name
	versions := map[Name]image.Version{}
	for _, n := range []Name{A, B} {
		f, m, err := verify(l.o.Files, l.o.Trust, n, time.Time{}, l.runs)
		if err != nil {
			continue
		}
		l.note(f.Close())
		marks[n], versions[n] = markOf(m), m.Version
		if newest == "" || m.Version.Compare(versions[newest]) > 0 {
			newest, second = n, newest
		} else {
			second = n
		}
	}
	l.note(l.book.change(func(s *state) {
		*s = state{A: marks[A], B: marks[B]}
		s.note("rebuilt", newest, "the state of the slots was damaged")
		if newest == "" {
			return
		}
		s.Trial, s.Tries, s.Alone = newest, Tries, true
		if second != "" {
			s.Active, s.slot(second).Good = second, true
			s.Highest = s.slot(second).Security
		}
	}))
}

// OnTrial tells whether the slots have a trial to end. It is true where nobody can say.
func OnTrial(f Files) bool {
	b, err := openBook(f)
	return err != nil || b.damaged || b.Trial != ""
}

// GiveUp ends a trial from outside, for one that cannot end itself.
func GiveUp(f Files, code, why string) error {
	b, err := openBook(f)
	if err != nil || b.damaged || b.Trial == "" {
		return err
	}
	return b.change(func(s *state) { s.giveUp(code, why) })
}
