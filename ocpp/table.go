package ocpp

import (
	"maps"
	"slices"
	"strings"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// Table is the durable side table of the dialects, for what only one wire needs (1.x transaction ids). What a dialect call
// changes is handed to the core with the outcome of the report that caused it, and written in the same batch as that
// report's acknowledgement: after a power cut either both are there, or the report is told again.
//
// A key that begins with a transaction's prefix (TransactionKey) goes when nothing is left to be told of that transaction,
// so that the table is bounded by the transactions that are open or in the outbox.
type Table struct {
	rows    map[string]string
	changes []station.Record
	urgent  bool
}

// NewTable returns an empty table.
func NewTable() *Table { return &Table{rows: map[string]string{}} }

// Get returns the value of key.
func (t *Table) Get(key string) (string, bool) { v, ok := t.rows[key]; return v, ok }

// Put sets key to what only the CSMS knows: it owes a sync, because the CSMS would not say it again.
func (t *Table) Put(key, value string) {
	if old, ok := t.rows[key]; ok && old == value {
		return
	}
	t.Note(key, value)
	t.urgent = true
}

// Note sets key to what could be found out again: it is written with what is synced next.
func (t *Table) Note(key, value string) {
	if old, ok := t.rows[key]; ok && old == value {
		return
	}
	t.rows[key] = value
	t.changes = append(t.changes, station.Record{Bucket: station.BucketDialect, Key: key, Value: []byte(value)})
}

// Delete removes key and notes the change.
func (t *Table) Delete(key string) {
	if _, ok := t.rows[key]; !ok {
		return
	}
	delete(t.rows, key)
	t.changes = append(t.changes, station.Record{Bucket: station.BucketDialect, Key: key})
}

// Restore replays a record of BucketDialect at start.
func (t *Table) Restore(r station.Record) {
	if r.Value == nil {
		delete(t.rows, r.Key)
		return
	}
	t.rows[r.Key] = string(r.Value)
}

// Drain returns the changes since the last Drain.
func (t *Table) Drain() []station.Record {
	c := t.changes
	t.changes, t.urgent = nil, false
	return c
}

// Urgent tells whether a change that Drain will return owes a sync.
func (t *Table) Urgent() bool { return t.urgent }

// Keys returns the keys that begin with prefix, sorted.
func (t *Table) Keys(prefix string) []string {
	var keys []string
	for k := range maps.Keys(t.rows) {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

const transactionPrefix = "tx/"

// TransactionKey is the key of one row of a transaction.
func TransactionKey(id term.TransactionID, row string) string {
	return transactionPrefix + string(id) + "/" + row
}

// Transactions returns the transactions that have a row of that name, sorted.
func (t *Table) Transactions(row string) []term.TransactionID {
	var ids []term.TransactionID
	for _, k := range t.Keys(transactionPrefix) {
		if id, r, _ := strings.Cut(strings.TrimPrefix(k, transactionPrefix), "/"); r == row {
			ids = append(ids, term.TransactionID(id))
		}
	}
	return ids
}

// Rows returns the values of one row of all transactions, sorted by transaction.
func (t *Table) Rows(row string) []string {
	var values []string
	for _, k := range t.Keys(transactionPrefix) {
		if strings.HasSuffix(k, "/"+row) {
			values = append(values, t.rows[k])
		}
	}
	return values
}

// Forget deletes the rows of a transaction.
func (t *Table) Forget(id term.TransactionID) {
	for _, k := range t.Keys(TransactionKey(id, "")) {
		t.Delete(k)
	}
}

// Sweep deletes the rows of transactions of which nothing is left to be told.
func (t *Table) Sweep(left func(term.TransactionID) bool) {
	for _, k := range t.Keys(transactionPrefix) {
		id, _, _ := strings.Cut(strings.TrimPrefix(k, transactionPrefix), "/")
		if !left(term.TransactionID(id)) {
			t.Delete(k)
		}
	}
}
