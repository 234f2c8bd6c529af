package dcbm

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
)

// ErrAnswer is an answer of another device, or of a version that is not known.
var ErrAnswer = errors.New("answer is not the meter's")

// maxAnswer bounds an answer; a signed record has 2 KiB.
const maxAnswer = 64 << 10

// maxClientID is how long the user's identification may be (37 characters).
const maxClientID = 37

// Options say how the meter is used.
type Options struct {
	Now    func() time.Time // the time of a reading; nil is time.Now
	Notify func(err error)  // as in meter.Options
}

// Meter is one DCBM. Its methods may be called by any goroutine; requests are made one at a time.
type Meter struct {
	base   string
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex // guards all below, and is held during a request
	watch meter.Watch
	key   []byte // for what it signs
}

var (
	_ hal.SigningMeter = (*Meter)(nil)
	_ hal.Signer       = (*Meter)(nil)
)

// New returns the meter at an address: HOST or HOST:PORT. Nothing is asked of it yet.
func New(address string, o Options) (*Meter, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	u := url.URL{Scheme: "http", Host: address}
	if parsed, err := url.Parse(u.String()); address == "" || err != nil || parsed.Host != address || parsed.User != nil {
		return nil, fmt.Errorf("meter lem/dcbm400600: address %q: want HOST or HOST:PORT", address)
	}
	return &Meter{base: u.String(), now: o.Now, watch: meter.Watch{Notify: o.Notify}, client: &http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{}).DialContext, MaxIdleConns: 1, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Read implements hal.Meter.
func (m *Meter) Read(ctx context.Context) (hal.MeterReading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.read(ctx)
	if err == nil {
		err = m.watch.Risen(r)
	}
	if err != nil {
		err = fmt.Errorf("read meter lem/dcbm400600 at %s: %w", m.base, err)
	}
	m.watch.Tell(err)
	return r, err
}

// live is what the meter measures now.
type live struct {
	Voltage json.Number `json:"voltage"` // V
	Current json.Number `json:"current"` // A
	Power   json.Number `json:"power"`   // kW
	Import  json.Number `json:"energyImportTotal"`
	Export  json.Number `json:"energyExportTotal"` // kWh
}

func (m *Meter) read(ctx context.Context) (hal.MeterReading, error) {
	var l live
	if err := m.ask(ctx, http.MethodGet, "/v1/livemeasure", nil, http.StatusOK, &l); err != nil {
		return hal.MeterReading{}, err
	}
	r := hal.MeterReading{At: m.now()}
	for _, v := range []struct {
		name   string
		text   json.Number
		places int // to the unit's thousandths
		put    func(int64)
	}{
		{"voltage", l.Voltage, 3, func(n int64) { r.Voltage[0] = unit.Voltage(n) }},
		{"current", l.Current, 3, func(n int64) { r.Current[0] = unit.Current(n) }},
		{"power", l.Power, 6, func(n int64) { r.Power = unit.Power(n) }},
		{"energyImportTotal", l.Import, 6, func(n int64) { r.Import = unit.Energy(n) }},
		{"energyExportTotal", l.Export, 6, func(n int64) { r.Export = unit.Energy(n) }},
	} {
		n, err := scaled(v.text, v.places)
		if err != nil {
			return r, fmt.Errorf("%w: %s: %w", ErrAnswer, v.name, err)
		}
		v.put(n)
	}
	return r, nil
}

// maxValue bounds a number of the meter, in its own unit: no meter counts 10 GWh.
const maxValue = 1e7

// scaled returns a decimal times 10^places, rounded half away from zero.
func scaled(n json.Number, places int) (int64, error) {
	f, err := n.Float64()
	if err != nil || f > maxValue || f < -maxValue {
		return 0, fmt.Errorf("%q: want a number up to %g", n.String(), maxValue)
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, 64))
	if !ok {
		return 0, fmt.Errorf("%q: want a number", n.String())
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)))
	v, _ := new(big.Rat).SetString(r.FloatString(0))
	return v.Num().Int64(), nil
}

// begin is the request that starts a transaction.
type begin struct {
	EVSE        string `json:"evseId"`
	Transaction string `json:"transactionId"`
	Client      string `json:"clientId"`
	Tariff      int    `json:"tariffId"`
	Cable       int    `json:"cableId"`
	User        string `json:"userData"`
}

// Start begins a transaction in the meter. Another that is still open is ended first: nobody asks for it any more.
func (m *Meter) Start(ctx context.Context, s hal.MeterSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.start(ctx, s); err != nil {
		return fmt.Errorf("start transaction %s in meter at %s: %w", s.Transaction, m.base, err)
	}
	return nil
}

func (m *Meter) start(ctx context.Context, s hal.MeterSession) error {
	st, err := m.status(ctx)
	if err != nil {
		return err
	}
	if st.Status.Bits.Ongoing {
		open, err := m.open(ctx)
		if err != nil || open == s.Transaction {
			return err
		}
		if err := m.end(ctx, open); err != nil {
			return fmt.Errorf("end the one before (%s): %w", open, err)
		}
	}
	var answer struct {
		Running bool `json:"running"`
	}
	client := s.User
	if len(client) > maxClientID {
		client = client[:maxClientID]
	}
	if err := m.ask(ctx, http.MethodPost, "/v1/legal", begin{s.EVSE, s.Transaction, client, s.Tariff, s.Cable, ""}, http.StatusCreated, &answer); err != nil {
		return err
	}
	if !answer.Running {
		return fmt.Errorf("%w: it began nothing", ErrAnswer)
	}
	return nil
}

