package halsim

import (
	"context"
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/term"
)

// maxSwipes bounds the cards that wait at the reader: a human swipes one at a time.
const maxSwipes = 16

// Swipe is a token at the reader.
type Swipe struct {
	Token      term.IdToken
	EVSEs      []term.EVSEID // the reader's EVSEs; empty: the station's only reader
	Additional []term.AdditionalInfo
}

// Swipe presents a token. It waits for nobody: ErrImpossible means that too many wait already.
func (w *World) Swipe(s Swipe) error {
	if s.Token.Value == "" || len(s.Token.Value) > term.MaxIdToken || s.Token.Type == "" {
		return fmt.Errorf("swipe: %w: token", ErrBadValue)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	for _, id := range s.EVSEs {
		if _, err := w.evse(id); err != nil {
			return fmt.Errorf("swipe: %w", err)
		}
	}
	if w.faults.Has(term.FaultReader) || !w.powered {
		return fmt.Errorf("swipe: %w: the reader is dead", ErrImpossible)
	}
	select {
	case w.swipes <- s:
		return nil
	default:
		return fmt.Errorf("swipe: %w: %d tokens wait at the reader", ErrImpossible, maxSwipes)
	}
}

// NextSwipe waits for a token.
func (w *World) NextSwipe(ctx context.Context) (Swipe, error) {
	select {
	case s := <-w.swipes:
		return s, nil
	case <-ctx.Done():
		return Swipe{}, ctx.Err()
	}
}

// TakeSwipe returns a waiting token, if there is one.
func (w *World) TakeSwipe() (Swipe, bool) {
	select {
	case s := <-w.swipes:
		return s, true
	default:
		return Swipe{}, false
	}
}

// Reader returns the reader as a device that knows tokens only.
func (w *World) Reader() hal.TokenReader { return reader{w} }

type reader struct{ w *World }

func (r reader) Next(ctx context.Context) (term.IdToken, error) {
	s, err := r.w.NextSwipe(ctx)
	return s.Token, err
}
