package link

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// A transaction is told in one generation of OCPP: in 1.x by the number that the CSMS gave it, in 2.x by the id that the
// station gave it, and no CSMS can tell that both are the same. So a row of the side table keeps for each transaction in
// which generation it is told, and how it began. While one is open only its generation is offered, if the network profile
// allows it and the CSMS still takes it. Otherwise the transaction is told anew from its beginning in the generation that
// is spoken, before its next event: the CSMS can bill it whole. See docs/design/0012.

// generation is a family of versions with one way to name transactions; it stands on flash.
type generation byte

const (
	generation1 generation = '1' // 1.2, 1.5, 1.6
	generation2 generation = '2' // 2.0.1, 2.1
)

func generationOf(v rpc.Version) generation {
	if v < rpc.V201 {
		return generation1
	}
	return generation2
}

// The rows of a transaction. rowFrom holds its generation, whether 2.x has heard how it began, and its Started report as 2.x
// hears it: always the same. rowWith holds that report with what came later of token, place and register, for who has not
// heard it yet: 1.x cannot begin a transaction without them.
const (
	rowFrom = "from"
	rowWith = "with"

	heard   = '2' // second byte of rowFrom: by 2.x
	unheard = '-'
)

// from makes rowFrom. start is the Started report as the outbox has it, "" if it is not known.
func from(g generation, by2 byte, start string) string { return string([]byte{byte(g), by2}) + start }

// told notes what a settled report of a transaction leaves to be known.
func (e *Engine) told(ev *station.TransactionEvent, g generation) {
	if ev.Phase == station.PhaseEnded {
		e.table.Forget(ev.Transaction)
		return
	}
	key := ocpp.TransactionKey(ev.Transaction, rowFrom)
	row, known := e.table.Get(key)
	switch {
	case ev.Phase == station.PhaseStarted:
		e.table.Note(key, from(g, by(g), encodeStart(ev)))
	case !known:
		e.table.Note(key, from(g, unheard, ""))
	default:
		e.complete(ev, row)
	}
}

// complete keeps what a later event knows of the beginning and the Started report did not: token, place, register.
func (e *Engine) complete(ev *station.TransactionEvent, row string) {
	key := ocpp.TransactionKey(ev.Transaction, rowWith)
	start := startOf(row)
	if with, ok := e.table.Get(key); ok {
		start = decodeStart(with)
	}
	if start == nil {
		return
	}
	news := false
	if start.Token.Value == "" && ev.Token.Value != "" {
		start.Token, start.Info, news = ev.Token, ev.Info, true
	}
	if start.Ref.Connector == 0 && ev.Ref.Connector != 0 {
		start.Ref, news = ev.Ref, true
	}
	if start.Register < 0 && (ev.Begin >= 0 || ev.Register >= 0) { // nothing flows before the first is known
		if start.Register = ev.Begin; start.Register < 0 {
			start.Register = ev.Register
		}
		start.Values, news = ev.Values, true
	}
	if news {
		e.table.Note(key, encodeStart(start))
	}
}

func by(g generation) byte {
	if g == generation2 {
		return heard
	}
	return unheard
}

func encodeStart(ev *station.TransactionEvent) string {
	return string(station.EncodeReport(station.Report{Class: station.Kept, Body: ev}))
}

// startOf returns the Started report of rowFrom, nil if it has none.
func startOf(row string) *station.TransactionEvent {
	if len(row) < 3 {
		return nil
	}
	return decodeStart(row[2:])
}

func decodeStart(value string) *station.TransactionEvent {
	r, err := station.DecodeReport(0, []byte(value))
	if err != nil {
		return nil
	}
	ev, _ := r.Body.(*station.TransactionEvent)
	return ev
}

// adopt tells whether the beginning of a transaction has to be told before j, an event of one that is told in another
// generation, and makes it the head's prelude.
func (e *Engine) adopt(j *job) bool {
	ev, ok := j.report.Body.(*station.TransactionEvent)
	if !ok || j.lane != laneKept || j.prelude || ev.Phase == station.PhaseStarted {
		return false
	}
	key := ocpp.TransactionKey(ev.Transaction, rowFrom)
	row, _ := e.table.Get(key)
	g := generationOf(e.d.Version())
	if len(row) < 2 || generation(row[0]) == g {
		return false
	}
	start := startOf(row)
	if with, ok := e.table.Get(ocpp.TransactionKey(ev.Transaction, rowWith)); ok && (g == generation1 || row[1] != heard) {
		start = decodeStart(with)
	}
	if start == nil { // nothing to begin with: what there is of it is told as it is
		e.table.Note(key, string(byte(g))+row[1:])
		return false
	}
	e.backlog.prelude = &job{report: station.Report{ID: j.report.ID, Class: station.Kept, Body: start}, lane: laneKept, prelude: true, generation: g}
	return true
}

// preluded ends the prelude of the head: from now on the transaction is told in the generation that is spoken.
func (e *Engine) preluded(j *job, r station.Reply) {
	e.backlog.again()
	start := j.report.Body.(*station.TransactionEvent)
	key := ocpp.TransactionKey(start.Transaction, rowFrom)
	row, _ := e.table.Get(key)
	switch g := generationOf(e.d.Version()); {
	case g == generation2:
		e.table.Note(key, from(g, heard, encodeStart(start)))
	case len(row) >= 2: // 2.x hears of it as before
		e.table.Note(key, string(byte(g))+row[1:])
	}
	j.report.ID, j.report.Class = 0, station.Now // the outbox has no such entry
	e.reply(j, r)
}

// generation returns the generation of every open transaction; false if there is none, or not one alone.
func (e *Engine) generation() (generation, bool) {
	var g generation
	for _, row := range e.table.Rows(rowFrom) {
		switch {
		case row == "":
		case g == 0:
			g = generation(row[0])
		case g != generation(row[0]):
			return 0, false
		}
	}
	return g, g != 0
}

// kin returns the offers of one generation, all of them if there is none of it.
func kin(offers []offer, g generation) []offer {
	var same []offer
	for _, o := range offers {
		if generationOf(o.dialect.Version()) == g {
			same = append(same, o)
		}
	}
	if len(same) == 0 {
		return offers
	}
	return same
}
