package fit

import (
	"context"
	"errors"
	"fmt"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
)

// signingAt is the meter of an EVSE whose board says that it signs each transaction.
type signingAt struct {
	*meterAt
	board *boards.Meter
}

var _ hal.SigningMeter = (*signingAt)(nil)

// errSigns is a meter that was opened without its signing part: a bug, since the board's rules have looked at its model.
var errSigns = errors.New("it was not opened as one that signs")

func (s *signingAt) signer() (hal.SigningMeter, error) {
	dev, err := s.dev.get()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	m, ok := dev.(hal.SigningMeter)
	if !ok {
		return nil, fmt.Errorf("%s: %w", s.name, errSigns)
	}
	return m, nil
}

// Start begins a transaction in the meter, if it is the meter that the board says it is: one with another key signs nothing that
// its customer could check.
func (s *signingAt) Start(ctx context.Context, session hal.MeterSession) error {
	m, err := s.signer()
	if err != nil {
		return err
	}
	key, err := m.PublicKey(ctx)
	if err != nil {
		return err
	}
	if err := s.board.CheckKey(key); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return m.Start(ctx, session)
}

// Stop ends a transaction and returns what the meter signed for it.
func (s *signingAt) Stop(ctx context.Context, session hal.MeterSession) (hal.SignedReading, error) {
	m, err := s.signer()
	if err != nil {
		return hal.SignedReading{}, err
	}
	return m.Stop(ctx, session)
}

// PublicKey returns the key of what the meter signs, as the meter says.
func (s *signingAt) PublicKey(ctx context.Context) ([]byte, error) {
	m, err := s.signer()
	if err != nil {
		return nil, err
	}
	return m.PublicKey(ctx)
}
