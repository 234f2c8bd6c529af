package rfid

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// field is a scanner whose cards the test lays down.
type field struct {
	mu    sync.Mutex
	cards []Card
	err   error
	hang  bool
	looks int
}

func (f *field) Scan(ctx context.Context) ([]Card, error) {
	f.mu.Lock()
	cards, err, hang := f.cards, f.err, f.hang
	f.looks++
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return cards, err
}

func (f *field) Close() error { return nil }

func (f *field) looked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks
}

func (f *field) lay(err error, cards ...Card) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cards, f.err = cards, err
}

// notes is what was told of a device.
type notes struct {
	mu  sync.Mutex // guards all
	all []error
}

func (n *notes) add(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, err)
}

// list waits until everybody else does, and returns what was told until then.
func (n *notes) list() []error {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}

// table is a reader in virtual time.
type table struct {
	*testing.T
	*field
	r     *Reader
	notes notes
}

func bubble(t *testing.T, format Format, play func(*table)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &table{T: t, field: &field{}}
		r, err := Watch(h.field, Options{Name: "test", Format: format, Notify: h.notes.add})
		if err != nil {
			t.Fatal(err)
		}
		h.r = r
		play(h)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := r.Next(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// after lets time pass and returns what was shown meanwhile.
func (h *table) after(d time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	tok, err := h.r.Next(ctx)
	<-ctx.Done()
	synctest.Wait()
	return tok.Value, err
}

func (h *table) want(value string, err error) {
	h.Helper()
	got, is := h.after(900 * time.Millisecond)
	if got != value || !errors.Is(is, err) {
		h.Errorf("shown %q, %v; want %q, %v", got, is, value, err)
	}
}

var nothing = context.DeadlineExceeded

func card(b ...byte) Card { u, _ := NewUID(b); return Card{UID: u} }

func TestCardThatStaysIsShownOnce(t *testing.T) {
	a, b := card(0xA, 1, 1, 1), card(0xB, 1, 1, 1)
	bubble(t, Format{}, func(h *table) {
		h.want("", nothing)
		h.lay(nil, a)
		h.want("0A010101", nil)
		h.want("", nothing)
		h.lay(nil) // away for less than a second
		h.after(500 * time.Millisecond)
		h.lay(nil, a)
		h.want("", nothing)
		h.lay(ErrGarbled) // misread while it lies there
		h.after(300 * time.Millisecond)
		h.lay(nil, a)
		h.want("", nothing)
		h.lay(nil, b) // another one needs no pause
		h.want("0B010101", nil)
		h.lay(nil)
		h.want("", nothing)
		h.want("", nothing)
		h.lay(nil, b)
		h.want("0B010101", nil)
	})
}

func TestTwoCardsAreRefusedUntilBothAreGone(t *testing.T) {
	a, b := card(0xA, 1, 1, 1), card(0xB, 1, 1, 1)
	bubble(t, Format{}, func(h *table) {
		h.lay(nil, a, b)
		h.want("", ErrTwoCards)
		h.want("", nothing)
		h.lay(nil, b)
		h.want("", nothing)
		h.lay(ErrTwoCards)
		h.want("", nothing)
		h.lay(nil)
		h.want("", nothing)
		h.want("", nothing)
		h.lay(nil, b)
		h.want("0B010101", nil)
	})
}

func TestRandomUIDsAreOneCard(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		value  string
		err    error
	}{{"refused", Format{}, "", ErrRandom}, {"passed", Format{Random: true}, "08010203", nil}} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.format, func(h *table) {
				h.lay(nil, card(8, 1, 2, 3))
				h.want(c.value, c.err)
				h.lay(nil, card(8, 4, 5, 6))
				h.want("", nothing)
			})
		})
	}
}

func TestGarbledCardIsToldOnce(t *testing.T) {
	bubble(t, Format{}, func(h *table) {
		h.lay(ErrGarbled)
		h.want("", ErrGarbled)
		h.want("", nothing)
		if told := h.notes.list(); len(told) != 0 {
			t.Errorf("a bad card is no fault of the reader: %v", told)
		}
	})
}

func TestDeadReaderIsToldOnceAndComesBack(t *testing.T) {
	dead := errors.New("silent")
	bubble(t, Format{}, func(h *table) {
		h.lay(dead)
		h.after(200 * time.Millisecond) // two failures in a row are not a fault yet
		if told := h.notes.list(); len(told) != 0 {
			t.Errorf("too early: %v", told)
		}
		h.after(time.Minute)
		if told := h.notes.list(); len(told) != 1 || !errors.Is(told[0], dead) {
			t.Errorf("a minute of silence: told %v", told)
		}
		if n := h.looked(); n > 60 {
			t.Errorf("a dead reader was asked %d times in a minute", n)
		}
		h.lay(nil, card(1, 2, 3, 4))
		got, err := h.after(3 * time.Second)
		if got != "01020304" || err != nil {
			t.Errorf("card after the fault: %q, %v", got, err)
		}
		if told := h.notes.list(); len(told) != 2 || told[1] != nil {
			t.Errorf("told %v, want the fault and then nil", told)
		}
	})
}

func TestHangingScanEndsAtItsDeadline(t *testing.T) {
	bubble(t, Format{}, func(h *table) {
		h.mu.Lock()
		h.hang = true
		h.mu.Unlock()
		h.after(10 * time.Second)
		if told := h.notes.list(); len(told) != 1 {
			t.Errorf("told %v", told)
		}
	})
}

func TestTokenThatNobodyTookIsForgotten(t *testing.T) {
	bubble(t, Format{}, func(h *table) {
		h.lay(nil, card(1, 2, 3, 4))
		time.Sleep(time.Second)
		h.lay(nil)
		time.Sleep(defaultStale + time.Second)
		h.want("", nothing)
	})
}
