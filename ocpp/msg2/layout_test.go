package msg2

import (
	"reflect"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc/layouttest"
)

// TestLayout compares the tables with the types that they describe, down to the parts. None is left out.
func TestLayout(t *testing.T) {
	tables := layouttest.Tables{Fields: fieldTables, Enums: enumTables, Before: firstField}
	kinds(func(_ string, _ Version, fresh func() Message) {
		typ := reflect.TypeOf(fresh()).Elem()
		if table := partTables[typ.Name()]; table != nil {
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
