package main

import (
	"fmt"
	"strings"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// versions are those that the CSMS can be told to speak, best first; without a word it speaks all.
var versions = []rpc.Version{rpc.V21, rpc.V201, rpc.V16}

func versionOf(word string) ([]rpc.Version, bool) {
	if word == "" {
		return versions, true
	}
	for _, v := range versions {
		if v.String() == word {
			return []rpc.Version{v}, true
		}
	}
	return nil, false
}

// old reports whether OCPP 1.6 is spoken.
func (d *demo) old() bool {
	v, _ := d.csms.Connected(name)
	return v == rpc.V16 || len(d.o.versions) == 1 && d.o.versions[0] == rpc.V16
}

// flat is the number that 1.6 gives a connector: they are numbered through.
func flat(at term.Ref) (n int) {
	for _, e := range topology {
		for _, c := range e.Connectors {
			if n++; e.ID == at.EVSE && c.ID == at.Connector {
				return n
			}
		}
	}
	return 0
}

// placeOf is the connector of a number.
func placeOf(n int) (at term.Ref) {
	for _, e := range topology {
		for _, c := range e.Connectors {
			if n--; n == 0 {
				return term.Ref{EVSE: e.ID, Connector: c.ID}
			}
		}
	}
	return term.Ref{}
}

// told is the status of a connector as the CSMS knows it.
func (d *demo) told(at term.Ref) msg2.ConnectorStatus {
	if d.old() {
		return d.csms.Status(name, flat(at), 1)
	}
	return d.csms.Status(name, int(at.EVSE), int(at.Connector))
}

// heard16 prints what a CSMS of 1.6 is told.
func (d *demo) heard16(r csms.Request) {
	again := choose(r.Repeat, " again", "")
	switch m := r.Message16.(type) {
	case *msg16.BootNotificationRequest:
		d.paper.event("CSMS", "BootNotification accepted, OCPP %v", r.Version)
	case *msg16.AuthorizeRequest:
		d.paper.event("CARD", "%s %s by the CSMS", m.IdTag, cardStatus(m.IdTag))
	case *msg16.StatusNotificationRequest:
		at := placeOf(m.ConnectorID)
		d.paper.event("CSMS", "evse %d.%d is %s%s", at.EVSE, at.Connector, m.Status, choose(m.ErrorCode != msg16.ChargePointErrorCodeNoError, " "+string(m.ErrorCode), ""))
	case *msg16.StartTransactionRequest:
		d.paper.event("TX", "%-4d StartTransaction %s at connector %d%s", r.Transaction, m.IdTag, m.ConnectorID, again)
	case *msg16.StopTransactionRequest:
		d.paper.event("TX", "%-4d StopTransaction %s %s%s", m.TransactionID, d.taken(m.TransactionID), m.Reason, again)
	case *msg16.MeterValuesRequest:
		if id, ok := m.TransactionID.Get(); ok {
			d.paper.event("TX", "%-4d MeterValues %s%s", id, d.taken(id), again)
		}
	case *msg16.SecurityEventNotificationRequest:
		d.paper.event("CSMS", "security event %s", m.Type)
	case *msg16.HeartbeatRequest:
	default:
		d.paper.event("CSMS", "%s", r.Action)
	}
}

func cardStatus(tag string) string {
	if known, ok := cards[card(tag)]; ok {
		return string(known.Status)
	}
	return "Invalid"
}

// taken is what a transaction has taken, as told so far.
func (d *demo) taken(id int) string {
	e, _ := d.csms.Ledger().Energy(name, fmt.Sprint(id))
	return kWh(e)
}

// metered compares the registers of a bill with the meter, to the watt-hour in 1.6.
func (d *demo) metered(t *csms.Transaction) error {
	at, least := term.EVSEID(t.EVSE), unit.Energy(1)
	if d.old() {
		at, least = placeOf(t.EVSE).EVSE, unit.WattHour
	}
	counted := d.evse(at).Energy // both meters began at zero
	if t.Begin.V != 0 || t.Last.V/least != counted/least {
		return fmt.Errorf("transaction %s was told %s to %s, but the meter counted %s", t.ID, kWh(t.Begin.V), kWh(t.Last.V), kWh(counted))
	}
	return nil
}

// spoken lists the versions for the reader: "2.1, 2.0.1 and 1.6".
func spoken(vs []rpc.Version) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = v.String()
	}
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
