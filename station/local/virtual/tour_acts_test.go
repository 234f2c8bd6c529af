package virtual

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term" // pause is how long the next thing takes to happen: mostly a while, sometimes at once.
)

func (p *tour) pause() time.Duration {
	switch p.rng.IntN(4) {
	case 0:
		return time.Duration(p.rng.IntN(3000)) * time.Millisecond
	case 1:
		return time.Duration(p.rng.IntN(30)) * time.Second
	}
	return time.Duration(p.rng.IntN(12*60)) * time.Second
}

// trace tells the story with EVSED_TRACE=1.
func (p *tour) trace(format string, args ...any) {
	if os.Getenv("EVSED_TRACE") != "" {
		fmt.Printf("%10.3f ", p.now.Sub(epoch).Seconds())
		fmt.Printf(format+"\n", args...)
	}
}

// act lets somebody do something.
func (p *tour) act() {
	ref := []term.Ref{{EVSE: 1, Connector: 1}, {EVSE: 2, Connector: 1}, {EVSE: 2, Connector: 2}}[p.rng.IntN(3)]
	var err error
	n := p.rng.IntN(20)
	p.trace("act %d %v", n, ref)
	switch {
	case n < 6:
		err = p.world.Plug(ref.EVSE, ref.Connector, p.car())
	case n < 9:
		_, err = p.world.Unplug(ref.EVSE, ref.Connector, halsim.UnplugOptions{})
	case n < 14:
		err = p.world.Swipe(halsim.Swipe{Token: token(tokens[p.rng.IntN(len(tokens))]), EVSEs: p.reader(ref)})
	case n < 15:
		p.inbox = append(p.inbox, station.StopPressed{EVSE: ref.EVSE})
	case n < 16:
		ready := p.rng.IntN(2) == 0
		err = p.world.SetEV(ref.EVSE, halsim.EVOptions{Ready: &ready})
	case n < 17:
		p.network = !p.network
		if !p.network {
			p.disconnect("cable pulled")
		}
	case n < 18:
		p.remote(ref.EVSE)
	default:
		err = p.world.SetBay(ref.EVSE, p.rng.IntN(2) == 0)
	}
	if err != nil && !errors.Is(err, halsim.ErrImpossible) && !errors.Is(err, halsim.ErrNotFound) {
		p.err = err
	}
	p.carry()
}

func (p *tour) reader(ref term.Ref) []term.EVSEID {
	if p.rng.IntN(2) == 0 {
		return nil
	}
	return []term.EVSEID{ref.EVSE}
}

func (p *tour) car() halsim.PlugOptions {
	soc := unit.Percent(p.rng.IntN(90)) * unit.OnePercent
	after := time.Duration(p.rng.IntN(20)) * time.Second
	return halsim.PlugOptions{EV: halsim.EVOptions{SoC: &soc, ReadyAfter: &after}}
}

// remote lets the CSMS start or stop something, or reset the station.
func (p *tour) remote(e term.EVSEID) {
	if !p.connected {
		return
	}
	action, payload := "RequestStartTransaction", fmt.Sprintf(`{"evseId":%d,"remoteStartId":%d,"idToken":{"idToken":"ALICE","type":"ISO14443"}}`, e, p.rng.IntN(1000))
	switch p.rng.IntN(4) {
	case 0:
		for _, tx := range p.csms.Ledger().Transactions() {
			if tx.Open() {
				action, payload = "RequestStopTransaction", fmt.Sprintf(`{"transactionId":%q}`, tx.ID)
			}
		}
	case 1:
		action, payload = "Reset", fmt.Sprintf(`{"type":%q}`, []string{"Immediate", "OnIdle"}[p.rng.IntN(2)])
	}
	if p.version == rpc.V16 {
		action, payload = p.remote16(e, action, payload)
	}
	_, frame, err := p.csms.Begin(name, action, []byte(payload))
	if err != nil || frame == nil {
		return // a request is under way
	}
	p.in(p.latency(), func() {
		if p.connected {
			p.arrived(frame)
		}
	})
}

// remote16 says in 1.6 what the CSMS wants. Connectors are numbered through: EVSE 1 has the first.
func (p *tour) remote16(e term.EVSEID, action, payload string) (string, string) {
	switch action {
	case "RequestStopTransaction":
		id := strings.NewReplacer(`{"transactionId":"`, "", `"}`, "").Replace(payload)
		if _, err := strconv.Atoi(id); err != nil {
			id = "0" // one of 2.x, which has no number
		}
		return "RemoteStopTransaction", `{"transactionId":` + id + `}`
	case "Reset":
		if strings.Contains(payload, "Immediate") {
			return action, `{"type":"Hard"}`
		}
		return action, `{"type":"Soft"}`
	}
	return "RemoteStartTransaction", fmt.Sprintf(`{"connectorId":%d,"idTag":"ALICE"}`, e)
}
