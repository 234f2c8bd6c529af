package virtual

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term" // maxUnsafe is how long a contactor may stay closed after the reason for it is gone: the guard looks every 100 ms here, a
	// car that goes on drawing when the offer ends is switched off under load after 3 s, and the contact takes its time.
)

const maxUnsafe = 4 * time.Second

// safe checks what must hold at every instant.
func (p *tour) safe() {
	if p.err != nil {
		return
	}
	for _, e := range p.world.State().EVSEs {
		closed := 0
		for _, c := range e.Connectors {
			ref := term.Ref{EVSE: e.ID, Connector: c.ID}
			if !c.Relay {
				delete(p.unsafe, ref)
				continue
			}
			closed++
			if c.Pilot.Ready() && p.runner.Permitted(ref) {
				delete(p.unsafe, ref)
				continue
			}
			since, ok := p.unsafe[ref]
			if !ok {
				p.unsafe[ref] = p.now
			} else if p.now.Sub(since) > maxUnsafe {
				p.err = fmt.Errorf("contactor %v closed in state %v, permit %v, for %v", ref, c.Pilot, p.runner.Permitted(ref), p.now.Sub(since))
			}
		}
		if closed > 1 {
			p.err = fmt.Errorf("EVSE %d: two contactors closed", e.ID)
		}
	}
}

// settle heals everything, lets everybody go home, and audits the books: every event number delivered exactly once or
// excused by the station's own records, one Started and one Ended for each transaction, repeats equal, registers never
// falling, and every watt-hour of the meters on a bill.
func (p *tour) settle() {
	p.cutsLeft, p.network = 0, true
	p.inbox = append(p.inbox, station.StopPressed{})
	p.carry()
	p.play(time.Minute)
	for _, e := range p.evses {
		for _, k := range e.Connectors {
			_, _ = p.world.Unplug(e.ID, k.ID, halsim.UnplugOptions{Side: halsim.SideEV}) // 409 where nothing is plugged
		}
	}
	p.play(10 * time.Minute)
	for range 40 {
		if p.err != nil || p.connected && p.engine.Idle() && p.store.OutboxLen() == 0 {
			break
		}
		p.play(time.Minute)
	}
	if p.err != nil {
		return
	}
	if n := p.store.OutboxLen(); n != 0 || !p.engine.Idle() {
		p.err = fmt.Errorf("healed, but %d events wait (link idle: %v)", n, p.engine.Idle())
		return
	}
	if p.turns {
		p.err = p.auditTurns()
		return
	}
	excused := map[string]map[int]bool{}
	for _, tx := range p.store.ThinnedTransactions() {
		seqs, err := p.store.Thinned(tx)
		if err != nil {
			p.err = err
			return
		}
		excused[tx] = map[int]bool{}
		for _, n := range seqs {
			excused[tx][n] = true
		}
	}
	if found := p.csms.Ledger().Check(func(_, tx string, n int) bool { return excused[tx][n] }); len(found) > 0 {
		p.err = fmt.Errorf("the books do not add up: %q", found)
		return
	}
	p.audit()
}

// audit compares the bills with the meters.
func (p *tour) audit() {
	billed := map[int]unit.Energy{}
	for _, tx := range p.csms.Ledger().Transactions() {
		evse := tx.EVSE
		if p.version == rpc.V16 { // it knows connectors alone: 2 and 3 are those of EVSE 2
			evse = min(evse, 2)
		}
		billed[evse] += tx.Energy()
		p.tally.transactions++
		p.tally.events += len(tx.Events)
		p.tally.repeats += tx.Repeats
		if p.err = p.auditSigned(tx, evse); p.err != nil {
			return
		}
	}
	for _, e := range p.world.State().EVSEs {
		p.tally.energy += e.Energy
		if lost := e.Energy - billed[int(e.ID)]; lost >= unit.WattHour || lost <= -unit.WattHour {
			p.err = fmt.Errorf("EVSE %d: the meter shows %v, the bills %v", e.ID, e.Energy, billed[int(e.ID)])
		}
	}
}
