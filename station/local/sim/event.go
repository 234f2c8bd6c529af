package sim

import (
	"encoding/json"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// data is what an event says.
type data map[string]any

// world logs what happened in the world.
func (l *Log) world(ev halsim.Event) {
	switch ev.Kind {
	case halsim.EventPlugged:
		l.add("plugged", ev.Ref, data{})
	case halsim.EventUnplugged:
		l.add("unplugged", ev.Ref, data{})
	case halsim.EventPilot:
		l.add("pilot", ev.Ref, data{"state": ev.Pilot.String()})
	case halsim.EventRelay:
		l.add("relay", ev.Ref, data{"closed": ev.On})
	case halsim.EventLock:
		l.add("lock", ev.Ref, data{"locked": ev.On})
	case halsim.EventFault:
		l.add("fault", ev.Ref, data{"code": ev.Fault.String(), "active": ev.On, "source": "world"})
	case halsim.EventLight:
		l.add("light", ev.Ref, data{"shows": ev.Light.Shows.String(), "color": ev.Light.Color, "levelPercent": milli(ev.Light.Level)})
	case halsim.EventSignal:
		l.add("signal", ev.Ref, data{"signal": ev.Light.Signal.String(), "color": ev.Light.Color, "times": ev.Light.Left})
	case halsim.EventPower: // the station's boot and its silence tell of it
	}
}

// Booted logs that the station started.
func (l *Log) Booted(reason station.BootReason, boots int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	clear(l.told) // a new station tells everything anew
	l.mu.Unlock()
	l.add("boot", term.Ref{}, data{"reason": reason, "boots": boots})
}

// Event logs what a station is about to hear. The runner calls it for every event.
func (l *Log) Event(ev station.Event) {
	switch ev := ev.(type) {
	case station.LinkUp:
		l.add("connected", term.Ref{}, data{"slot": ev.Slot, "securityProfile": ev.SecurityProfile})
	case station.LinkDown:
		l.add("disconnected", term.Ref{}, data{"why": ev.Why})
	case station.OfferChanged:
		l.change("limit", ev.Ref, "", newsOf(ev.Current != 0, ev.Current.String()), data{"limitA": milli(ev.Current)})
	case station.FaultChanged:
		l.change("fault", ev.Ref, ev.Fault.String(), newsOf(ev.Active, "active"),
			data{"code": ev.Fault.String(), "active": ev.Active, "source": "station"})
	}
}

// newsOf is the word of a change; what is not there has none, and so is no news in the beginning.
func newsOf(there bool, word string) string {
	if !there {
		return ""
	}
	return word
}

// Output logs what a station made of it. The runner calls it for every output that it carries out.
func (l *Log) Output(o *station.Output) {
	if l == nil {
		return
	}
	for _, r := range o.Reports {
		switch b := r.Body.(type) {
		case station.StatusNotification:
			if b.Ref.EVSE != 0 { // of the station as a whole only generations before 2.0 have one
				l.change("status", b.Ref, "", string(b.Status), data{"status": b.Status})
			}
		case *station.TransactionEvent:
			l.transaction(b)
		case station.FirmwareStatus:
			l.firmwareTold(b)
		}
	}
	for _, c := range o.Commands {
		switch c := c.(type) {
		case station.Gate:
			l.add("registration", term.Ref{}, data{"status": c.Status})
		case station.Reboot:
			l.add("reboot", term.Ref{}, data{})
		case station.Signal:
			l.refusal(c)
		}
	}
}

// refusal logs why a card is refused, at each EVSE of its reader; once where that is the only one of the station.
func (l *Log) refusal(c station.Signal) {
	if c.Code == "" {
		return
	}
	for _, e := range c.EVSEs {
		l.add("refusal", term.Ref{EVSE: e}, data{"code": c.Code})
	}
	if len(c.EVSEs) == 0 {
		l.add("refusal", term.Ref{}, data{"code": c.Code})
	}
}

var phases = map[station.Phase]string{station.PhaseStarted: "Started", station.PhaseUpdated: "Updated", station.PhaseEnded: "Ended"}

func (l *Log) transaction(b *station.TransactionEvent) {
	f := data{"transaction": b.Transaction, "event": phases[b.Phase], "seqNo": b.SeqNo, "trigger": b.Trigger, "offline": b.Offline}
	if b.ChargingState != "" {
		f["chargingState"] = b.ChargingState
	}
	if b.StoppedReason != "" {
		f["stoppedReason"] = b.StoppedReason
	}
	l.add("transaction", b.Ref, f)
}

// OCPP logs a frame; sent is the direction. The runner calls it where messages are to be logged.
func (l *Log) OCPP(sent bool, frame []byte) {
	f := data{"direction": "received"}
	if sent {
		f["direction"] = "sent"
	}
	if json.Valid(frame) {
		f["message"] = json.RawMessage(frame)
	} else {
		f["message"] = string(frame)
	}
	l.add("ocpp", term.Ref{}, f)
}

// number is a quantity in JSON: thousandths of the unit, written as an exact decimal.
type number int64

func milli[T ~int32 | ~int64](v T) number { return number(v) }

// MarshalJSON writes thousandths as a decimal.
func (n number) MarshalJSON() ([]byte, error) { return unit.AppendMilli(nil, int64(n)), nil }
