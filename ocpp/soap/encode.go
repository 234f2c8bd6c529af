package soap

import (
	"math"
	"strconv"

	"github.com/evsed/evsed/ocpp/rpc"
)

const maxFields = 16 // of one shape; a test counts them

// writer turns JSON into elements. The first fault sticks.
type writer struct {
	dst   []byte
	names [maxFields]string
	err   error
}

// values holds the JSON text of the members of one object, "" for those that are absent.
type values [maxFields]string

// element appends <name>value</name>.
func (w *writer) element(name string, f field, json string) {
	if w.err != nil {
		return
	}
	w.dst = add(w.dst, "<ocpp:", name)
	if f.kind != object {
		w.dst = add(w.dst, ">")
		w.scalar(f.kind, json)
	} else {
		w.object(shapes[f.of], json)
	}
	w.dst = add(w.dst, "</ocpp:", name, ">")
}

// object appends attributes, the end of the tag and what stands in the element.
func (w *writer) object(fields []field, json string) {
	var v values
	w.members(fields, json, &v)
	for i, f := range fields {
		if f.set&attribute != 0 && v[i] != "" {
			w.dst = add(w.dst, " ", f.name, `="`)
			w.scalar(f.kind, v[i])
			w.dst = add(w.dst, `"`)
		}
	}
	w.dst = add(w.dst, ">")
	for i, f := range fields {
		switch {
		case v[i] == "" || f.set&attribute != 0:
		case f.set&content != 0:
			w.scalar(f.kind, v[i])
		case f.set&many != 0:
			w.list(f, v[i])
		default:
			w.element(f.name, f, v[i])
		}
	}
}

// members reads an object. Members may come in any order; elements may not.
func (w *writer) members(fields []field, json string, v *values) {
	if w.err != nil {
		return
	}
	var known, must uint64
	for i, f := range fields {
		w.names[i] = f.name
		known |= 1 << i
		if f.set&required != 0 {
			must |= 1 << i
		}
	}
	f := rpc.Fields{Names: w.names[:len(fields)], Known: [2]uint64{known, known}, Required: [2]uint64{must, must}}
	b := begin(json)
	o := b.Object(&f)
	for i := b.Next(&o); i >= 0; i = b.Next(&o) {
		v[i] = string(b.Raw())
	}
	w.err = b.End()
}

func begin(json string) *rpc.Body {
	b := &rpc.Body{}
	b.Reset(json, rpc.Limits{List: MaxEnvelope}) // longer lists do not fit the envelope
	b.Begin(rpc.V16)
	return b
}

func (w *writer) list(f field, json string) {
	b := begin(json)
	min := 0
	if f.set&required != 0 {
		min = 1
	}
	for l := b.List(min, 0); l.More(b); {
		w.element(f.name, f, string(b.Raw()))
	}
	if err := b.End(); w.err == nil {
		w.err = err
	}
}

func (w *writer) scalar(k kind, json string) {
	b := begin(json)
	switch k {
	case integer:
		w.dst = rpc.Int(int64(b.Int())).Append(w.dst)
	case decimal:
		w.dst = b.Dec().Append(w.dst)
	case boolean:
		w.dst = strconv.AppendBool(w.dst, b.Bool())
	default:
		w.dst = appendEscaped(w.dst, b.Str(math.MaxInt))
	}
	if err := b.End(); w.err == nil {
		w.err = err
	}
}
