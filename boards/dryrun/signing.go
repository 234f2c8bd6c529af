package dryrun

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/station/term"
)

// strange is a public key that no meter of a bench has: the bench makes a new one for each.
const strange = "3059301306072A8648CE3D020106082A8648CE3D030107034200046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296" +
	"4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"

// signingSteps are those of a meter that signs. The key of the file is that of the meter that will be built in, which the bench does
// not have: what is played is that any key works where the file takes any, and that a wrong one is noticed.
func signingSteps(e *boards.EVSE) []slow {
	none := e.Meter == nil || !e.Meter.Legal
	return []slow{
		{evse: e.ID, name: "meter signs a transaction", left: none, key: "from-meter", play: func(d *desk) (string, error) { return d.signs(e.ID) }},
		{evse: e.ID, name: "meter with another key is refused", left: none, key: strange, play: func(d *desk) (string, error) { return d.refusesKey(e.ID) }},
	}
}

// withKey is the board with another key at a meter.
func withKey(b *boards.Board, id term.EVSEID, key string) *boards.Board {
	other := *b
	other.EVSEs = slices.Clone(b.EVSEs)
	m := *other.EVSE(id).Meter
	m.PublicKey = key
	other.EVSE(id).Meter = &m
	return &other
}

// signer is the meter of an EVSE that signs, and a transaction for it.
func (d *desk) signer(id term.EVSEID) (hal.SigningMeter, hal.MeterSession, error) {
	m, err := d.fitted.Meter(id)
	if err != nil {
		return nil, hal.MeterSession{}, err
	}
	s, ok := m.(hal.SigningMeter)
	if !ok {
		return nil, hal.MeterSession{}, errors.New("the meter was opened as one that does not sign")
	}
	return s, hal.MeterSession{Transaction: "dry-run", EVSE: fmt.Sprint(id), User: "DRY-RUN", At: time.Now(), Synchronised: true}, nil
}

// signs wants one record of begin and end that the meter's own key verifies.
func (d *desk) signs(id term.EVSEID) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, session, err := d.signer(id)
	if err != nil {
		return "", err
	}
	if err := m.Start(ctx, session); err != nil {
		return "", err
	}
	r, err := m.Stop(ctx, session)
	if err != nil {
		return "", err
	}
	key, err := ocmf.ParseKey(hex.EncodeToString(r.PublicKey))
	if err != nil {
		return "", err
	}
	records, err := ocmf.ParseAll(r.Data)
	if err != nil {
		return "", err
	}
	j := ocmf.Judge(records, &key)
	if !j.Good() {
		return "", fmt.Errorf("signature %v, completeness %v, semantics %v: %v", j.Signature.State, j.Completeness.State, j.Semantics.State,
			slices.Concat(j.Signature.Findings, j.Completeness.Findings, j.Semantics.Findings))
	}
	return fmt.Sprintf("%s, %d bytes, its key verifies it", r.EncodingMethod, len(r.Data)), nil
}

// refusesKey wants a meter that is not the one of the file to begin nothing.
func (d *desk) refusesKey(id term.EVSEID) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, session, err := d.signer(id)
	if err != nil {
		return "", err
	}
	switch err := m.Start(ctx, session); {
	case err == nil:
		return "", errors.New("it began a transaction all the same")
	case !errors.Is(err, boards.ErrKey):
		return "", err
	}
	return "nothing is begun", nil
}
