package msg2

import (
	"reflect"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
)

// sampler fills messages with valid values: what v requires, or with full everything that v knows.
type sampler struct {
	v    Version
	full bool
}

func (s sampler) edition() int {
	if s.v == V21 {
		return 1
	}
	return 0
}

func (s sampler) message(m Message) Message {
	s.object(reflect.ValueOf(m).Elem())
	return m
}

const firstField = 1 // field 0 is what makes a type incomparable

func (s sampler) object(o reflect.Value) {
	table := fieldTables[o.Type().Name()]
	for i := range table.Names {
		known := table.Known[s.edition()]&(1<<i) != 0
		required := table.Required[s.edition()]&(1<<i) != 0
		if known && (required || s.full) {
			s.value(o.Field(firstField+i), table.Names[i])
		}
	}
}

func (s sampler) value(v reflect.Value, name string) {
	switch v.Interface().(type) {
	case rpc.Raw:
		if name == "customData" {
			v.SetString(`{"x":[1,{"y":null}],"vendorId":"org.example"}`)
		} else {
			v.SetString(`["any",1.50e3,true]`)
		}
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2024, 2, 29, 12, 0, 0, 5_000_000, time.UTC)))
		return
	case rpc.Decimal:
		return // 0 is within every range
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s.text(v.Type().Name()))
	case reflect.Int:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		s.value(v.Index(0), name)
	case reflect.Struct:
		if has := v.FieldByName("Has"); has.IsValid() {
			has.SetBool(true)
			s.value(v.FieldByName("V"), name)
			return
		}
		s.object(v)
	default:
		panic("no sample for " + v.Type().String())
	}
}

// text returns a name of an enumeration, the last one that the version knows, or any text.
func (s sampler) text(typeName string) string {
	table := enumTables[typeName]
	if table == nil {
		return "é\n"
	}
	text := "free text" // an enumeration that 2.1 has opened
	for i, name := range table.Names {
		if table.Known[s.edition()]&(1<<i) != 0 {
			text = name
		}
	}
	return text
}

// kinds calls f for every message of every version.
func kinds(f func(name string, v Version, fresh func() Message)) {
	for _, a := range Actions() {
		for _, v := range []Version{V201, V21} {
			for suffix, make := range map[string]func(string, Version) (Message, bool){"Request": NewRequest, "Response": NewResponse} {
				if _, ok := make(a.Name, v); ok {
					f(a.Name+suffix+" "+v.String(), v, func() Message { m, _ := make(a.Name, v); return m })
				}
			}
		}
	}
}

func decode(m Message, text []byte, v Version) error {
	var b rpc.Body
	b.Reset(string(text), rpc.Limits{})
	return Decode(&b, m, v)
}
