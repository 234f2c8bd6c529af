package ocpp

import (
	"fmt"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// A row that is set to what it says already is no change: encoding the same report again writes nothing.
func TestTableNotesChangesOnce(t *testing.T) {
	tab := NewTable()
	tab.Note("a", "1")
	tab.Note("a", "1")
	if tab.Urgent() {
		t.Error("a note owes a sync")
	}
	tab.Put("b", "2")
	tab.Put("b", "2")
	tab.Delete("c")
	if !tab.Urgent() {
		t.Error("an id of the CSMS owes no sync")
	}
	if got := fmt.Sprintf("%v", tab.Drain()); got != "[{dialect a [49]} {dialect b [50]}]" {
		t.Errorf("changes %s", got)
	}
	tab.Put("b", "2")
	if tab.Urgent() || len(tab.Drain()) != 0 {
		t.Error("what was handed out is handed out again")
	}
}

// Replaying all records in order gives the same table, however often.
func TestTableRestores(t *testing.T) {
	tab, again := NewTable(), NewTable()
	tab.Put("a", "1")
	tab.Put("a", "2")
	tab.Note("b", "3")
	tab.Delete("b")
	records := tab.Drain()
	for _, r := range append(records, records...) {
		again.Restore(r)
	}
	if v, _ := again.Get("a"); v != "2" || len(again.Keys("")) != 1 || len(again.Drain()) != 0 {
		t.Errorf("restored %v", again.rows)
	}
}

func TestTableSweepsTransactions(t *testing.T) {
	tab := NewTable()
	for _, k := range []string{TransactionKey("A", "id"), TransactionKey("A", "from"), TransactionKey("B", "id"), "other"} {
		tab.Restore(station.Record{Key: k, Value: []byte{'1'}})
	}
	tab.Sweep(func(id term.TransactionID) bool { return id == "B" })
	if got := fmt.Sprint(tab.Keys("")); got != "[other tx/B/id]" {
		t.Errorf("left %s", got)
	}
	if n := len(tab.Drain()); n != 2 {
		t.Errorf("%d changes", n)
	}
	if got := fmt.Sprint(tab.Rows("id"), tab.Rows("from")); got != "[1] []" {
		t.Errorf("rows %s", got)
	}
	tab.Forget("B")
	if got := fmt.Sprint(tab.Keys(""), tab.Drain()); got != "[other] [{dialect tx/B/id []}]" {
		t.Errorf("left %s", got)
	}
}
