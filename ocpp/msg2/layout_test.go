package msg2

import (
	"reflect"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc/layouttest"
)

// TestLayout compares the tables with the types that they describe, down to the parts. None is left out.
func TestLayout(t *testing.T) {
	tables := layouttest.Tables{Fields: fieldTables, Enums: enumTables, Before: firstField}
	kinds(func(name string, version Version, fresh func() Message) {
		m := fresh()
		p, table := m.layout()
		v := reflect.ValueOf(m)
		typ := v.Elem().Type()
		if p != v.UnsafePointer() || name != typ.Name()+" "+version.String() {
			t.Errorf("%s: %T", name, m)
		}
		if _, lines := m.(straight); lines != (table.Fields == nil) || lines != (partTables[typ.Name()] == nil) {
			t.Errorf("%s: straight lines %t, a table %t", name, lines, table.Fields != nil)
		} else if !lines {
			tables.Check(t, typ, table)
		}
	})
	straightHolds := []reflect.Type{reflect.TypeFor[Tariff](), reflect.TypeFor[CostDetails](), reflect.TypeFor[TransactionLimit]()}
	for _, typ := range straightHolds {
		tables.Check(t, typ, partTables[typ.Name()])
	}
	if tables.Seen() != len(partTables) {
		t.Errorf("%d types seen, want %d", tables.Seen(), len(partTables))
	}
}
