package msg16

import (
	"reflect"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc/layouttest"
)

// TestLayout compares the tables with the types that they describe, down to the parts.
func TestLayout(t *testing.T) {
	tables := layouttest.Tables{Fields: fieldTables, Enums: enumTables, Before: firstField}
	kinds(func(name string, fresh func() Message) {
		m := fresh()
		p, table := m.layout()
		v := reflect.ValueOf(m)
		if p != v.UnsafePointer() || name != v.Elem().Type().Name() {
			t.Errorf("%s: %T", name, m)
		}
		tables.Check(t, v.Elem().Type(), table)
	})
	if tables.Seen() != len(fieldTables) {
		t.Errorf("%d types seen, want %d", tables.Seen(), len(fieldTables))
	}
}
