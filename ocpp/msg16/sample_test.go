package msg16

import (
	"reflect"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
)

// sample fills a message with valid values: what is required, or with full everything.
func sample(m Message, full bool) Message {
	sampleObject(reflect.ValueOf(m).Elem(), full)
	return m
}

const firstField = 1 // field 0 is what makes a type incomparable

func sampleObject(o reflect.Value, full bool) {
	table := fieldTables[o.Type().Name()]
	for i := range table.Names {
		if full || table.Required[0]&(1<<i) != 0 {
			sampleValue(o.Field(firstField+i), full)
		}
	}
}

func sampleValue(v reflect.Value, full bool) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2024, 2, 29, 12, 0, 0, 5_000_000, time.UTC)))
		return
	case rpc.Decimal:
		v.Set(reflect.ValueOf(rpc.Scaled(161, -1)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("é\n")
		if table := enumTables[v.Type().Name()]; table != nil {
			v.SetString(table.Names[len(table.Names)-1])
		}
	case reflect.Int:
		v.SetInt(-7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		sampleValue(v.Index(0), full)
		sampleValue(v.Index(1), full)
	case reflect.Struct:
		if has := v.FieldByName("Has"); has.IsValid() {
			has.SetBool(true)
			sampleValue(v.FieldByName("V"), full)
			return
		}
		sampleObject(v, full)
	default:
		panic("no sample for " + v.Type().String())
	}
}

// kinds calls f for every message.
func kinds(f func(name string, fresh func() Message)) {
	for _, a := range Actions() {
		f(a.Name+"Request", func() Message { m, _ := NewRequest(a.Name); return m })
		f(a.Name+"Response", func() Message { m, _ := NewResponse(a.Name); return m })
	}
}

func encoded(t testing.TB, m Message) string {
	t.Helper()
	out, err := AppendJSON(nil, m)
	if err != nil {
		t.Fatalf("%T: %v", m, err)
	}
	return string(out)
}

func decodeText(m Message, text string) error {
	var b rpc.Body
	b.Reset(text, rpc.Limits{})
	return Decode(&b, m)
}
