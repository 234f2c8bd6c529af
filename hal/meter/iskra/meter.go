package iskra

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/modbus"
)

// Holding registers of the signing part.
const (
	regState     = 7000
	regCommand   = 7051
	regStatus    = 7052
	regZone      = 7053 // minutes east of UTC
	regTime      = 7054 // seconds since 1970, two registers
	regMetaBytes = 7056
	regDataBytes = 7057
	regSigBytes  = 7058
	regAlgorithm = 7059
	regSynced    = 7071
	regMeta      = 7100
	regData      = 7612
	regKey       = 8124 // the two coordinates of a point of P-256
	regSignature = 8188

	keyWords    = 32
	maxMeta     = regData - regMeta      // registers
	maxData     = regKey - regData       //
	maxSig      = 80                     // bytes of a signature of P-256, with what DER adds
	wordsAtOnce = 100                    // of a request
	synced      = 2                      // regSynced: the time is synchronised
	beginning   = uint16('B') << 8       // commands are a character
	ending      = uint16('r') << 8       //
	pollEvery   = 100 * time.Millisecond // while the meter works
)

// States of the meter (table 6) and of its signature (table 11).
const (
	idle       = 0
	active     = 1
	afterPower = 2 // a transaction goes on behind a power cut, and time and metadata have to be told again
	signed     = 15
	firstError = 128
)

// What the meter can be wrong in.
var (
	ErrRefused = errors.New("the meter refuses to sign")
	ErrText    = errors.New("cannot be signed with") // a field of the session
)

// Meter is one WM3M4. Its methods may be called by any goroutine.
type Meter struct {
	*meter.Meter
	client modbus.Client
	unit   uint8
	opts   meter.Options

	mu      sync.Mutex // guards all below, and is held while the meter is told something
	session *hal.MeterSession
}

var _ hal.SigningMeter = (*Meter)(nil)

// New returns the meter of a model that is a unit on a bus; its signing part has the registers of this package.
func New(model *meter.Model, c modbus.Client, unit uint8, o meter.Options) (*Meter, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	m, err := meter.New(model, c, unit, o)
	if err != nil {
		return nil, err
	}
	return &Meter{Meter: m, client: c, unit: unit, opts: o}, nil
}

// Start implements hal.SigningMeter.
func (m *Meter) Start(ctx context.Context, s hal.MeterSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.start(ctx, s); err != nil {
		return fmt.Errorf("start transaction %s in meter iskra/wm3m4: %w", s.Transaction, err)
	}
	m.session = &s
	return nil
}

// clock is what the time of day is as far as the station has told, and whether it is sure of it.
func clock(s hal.MeterSession) (time.Time, bool) {
	if s.At.IsZero() {
		return time.Now(), false
	}
	return s.At, s.Synchronised
}

func (m *Meter) start(ctx context.Context, s hal.MeterSession) error {
	state, err := m.register(ctx, regState)
	if err != nil {
		return err
	}
	if m.session != nil && m.session.Transaction == s.Transaction && state == active {
		return nil
	}
	if state != idle {
		if err := m.end(ctx, state, s); err != nil {
			return fmt.Errorf("end the one before: %w", err)
		}
	}
	if err := m.prepare(ctx, s); err != nil {
		return err
	}
	if err := m.write(ctx, regAlgorithm, 0); err != nil {
		return err
	}
	if err := m.write(ctx, regCommand, beginning); err != nil {
		return err
	}
	return m.done(ctx, active)
}

// Stop implements hal.SigningMeter.
func (m *Meter) Stop(ctx context.Context, s hal.MeterSession) (hal.SignedReading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.stop(ctx, s)
	if err != nil {
		return r, fmt.Errorf("stop transaction %s in meter iskra/wm3m4: %w", s.Transaction, err)
	}
	m.session = nil
	return r, nil
}

