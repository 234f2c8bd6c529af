package virtual

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/run"
	"github.com/evsed/evsed/station/term"
)

// In two of three days a meter signs. It takes its time, and refuses now and then; the power may go at any instant, and the
// meter counts on. Each end of a transaction with energy has to bear one record of all of it.

// tourSigns is what meters sign on a day, and what the CSMS was told of it.
type tourSigns struct {
	rng  *rand.Rand
	told map[string][]signedValue // by transaction, as the CSMS knows it; of the last message that has any
}

// letMetersSign chooses the meters that sign, with dice of their own: the rest of the day is as ever.
func (p *tour) letMetersSign(seed uint64) {
	p.signs = tourSigns{rng: rand.New(rand.NewPCG(seed, 0x4f434d46)), told: map[string][]signedValue{}}
	if seed%3 == 0 {
		return
	}
	kind := []station.Signing{station.SignsTransactions, station.SignsReadings}[p.signs.rng.IntN(2)]
	p.evses[0].Signs = kind
	if p.signs.rng.IntN(2) == 0 {
		p.evses[1].Signs = kind
	}
	set := func(component, variable string, words ...string) {
		p.settings = append(p.settings, Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: words[p.signs.rng.IntN(len(words))]})
	}
	set("OCPPCommCtrlr", "PublicKeyWithSignedMeterValue", "Never", "OncePerTransaction", "EveryMeterValue")
	if kind == station.SignsReadings {
		set("SampledDataCtrlr", "SignStartedReadings", "true", "false")
		set("SampledDataCtrlr", "SignUpdatedReadings", "true", "false")
		set("AlignedDataCtrlr", "SignReadings", "true", "false")
		set("AlignedDataCtrlr", "SignUpdatedReadings", "true", "false")
	}
}

// Sign implements run.Signers.
func (p *tour) Sign(c station.Command) bool {
	e, life := evseOf(c), p.boots
	m, err := p.world.Meter(e)
	if err != nil {
		p.err = err
		return false
	}
	meter := m.(hal.SigningMeter)
	if p.evses[e-1].Signs == station.SignsTransactions {
		meter = struct{ hal.SigningMeter }{meter}
	}
	dice := p.signs.rng
	p.in(time.Duration(dice.IntN(3000))*time.Millisecond, func() {
		s := run.Sign(context.Background(), meter, c)
		if dice.IntN(12) == 0 {
			s.Signed, s.Err = nil, "the wire is noisy"
		}
		p.in(time.Duration(dice.IntN(1000))*time.Millisecond, func() {
			if p.boots == life {
				p.inbox = append(p.inbox, s)
			}
		})
	})
	return true
}

func evseOf(c station.Command) term.EVSEID {
	switch c := c.(type) {
	case station.SignBegin:
		return c.EVSE
	case station.SignNow:
		return c.EVSE
	case station.SignEnd:
		return c.EVSE
	}
	panic("no step of signing")
}

// observe keeps the signed values of each transaction.
func (g tourSigns) observe(r csms.Request) {
	if ev, ok := r.Message.(*msg2.TransactionEventRequest); ok {
		g.note(ev.TransactionInfo.TransactionID, signedIn2(ev))
	}
	switch m := r.Message16.(type) {
	case *msg16.StopTransactionRequest:
		g.note(strconv.Itoa(m.TransactionID), signedIn16(m))
	case *msg16.MeterValuesRequest:
		if m.TransactionID.Has {
			g.note(strconv.Itoa(m.TransactionID.V), signedIn16(m))
		}
	}
}

func (g tourSigns) note(tx string, values []signedValue) { g.told[tx] = append(g.told[tx], values...) }

// auditSigned verifies all that was signed of a transaction.
func (p *tour) auditSigned(tx csms.Transaction, evse int) error {
	if evse == 0 || p.evses[evse-1].Signs == station.SignsNothing || p.post.version != 0 && p.post.version != soap.V16 { // a driver without a car; words of 1.5
		return nil
	}
	m, err := p.world.Meter(term.EVSEID(evse))
	if err != nil {
		return err
	}
	der, err := m.(hal.SigningMeter).PublicKey(context.Background())
	if err != nil {
		return err
	}
	ends, key := 0, term.OCAPublicKey(der)
	for _, v := range p.signs.told[tx.ID] {
		wh, err := v.judge(key)
		switch {
		case err != nil:
		case v.Key != "" && v.Key != key:
			err = errors.New("another meter's key")
		case v.last() && unit.Energy(wh)*unit.WattHour != tx.Energy():
			err = fmt.Errorf("%d Wh are signed", wh)
		case v.last():
			ends++
		}
		if err != nil {
			return fmt.Errorf("signed value %s %s of %v: %w", v.Event, v.Context, tx, err)
		}
	}
	if ends == 0 && tx.Energy() > 0 {
		return fmt.Errorf("the end of %v is not signed (%v)", tx, p.version)
	}
	p.tally.signed += ends
	return nil
}