// Stop ends a transaction and returns what the meter signed for it: begin and end in one record.
func (m *Meter) Stop(ctx context.Context, s hal.MeterSession) (hal.SignedReading, error) {
	transaction := s.Transaction
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.endOpen(ctx, transaction)
	var r hal.SignedReading
	if err == nil {
		r, err = m.signed(ctx, transaction)
	}
	if err != nil {
		return r, fmt.Errorf("stop transaction %s in meter at %s: %w", transaction, m.base, err)
	}
	return r, nil
}

// endOpen ends a transaction if the meter still counts it: one that it has ended keeps its record.
func (m *Meter) endOpen(ctx context.Context, transaction string) error {
	st, err := m.status(ctx)
	if err != nil || !st.Status.Bits.Ongoing {
		return err
	}
	open, err := m.open(ctx)
	if err != nil || open != transaction {
		return err
	}
	return m.end(ctx, transaction)
}

// open asks for the transaction that the meter counts.
func (m *Meter) open(ctx context.Context) (string, error) {
	var old struct {
		Transaction string `json:"transactionId"`
	}
	err := m.ask(ctx, http.MethodGet, "/v1/legal", nil, http.StatusOK, &old)
	return old.Transaction, err
}

// ongoing is the bit of a transaction's status that says that it goes on.
const ongoing = 1 << 2

func (m *Meter) end(ctx context.Context, transaction string) error {
	var answer struct {
		Value struct {
			Status int `json:"transactionStatus"`
		} `json:"meterValue"`
	}
	path := "/v1/legal?transactionId=" + url.QueryEscape(transaction)
	if err := m.ask(ctx, http.MethodPut, path, map[string]bool{"running": false}, http.StatusOK, &answer); err != nil {
		return err
	}
	if answer.Value.Status&ongoing != 0 {
		return fmt.Errorf("%w: the transaction goes on", ErrAnswer)
	}
	return nil
}

// ReadSigned implements hal.Signer: the record of a transaction, as far as it goes.
func (m *Meter) ReadSigned(ctx context.Context, transaction string) (hal.SignedReading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if transaction == "" {
		return hal.SignedReading{}, fmt.Errorf("read signed value of meter at %s: %w", m.base, meter.ErrNoTransaction)
	}
	r, err := m.signed(ctx, transaction)
	if err != nil {
		return r, fmt.Errorf("read signed value of meter at %s: %w", m.base, err)
	}
	return r, nil
}

// signed fetches the record of a transaction.
func (m *Meter) signed(ctx context.Context, transaction string) (hal.SignedReading, error) {
	if m.key == nil {
		if _, err := m.status(ctx); err != nil {
			return hal.SignedReading{}, err
		}
	}
	text, err := m.fetch(ctx, http.MethodGet, "/v1/ocmf?transactionId="+url.QueryEscape(transaction), nil, http.StatusOK)
	if err != nil {
		return hal.SignedReading{}, err
	}
	rec, err := ocmf.Parse(bytes.TrimSpace(text))
	if err != nil {
		return hal.SignedReading{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	reading, err := m.read(ctx)
	return hal.SignedReading{Reading: reading, Data: rec.Raw, SigningMethod: rec.Algorithm(), EncodingMethod: "OCMF", PublicKey: m.key}, err
}

// status is what the meter says of itself.
type status struct {
	Meter  string `json:"meterId"`
	Key    string `json:"publicKeyOcmf"` // hexadecimal
	Status struct {
		Bits struct {
			Ongoing bool `json:"transactionIsOnGoing"`
		} `json:"bits"`
	} `json:"status"`
}

func (m *Meter) status(ctx context.Context) (status, error) {
	var s status
	if err := m.ask(ctx, http.MethodGet, "/v1/status", nil, http.StatusOK, &s); err != nil {
		return s, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(s.Key))
	if err != nil || s.Meter == "" {
		return s, fmt.Errorf("%w: no meter with a key", ErrAnswer)
	}
	m.key = key
	return s, nil
}

// ask makes a request and decodes its answer.
func (m *Meter) ask(ctx context.Context, method, path string, body any, want int, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	answer, err := m.fetch(ctx, method, path, text, want)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrAnswer, path, err)
	}
	return nil
}

// fetch makes a request and returns its answer, within the context's deadline.
func (m *Meter) fetch(ctx context.Context, method, path string, body []byte, want int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, m.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, maxAnswer)
	case resp.StatusCode != want:
		return nil, fmt.Errorf("%w: %s: status %d instead of %d", ErrAnswer, path, resp.StatusCode, want)
	}
	return answer, nil
}

// Close ends idle connections.
func (m *Meter) Close() error {
	m.client.CloseIdleConnections()
	return nil
}