func (m *Meter) stop(ctx context.Context, s hal.MeterSession) (hal.SignedReading, error) {
	state, err := m.register(ctx, regState)
	if err != nil {
		return hal.SignedReading{}, err
	}
	if state == idle { // it may have ended before somebody could keep that
		return m.collect(ctx, s.Transaction)
	}
	if err := m.end(ctx, state, s); err != nil {
		return hal.SignedReading{}, err
	}
	return m.collect(ctx, s.Transaction)
}

// end ends what the meter counts, telling it first what it forgot in a power cut.
func (m *Meter) end(ctx context.Context, state uint16, s hal.MeterSession) error {
	if state == afterPower {
		if err := m.prepare(ctx, s); err != nil {
			return err
		}
	}
	if err := m.write(ctx, regCommand, ending); err != nil {
		return err
	}
	return m.done(ctx, idle)
}

// prepare tells the meter the time and whose transaction it is.
func (m *Meter) prepare(ctx context.Context, s hal.MeterSession) error {
	now, sure := clock(s)
	seconds := uint32(now.Unix())
	_, east := now.Zone()
	for _, w := range []struct{ address, value uint16 }{{regTime, uint16(seconds >> 16)}, {regTime + 1, uint16(seconds)}, {regZone, uint16(int16(east / 60))}} {
		if err := m.write(ctx, w.address, w.value); err != nil {
			return err
		}
	}
	if sure {
		if err := m.write(ctx, regSynced, synced); err != nil {
			return err
		}
	}
	text, err := metadata(s)
	if err != nil {
		return err
	}
	words := pack(text)
	for at := 0; at < len(words); at += wordsAtOnce {
		if err := m.client.Write(ctx, m.unit, modbus.Holding, regMeta+uint16(at), words[at:min(at+wordsAtOnce, len(words))]...); err != nil {
			return err
		}
	}
	return m.write(ctx, regMetaBytes, uint16(len(text)))
}

// head is what a station adds to a record: the meter fills in the rest.
type head struct {
	FV string   `json:"FV"`
	GI string   `json:"GI"`
	GS string   `json:"GS"`
	GV string   `json:"GV"`
	PG string   `json:"PG"`
	MV string   `json:"MV"`
	MM string   `json:"MM"`
	MS string   `json:"MS"`
	MF string   `json:"MF"`
	IS bool     `json:"IS"`
	IF []string `json:"IF"`
	IT string   `json:"IT"`
	ID string   `json:"ID"`
	CT string   `json:"CT"`
	CI string   `json:"CI"`
	RD []string `json:"RD"`
}

// metadata spells the head of a record, without the bar that separates its parts.
func metadata(s hal.MeterSession) (string, error) {
	h := head{FV: "1.0", IS: s.User != "", IF: []string{}, IT: "CENTRAL", ID: identification(s.Transaction, s.User), CT: "EVSEID", CI: s.EVSE, RD: []string{}}
	text, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	text = bytes.ReplaceAll(text, []byte("|"), []byte(`\u007c`))
	if len(text) > 2*maxMeta {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrText, len(text), 2*maxMeta)
	}
	return string(text), nil
}

// identification is how a record names its transaction and who it is for.
func identification(transaction, user string) string {
	return strings.TrimSpace(transaction + " " + user)
}

// done waits until the meter is in a state and has signed what led there.
func (m *Meter) done(ctx context.Context, want uint16) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		state, err := m.register(ctx, regState)
		if err != nil {
			return err
		}
		status, err := m.register(ctx, regStatus)
		switch {
		case err != nil:
			return err
		case status >= firstError:
			return fmt.Errorf("%w: status %d", ErrRefused, status)
		case state == want && status == signed:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: state %d, status %d when the time was up: %w", ErrRefused, state, status, ctx.Err())
		case <-t.C:
		}
	}
}

