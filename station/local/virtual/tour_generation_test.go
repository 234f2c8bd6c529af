package virtual

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/rpc"
)

// A CSMS that speaks another version with every connection is told every transaction anew in the generation of the moment
// (docs/design/0012). Bills that it left behind stay open; those that have an end cover every watt-hour of the meters.
func TestTourOfGenerations(t *testing.T) { tourAll(t, toursOfGenerations, everyVersion, 0) }

const (
	toursOfGenerations = 24
	everyVersion       = rpc.Version(0xff) // one at random for each connection
)

// turn chooses the version of the next connection.
func (p *tour) turn() {
	if p.turns {
		p.version = versions[p.rng.IntN(len(versions))]
	}
}

// bill is what one transaction took of a register, in watt-hours.
type bill struct{ from, to unit.Energy }

// auditTurns wants every watt-hour of every meter on a bill that has an end. One that was told to its end in two generations,
// because the answer to the end was lost with the connection, is on two bills from the same register to the same.
func (p *tour) auditTurns() error {
	for _, e := range p.csms.Ledger().Errors() {
		if !strings.Contains(e, "begins while transaction") { // the other went on in 2.x
			return fmt.Errorf("the books: %s", e)
		}
	}
	bills := map[int][]bill{}
	for _, tx := range p.csms.Ledger().Transactions() {
		p.tally.transactions++
		p.tally.events += len(tx.Events)
		p.tally.repeats += tx.Repeats
		if tx.Ended == 0 {
			continue
		}
		if tx.Started != 1 || tx.Ended != 1 {
			return fmt.Errorf("transaction %s: %d times Started, %d times Ended", tx.ID, tx.Started, tx.Ended)
		}
		evse := tx.EVSE
		if _, err := strconv.Atoi(tx.ID); err == nil { // of 1.6, whose connectors 2 and 3 are those of EVSE 2
			evse = min(evse, 2)
		}
		if err := p.auditSigned(tx, evse); err != nil {
			return err
		}
		bills[evse] = append(bills[evse], bill{tx.Begin.V / unit.WattHour, tx.Last.V / unit.WattHour})
	}
	for _, e := range p.world.State().EVSEs {
		p.tally.energy += e.Energy
		if err := covered(bills[int(e.ID)], e.Energy/unit.WattHour); err != nil {
			return fmt.Errorf("EVSE %d: %w", e.ID, err)
		}
	}
	return nil
}

// covered tells what of a register is on no bill, or on two that differ.
func covered(bills []bill, register unit.Energy) error {
	slices.SortFunc(bills, func(a, b bill) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	at, last := unit.Energy(0), bill{}
	for _, b := range bills {
		switch {
		case b.from == b.to, b == last:
			continue
		case b.from > at:
			return fmt.Errorf("nothing bills %d to %d Wh: %v", at, b.from, bills)
		case b.from < at:
			return fmt.Errorf("billed twice: %d to %d Wh: %v", b.from, at, bills)
		}
		at, last = b.to, b
	}
	if at != register {
		return fmt.Errorf("the meter shows %d Wh, the bills end with %d: %v", register, at, bills)
	}
	return nil
}
