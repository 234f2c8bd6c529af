package main

import (
	"fmt"
	"strings"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station/local/virtual"
)

// seen prints what happens in the world. It is called under the world's lock and only hands over.
func (d *demo) seen(ev halsim.Event) {
	switch ev.Kind {
	case halsim.EventPlugged:
		d.paper.event("CAR", "evse %v plugged in", ev.Ref)
	case halsim.EventUnplugged:
		d.paper.event("CAR", "evse %v unplugged", ev.Ref)
	case halsim.EventPilot:
		d.paper.event("CAR", "evse %v pilot state %v", ev.Ref, ev.Pilot)
	case halsim.EventRelay:
		d.paper.event("RELAY", "evse %v %s", ev.Ref, choose(ev.On, "closed: energy may flow", "open"))
	case halsim.EventLock:
		d.paper.event("LOCK", "evse %v %s", ev.Ref, choose(ev.On, "locked", "unlocked"))
	case halsim.EventFault:
		d.paper.event("FAULT", "evse %v %v %s", ev.Ref, ev.Fault, choose(ev.On, "raised", "cleared"))
	case halsim.EventPower:
		d.paper.event("POWER", "%s", choose(ev.On, "on", "off: contactors fall, only what is on flash remains"))
	}
}

// noticed prints what happens to the station as a whole.
func (d *demo) noticed(n virtual.Notice) {
	switch n.Kind {
	case "boot":
		d.paper.event("BOOT", "station starts")
	case "reboot":
		d.paper.event("BOOT", "station reboots")
	case "light":
		d.light(n.Text)
	case "storage", "seed":
		d.paper.event("SAVED", "%s", n.Text)
	}
}

// light prints a light that changed for longer than a question to the CSMS takes.
func (d *demo) light(text string) {
	where, what, _ := strings.Cut(text, " ")
	if what == hal.IndicateAuthorizing.String() {
		return
	}
	d.mu.Lock()
	same := d.lights[where] == what
	d.lights[where] = what
	d.mu.Unlock()
	if !same {
		d.paper.event("LIGHT", "evse %s %s", where, what)
	}
}

// heard prints what the CSMS is told.
func (d *demo) heard(r csms.Request) {
	if r.Message16 != nil {
		d.heard16(r)
		return
	}
	switch m := r.Message.(type) {
	case *msg2.BootNotificationRequest:
		d.paper.event("CSMS", "BootNotification %s accepted, OCPP %v", m.Reason, r.Version)
	case *msg2.AuthorizeRequest:
		known, ok := cards[card(m.IdToken.IdToken)]
		status := msg2.AuthorizationStatusUnknown
		if ok {
			status = known.Status
		}
		d.paper.event("CARD", "%s %s by the CSMS", m.IdToken.IdToken, status)
	case *msg2.StatusNotificationRequest:
		d.paper.event("CSMS", "evse %d.%d is %s", m.EVSEID, m.ConnectorID, m.ConnectorStatus)
	case *msg2.TransactionEventRequest:
		d.paper.event("TX", "%s", d.transaction(m, r.Repeat))
	case *msg2.NotifyEventRequest:
		for i := range m.EventData {
			ev := &m.EventData[i]
			at := ev.Component.EVSE.V
			d.paper.event("CSMS", "%s %d.%d problem %s %s", ev.Component.Name, at.ID, at.ConnectorID.V, ev.ActualValue, ev.TechCode.V)
		}
	case *msg2.SecurityEventNotificationRequest:
		d.paper.event("CSMS", "security event %s", m.Type)
	case *msg2.HeartbeatRequest: // one a day is news to nobody
	default:
		d.paper.event("CSMS", "%s", r.Action)
	}
}

// transaction tells one transaction event.
func (d *demo) transaction(m *msg2.TransactionEventRequest, repeat bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.4s #%-2d %-7s %s", m.TransactionInfo.TransactionID, m.SeqNo, m.EventType, m.TriggerReason)
	if s := m.TransactionInfo.ChargingState; s != "" && m.TriggerReason == msg2.TriggerReasonChargingStateChanged {
		fmt.Fprintf(&b, " %s", s)
	}
	if e, ok := d.energyOf(m); ok {
		fmt.Fprintf(&b, " %s", kWh(e))
	}
	if m.TransactionInfo.StoppedReason != "" {
		fmt.Fprintf(&b, " %s", m.TransactionInfo.StoppedReason)
	}
	return b.String() + choose(m.Offline.V, " offline", "") + choose(repeat, " again", "")
}

// energyOf returns what the transaction had taken when this event was made: a repeat tells the same.
func (d *demo) energyOf(m *msg2.TransactionEventRequest) (unit.Energy, bool) {
	t, ok := d.csms.Ledger().Transaction(name, m.TransactionInfo.TransactionID)
	if !ok {
		return 0, false
	}
	for _, ev := range t.Events {
		if ev.SeqNo == m.SeqNo && ev.Energy.Has {
			return ev.Energy.V - t.Begin.V, true
		}
	}
	return 0, false
}

// kWh writes an energy as drivers are billed it.
func kWh(e unit.Energy) string {
	return fmt.Sprintf("%d.%03d kWh", e/unit.KiloWattHour, e%unit.KiloWattHour/unit.WattHour)
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
