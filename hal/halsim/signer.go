package halsim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// What a meter that signs says when it does not.
var (
	errRefused    = errors.New("the meter refuses to sign")
	errNotCounted = errors.New("the meter counts no such transaction")
)

// importRegister is the register that is signed: all energy from the mains (OCMF 1.4.1, extended OBIS IDs).
const importRegister = "01-00:B0.08.00*FF"

// signer is the part of a meter that counts transactions and signs them. It is a device of its own: what it counts goes on while
// the station has no power or is killed, and is kept with the world.
type signer struct {
	key     *ecdsa.PrivateKey
	public  []byte
	serial  string
	refuses bool
	kept    SavedSigner
}

// SavedSigner is what a meter that signs keeps.
type SavedSigner struct {
	Page uint64       `json:"page"`           // of the last record
	Open *SavedCount  `json:"open,omitempty"` // nil: no transaction
	Done *SavedRecord `json:"done,omitempty"` // the last one that has ended
}

// SavedCount is a transaction that a meter counts.
type SavedCount struct {
	Transaction string      `json:"transaction"`
	EVSE        string      `json:"evse,omitempty"`
	User        string      `json:"user,omitempty"`
	Begun       time.Time   `json:"begun"`
	Import      unit.Energy `json:"importmWh"`
}

// SavedRecord is what a meter signed.
type SavedRecord struct {
	Transaction string `json:"transaction"`
	Record      string `json:"record"`
}

// newSigner makes the signing part of a meter. Its key is a function of the station's name and the number of the EVSE, so that
// it is the same after each start and on each machine: whoever reads this can make it, it protects nothing but a test.
func newSigner(station string, id term.EVSEID) *signer {
	serial := fmt.Sprintf("%s-%d", station, id)
	seed := sha256.Sum256([]byte("evsed simulated meter " + serial))
	for {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
		if err != nil { // one of 2^32 is no number of the curve's
			seed = sha256.Sum256(seed[:])
			continue
		}
		public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			panic("halsim: " + err.Error()) // P-256 can be
		}
		return &signer{key: key, public: public, serial: serial}
	}
}

// signingDevice is the meter of one EVSE that signs.
type signingDevice struct{ meterDevice }

var (
	_ hal.SigningMeter = signingDevice{}
	_ hal.Signer       = signingDevice{}
)

// Start implements hal.SigningMeter.
func (d signingDevice) Start(ctx context.Context, s hal.MeterSession) error {
	_, err := d.sign(ctx, "start", func(e *evse, m *signer) (string, error) {
		if open := m.kept.Open; open != nil {
			if open.Transaction == s.Transaction {
				return "", nil
			}
			if err := m.finish(e); err != nil {
				return "", err
			}
		}
		m.kept.Open = &SavedCount{Transaction: s.Transaction, EVSE: s.EVSE, User: s.User, Begun: e.w.wall(), Import: e.meter.register()}
		return "", nil
	})
	return err
}

// Stop implements hal.SigningMeter.
func (d signingDevice) Stop(ctx context.Context, s hal.MeterSession) (hal.SignedReading, error) {
	transaction := s.Transaction
	return d.sign(ctx, "stop", func(e *evse, m *signer) (string, error) {
		if open := m.kept.Open; open != nil && open.Transaction == transaction {
			if err := m.finish(e); err != nil {
				return "", err
			}
		}
		if done := m.kept.Done; done != nil && done.Transaction == transaction {
			return done.Record, nil
		}
		return "", errNotCounted
	})
}

// ReadSigned implements hal.Signer.
func (d signingDevice) ReadSigned(ctx context.Context, transaction string) (hal.SignedReading, error) {
	return d.sign(ctx, "read", func(e *evse, m *signer) (string, error) {
		if open := m.kept.Open; open != nil && open.Transaction == transaction {
			return m.record(e, "C")
		}
		return "", errNotCounted
	})
}

// PublicKey implements hal.SigningMeter.
func (d signingDevice) PublicKey(context.Context) ([]byte, error) { return d.e.signer.public, nil }

// sign lets the meter do one step. What it then counts is kept before anybody hears of it, as the registers are.
func (d signingDevice) sign(ctx context.Context, what string, step func(*evse, *signer) (string, error)) (hal.SignedReading, error) {
	if err := ctx.Err(); err != nil {
		return hal.SignedReading{}, err
	}
	e := d.e
	w := e.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	var record string
	err := errMeter
	switch {
	case !w.powered || e.has(term.FaultMeter):
	case e.signer.refuses:
		err = errRefused
	default:
		if record, err = step(e, e.signer); err == nil {
			err = w.keep()
		}
	}
	if err != nil {
		return hal.SignedReading{}, fmt.Errorf("%s transaction in the meter of EVSE %d: %w", what, e.cfg.ID, err)
	}
	return hal.SignedReading{Reading: e.reading(), Data: []byte(record), SigningMethod: "ECDSA-secp256r1-SHA256", EncodingMethod: "OCMF", PublicKey: e.signer.public}, nil
}

// finish ends the transaction that the meter counts.
func (m *signer) finish(e *evse) error {
	record, err := m.record(e, "E")
	if err == nil {
		m.kept.Done, m.kept.Open = &SavedRecord{Transaction: m.kept.Open.Transaction, Record: record}, nil
	}
	return err
}

// record signs the transaction that the meter counts: its begin, and now. The meter's clock is the one on the board, but never
// goes back while it counts.
func (m *signer) record(e *evse, reason string) (string, error) {
	begin, now := m.kept.Open, e.w.wall()
	if now.Before(begin.Begun) {
		now = begin.Begun
	}
	m.kept.Page++
	p := ocmf.Payload{Gateway: "evsed simulator", GatewaySerial: m.serial, Page: m.kept.Page, Vendor: "evsed", Model: "simulated meter", Serial: m.serial,
		Identified: begin.User != "", IDType: "NONE", ID: begin.User, Readings: []ocmf.Reading{
			{At: begin.Begun, Reason: "B", Value: begin.Import}, {At: now, Reason: reason, Value: e.meter.register()}}}
	if p.Identified {
		p.IDType = "UNDEFINED" // a card's or an app's: nobody tells a meter
	}
	if begin.EVSE != "" {
		p.PointType, p.Point = "EVSEID", begin.EVSE
	}
	for i := range p.Readings {
		r := &p.Readings[i]
		r.At, r.Clock, r.Register, r.Current = r.At.UTC(), 'S', importRegister, "AC"
	}
	text, err := ocmf.Sign(p, m.key)
	return string(text), err
}

// wall is the time by the clock on the board.
func (w *World) wall() time.Time {
	if w.cfg.Wall == nil {
		return w.now
	}
	return w.cfg.Wall()
}
