package run

import (
	"context"
	"errors"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Times of a meter that signs.
const (
	signTimeout = 30 * time.Second // for one step: some meters take that long (signed meter values 1.0, 2.3.1)
	keyTimeout  = 5 * time.Second
	keyEvery    = time.Minute // until a meter that did not tell its key is asked again
)

// maxSign bounds the steps that wait for one meter; the core has one of each kind under way.
const maxSign = 4

// Signers is a Board whose meters count and sign transactions. Sign takes a SignBegin, SignNow or SignEnd and does not block;
// a MeterSigned follows. false: there is no such meter, or it has too much to do.
type Signers interface {
	Sign(station.Command) bool
}

// sign hands a step to the board, and answers it where nobody can take it.
func (r *Runner) sign(c station.Command) {
	if b, ok := r.ports.Board.(Signers); !ok || !b.Sign(c) {
		s := stepOf(c)
		s.Err = "no meter here signs"
		r.events = append(r.events, s)
	}
}

// stepOf is the answer to a step, without its outcome.
func stepOf(c station.Command) station.MeterSigned {
	switch c := c.(type) {
	case station.SignBegin:
		return station.MeterSigned{EVSE: c.EVSE, Transaction: term.TransactionID(c.Session.Transaction), Step: station.SignedBegin}
	case station.SignNow:
		return station.MeterSigned{EVSE: c.EVSE, Transaction: c.Transaction, Step: station.SignedNow}
	case station.SignEnd:
		return station.MeterSigned{EVSE: c.EVSE, Transaction: term.TransactionID(c.Session.Transaction), Step: station.SignedEnd}
	}
	panic("run: no step of signing")
}

// Sign implements Signers: the poller of the meter carries the step out, between two readings.
func (m *Meters) Sign(c station.Command) bool {
	p := m.pollers[stepOf(c).EVSE]
	if p == nil {
		return false
	}
	if _, ok := p.meter.(hal.SigningMeter); !ok {
		return false
	}
	p.wake.Lock()
	defer p.wake.Unlock()
	select {
	case p.sign <- c:
		woken(p.clock)
		return true
	default:
		return false
	}
}

// carryOut lets the meter do a step, and tells what became of it.
func (m *Meters) carryOut(ctx context.Context, p *poller, c station.Command) {
	one, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	s := Sign(one, p.meter.(hal.SigningMeter), c)
	if ctx.Err() == nil {
		m.tell(ctx, s)
	}
}

// Sign lets a meter do a step, until ctx ends, and returns what became of it.
func Sign(ctx context.Context, meter hal.SigningMeter, c station.Command) station.MeterSigned {
	s := stepOf(c)
	reader, whenever := meter.(hal.Signer)
	var r hal.SignedReading
	var err error
	switch c := c.(type) {
	case station.SignBegin:
		if err = meter.Start(ctx, c.Session); err == nil && whenever {
			if first, why := reader.ReadSigned(ctx, c.Session.Transaction); why == nil { // without it the transaction counts all the same
				s.Signed = &first
			}
		}
	case station.SignNow:
		if !whenever {
			err = errors.New("it signs whole transactions only")
			break
		}
		if r, err = reader.ReadSigned(ctx, string(c.Transaction)); err == nil {
			s.Signed = &r
		}
	case station.SignEnd:
		if r, err = meter.Stop(ctx, c.Session); err == nil {
			s.Signed = &r
		}
	}
	if err != nil {
		s.Err = err.Error()
	}
	return s
}

// askKey asks a meter that signs for its public key, until it has told it.
func (m *Meters) askKey(ctx context.Context, id term.EVSEID, p *poller) {
	meter, ok := p.meter.(hal.SigningMeter)
	now := p.clock.Now()
	if !ok || p.keyKnown || !p.keyAsked.IsZero() && now.Sub(p.keyAsked) < keyEvery {
		return
	}
	p.keyAsked = now
	one, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	key, err := meter.PublicKey(one)
	if err != nil {
		return // whoever begins a transaction hears why
	}
	p.keyKnown = true
	m.tell(ctx, station.MeterKey{EVSE: id, Key: key})
}