// collect fetches what was signed last, and the key. What was signed for another transaction is none of this one.
func (m *Meter) collect(ctx context.Context, transaction string) (hal.SignedReading, error) {
	var r hal.SignedReading
	n, err := m.register(ctx, regDataBytes)
	switch {
	case err != nil:
		return r, err
	case n == 0:
		return r, meter.ErrNoTransaction
	}
	data, err := m.bytes(ctx, regDataBytes, regData, 2*maxData)
	if err != nil {
		return r, err
	}
	signature, err := m.bytes(ctx, regSigBytes, regSignature, maxSig)
	if err != nil {
		return r, err
	}
	if signature, err = plain(signature); err != nil {
		return r, err
	}
	record, err := ocmf.Parse([]byte(fmt.Sprintf(`OCMF|%s|{"SD":"%X"}`, data, signature)))
	if err != nil {
		return r, err
	}
	if id, _, _ := strings.Cut(record.Identification(), " "); id != transaction {
		return r, fmt.Errorf("%w %s: what it signed last is of %q", meter.ErrNoTransaction, transaction, id)
	}
	key, err := m.key(ctx)
	if err != nil {
		return r, err
	}
	reading, err := m.Read(ctx)
	return hal.SignedReading{Reading: reading, Data: record.Raw, SigningMethod: record.Algorithm(), EncodingMethod: "OCMF", PublicKey: key}, err
}

// plain is a signature as its encoding has it: the meter leaves zeros in front of its numbers.
func plain(der []byte) ([]byte, error) {
	numbers := [2]*big.Int{}
	rest := der
	if len(rest) < 2 || rest[0] != 0x30 || int(rest[1]) != len(rest)-2 {
		return nil, fmt.Errorf("%w: % x is no signature", ErrRefused, der)
	}
	rest = rest[2:]
	for i := range numbers {
		if len(rest) < 3 || rest[0] != 2 || int(rest[1]) > len(rest)-2 {
			return nil, fmt.Errorf("%w: % x is no signature", ErrRefused, der)
		}
		numbers[i] = new(big.Int).SetBytes(rest[2 : 2+int(rest[1])])
		rest = rest[2+int(rest[1]):]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: % x is no signature", ErrRefused, der)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{numbers[0], numbers[1]})
}

// PublicKey implements hal.SigningMeter.
func (m *Meter) PublicKey(ctx context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, err := m.key(ctx)
	if err != nil {
		return nil, fmt.Errorf("read public key of meter iskra/wm3m4: %w", err)
	}
	return key, nil
}

// key reads the public key, as an ASN.1 structure.
func (m *Meter) key(ctx context.Context) ([]byte, error) {
	words, err := m.words(ctx, regKey, keyWords)
	if err != nil {
		return nil, err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, unpack(words)...))
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return x509.MarshalPKIXPublicKey(public)
}

// bytes reads a text whose length stands in another register.
func (m *Meter) bytes(ctx context.Context, length, at uint16, most int) ([]byte, error) {
	n, err := m.register(ctx, length)
	if err != nil {
		return nil, err
	}
	if n == 0 || int(n) > most {
		return nil, fmt.Errorf("%w: %d bytes at register %d", ErrRefused, n, at)
	}
	words, err := m.words(ctx, at, (int(n)+1)/2)
	if err != nil {
		return nil, err
	}
	return unpack(words)[:n], nil
}

func (m *Meter) words(ctx context.Context, at uint16, count int) ([]uint16, error) {
	var all []uint16
	for len(all) < count {
		some, err := m.client.Read(ctx, m.unit, modbus.Holding, at+uint16(len(all)), uint16(min(wordsAtOnce, count-len(all))))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (m *Meter) register(ctx context.Context, at uint16) (uint16, error) {
	words, err := m.client.Read(ctx, m.unit, modbus.Holding, at, 1)
	if err != nil {
		return 0, err
	}
	return words[0], nil
}

func (m *Meter) write(ctx context.Context, at, value uint16) error {
	return m.client.Write(ctx, m.unit, modbus.Holding, at, value)
}

// pack puts a text into registers, two bytes each.
func pack(text string) []uint16 {
	words := make([]uint16, (len(text)+1)/2)
	for i := range len(text) {
		words[i/2] |= uint16(text[i]) << (8 * (1 - i%2))
	}
	return words
}

func unpack(words []uint16) []byte {
	b := make([]byte, 0, 2*len(words))
	for _, w := range words {
		b = append(b, byte(w>>8), byte(w))
	}
	return b
}
