package dialect16

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/station/term"
)

// CSMSTransactionID is the number that a CSMS of 1.x gives a transaction in StartTransaction.conf. Any number may be one,
// 0 and -1 too (errata 3.54).
type CSMSTransactionID int

// unnamed stands for the id of a transaction that the CSMS never gave one (errata 3.18).
const unnamed CSMSTransactionID = -1

// state is what is known of a transaction in the side table. The core's id is known from the begin; the CSMS's comes with
// the answer to StartTransaction, late or never.
type state struct {
	kind  stateKind
	id    CSMSTransactionID // stateNamed
	zero  bool              // it was told with meterStart 0, because no meter had answered yet
	token term.IdToken      // stateWaiting: shown before the connector was known
}

type stateKind uint8

const (
	stateNone    stateKind = iota // no word of it was ever to be told here: it began under another generation
	stateWaiting                  // it has begun, and a tag or the connector is missing still
	stateNamed                    // the CSMS gave it an id
	stateUnnamed                  // the CSMS refused to the last
)

// sideRow is the row of a transaction; the table forgets it with the transaction.
const sideRow = "16"

// The words of a row: "waiting", "waiting TYPE VALUE", "id N", "id N zero", "refused".
const (
	wordWaiting = "waiting"
	wordNamed   = "id"
	wordZero    = "zero"
	wordUnnamed = "refused"
)

func stateOf(t *ocpp.Table, tx term.TransactionID) state {
	row, ok := t.Get(ocpp.TransactionKey(tx, sideRow))
	if !ok {
		return state{}
	}
	return parseState(row)
}

// parseState reads a row. What it cannot read is a transaction without an id, which is true in a way.
func parseState(row string) state {
	words := strings.SplitN(row, " ", 3)
	switch {
	case words[0] == wordWaiting && len(words) == 3:
		return state{kind: stateWaiting, token: term.IdToken{Type: term.IdTokenType(words[1]), Value: words[2]}}
	case words[0] == wordWaiting:
		return state{kind: stateWaiting}
	case words[0] == wordNamed && len(words) > 1:
		if n, err := strconv.Atoi(words[1]); err == nil {
			return state{kind: stateNamed, id: CSMSTransactionID(n), zero: len(words) == 3 && words[2] == wordZero}
		}
	}
	return state{kind: stateUnnamed}
}

// wait notes that a transaction has begun and cannot be told yet. It could be found out again from what is kept.
func wait(t *ocpp.Table, tx term.TransactionID, token term.IdToken) {
	row := wordWaiting
	if !token.IsZero() {
		row += " " + string(token.Type) + " " + token.Value
	}
	t.Note(ocpp.TransactionKey(tx, sideRow), row)
}

// name keeps the id that the CSMS gave a transaction. A CSMS that gives an id twice means the newer one by it from now on;
// of the other it can only hear as of one that it does not know.
func name(t *ocpp.Table, tx term.TransactionID, id CSMSTransactionID, zero bool) {
	for _, other := range t.Transactions(sideRow) {
		if s := stateOf(t, other); other != tx && s.kind == stateNamed && s.id == id {
			giveUp(t, other)
		}
	}
	row := wordNamed + " " + strconv.Itoa(int(id))
	if zero {
		row += " " + wordZero
	}
	t.Put(ocpp.TransactionKey(tx, sideRow), row)
}

// giveUp notes that there will be no id.
func giveUp(t *ocpp.Table, tx term.TransactionID) {
	t.Note(ocpp.TransactionKey(tx, sideRow), wordUnnamed)
}

// noTransaction names none that the core knows.
const noTransaction term.TransactionID = "?"

// transactionOf returns the transaction of an id. An id that the CSMS never gave is that of noTransaction, which the core
// refuses. An id belongs to one transaction at a time: name takes it from the one that had it.
func transactionOf(t *ocpp.Table, id int) term.TransactionID {
	found := noTransaction
	for _, tx := range t.Transactions(sideRow) {
		if s := stateOf(t, tx); s.kind == stateNamed && int(s.id) == id {
			found = tx
		}
	}
	return found
}
