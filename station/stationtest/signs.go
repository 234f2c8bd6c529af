package stationtest

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// signs is what a meter counts and signs. It is a device of its own and outlives the station's power.
type signs struct {
	tx      term.TransactionID // that it counts; "" for none
	begin   unit.Energy
	done    map[term.TransactionID]string
	refuses bool
	takes   time.Duration // longer than a reading
}

// signed carries out what a meter is asked to sign.
func (m *meter) signed(b *Bench, c station.Command) {
	b.later(meterTime+m.signs.takes, func() {
		if b.Station == nil {
			return
		}
		ev := m.sign(b, c)
		switch {
		case m.silent:
			ev.Signed, ev.Err = nil, "no answer"
		case m.signs.refuses:
			ev.Signed, ev.Err = nil, "it refuses"
		}
		b.step(ev)
	})
}

func (m *meter) sign(b *Bench, c station.Command) station.MeterSigned {
	m.integrate(b)
	g := &m.signs
	ev := station.MeterSigned{EVSE: m.evse}
	switch c := c.(type) {
	case station.SignBegin:
		ev.Step, ev.Transaction = station.SignedBegin, term.TransactionID(c.Session.Transaction)
		if g.refuses || m.silent {
			return ev
		}
		if g.tx != ev.Transaction {
			g.tx, g.begin = ev.Transaction, m.energy
		}
		if b.cfg.EVSEs[m.evse-1].Signs == station.SignsReadings {
			ev.Signed = m.record(b, "begin")
		}
	case station.SignNow:
		ev.Step, ev.Transaction = station.SignedNow, c.Transaction
		ev.Signed = m.record(b, "now")
	case station.SignEnd:
		ev.Step, ev.Transaction = station.SignedEnd, term.TransactionID(c.Session.Transaction)
		if g.done == nil {
			g.done = map[term.TransactionID]string{}
		}
		switch {
		case g.tx == ev.Transaction && !g.refuses && !m.silent:
			ev.Signed = m.record(b, "end")
			g.done[g.tx], g.tx = string(ev.Signed.Data), ""
		case g.done[ev.Transaction] != "":
			ev.Signed = m.record(b, "end")
			ev.Signed.Data = []byte(g.done[ev.Transaction])
		default:
			ev.Err = "it counts no such transaction"
		}
	}
	return ev
}

// record is what the meter signs: in words, so that a scenario shows it.
func (m *meter) record(b *Bench, what string) *hal.SignedReading {
	return &hal.SignedReading{Reading: m.reading(b), EncodingMethod: "WORDS", PublicKey: []byte{0xC0, 0xDE, byte(m.evse)},
		Data: fmt.Appendf(nil, "%s %s %d..%d", m.signs.tx, what, m.signs.begin, m.energy)}
}

// Powered checks that no energy flows which a meter should count and does not.
func (m *meter) powered(b *Bench) {
	e := b.cfg.EVSEs[m.evse-1]
	if e.Signs != station.SignsNothing && m.signs.tx == "" && !b.check.unsigned {
		b.check.fail(b, "energy flows at EVSE %d, and its meter counts no transaction", m.evse)
	}
}

// signedFor checks that the end of a transaction bears the meter's record of it, over all its energy.
func (b *Bench) signedFor(end *station.TransactionEvent, energy unit.Energy) error {
	if b.cfg.EVSEs[end.Ref.EVSE-1].Signs == station.SignsNothing {
		return nil
	}
	for _, v := range end.Values {
		if v.Signed == nil {
			continue
		}
		var from, to unit.Energy
		tx := string(end.Transaction)
		if _, err := fmt.Sscanf(string(v.Signed.Data), tx+" end %d..%d", &from, &to); err != nil || to-from != energy {
			return fmt.Errorf("%s took %d mWh, and its meter signed %q", tx, energy, v.Signed.Data)
		}
		return nil
	}
	return fmt.Errorf("%s took %d mWh, and ends without its meter's record", end.Transaction, energy)
}
