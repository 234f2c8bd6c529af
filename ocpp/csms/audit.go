package csms

import (
	"fmt"
	"slices"

	"github.com/evsed/evsed/ocpp/msg2"
)

// Check audits the books when all is over and says what does not add up: the errors so far, and for every transaction one
// Started and it alone with number 0, one Ended and nothing behind it, no number missing but those that excused names, and registers
// that never fall, also from one transaction of an EVSE to the next. excused may be nil.
func (l *Ledger) Check(excused func(station, transaction string, seqNo int) bool) []string {
	found := l.Errors()
	registers := map[string]Energy{}
	for _, t := range byTime(l.Transactions()) {
		found = append(found, t.check(excused)...)
		if !t.Begin.Has {
			continue
		}
		place := fmt.Sprintf("%s EVSE %d", t.Station, t.EVSE)
		if before, ok := registers[place]; ok && t.Begin.V < before {
			found = append(found, fmt.Sprintf("%s: register fell from %d to %d mWh at the start of %s", place, before, t.Begin.V, t.ID))
		}
		registers[place] = t.Last.V
	}
	return found
}

// byTime sorts transactions by their first event.
func byTime(ts []Transaction) []Transaction {
	slices.SortStableFunc(ts, func(a, b Transaction) int {
		if len(a.Events) == 0 || len(b.Events) == 0 {
			return 0
		}
		return a.Events[0].At.Compare(b.Events[0].At)
	})
	return ts
}

func (t Transaction) check(excused func(string, string, int) bool) (found []string) {
	say := func(format string, args ...any) {
		found = append(found, fmt.Sprintf("%s: transaction %s: ", t.Station, t.ID)+fmt.Sprintf(format, args...))
	}
	if t.Started != 1 || t.Ended != 1 {
		say("%d times Started, %d times Ended", t.Started, t.Ended)
	}
	for _, n := range t.Missing {
		if excused == nil || !excused(t.Station, t.ID, n) {
			say("event %d is missing", n)
		}
	}
	last, ended := msg2.Opt[Energy]{}, -1
	for i := range t.Events {
		ev := &t.Events[i]
		if !ev.Taken {
			continue
		}
		switch {
		case ev.Type == msg2.TransactionEventStarted && ev.SeqNo != 0:
			say("Started has number %d", ev.SeqNo)
		case ended >= 0:
			say("event %d after the Ended event %d", ev.SeqNo, ended)
		}
		if ev.Type == msg2.TransactionEventEnded {
			ended = ev.SeqNo
		}
		if ev.Energy.Has {
			if last.Has && ev.Energy.V < last.V {
				say("register fell from %d to %d mWh in event %d", last.V, ev.Energy.V, ev.SeqNo)
			}
			last = ev.Energy
		}
	}
	return found
}
