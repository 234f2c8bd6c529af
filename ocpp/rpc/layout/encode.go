package layout

import (
	"math"
	"time"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
)

// AppendJSON appends the struct at p as v says it. On error, an *rpc.EncodeError, dst comes back as it was.
func AppendJSON(dst []byte, v rpc.Version, p unsafe.Pointer, t *Part) ([]byte, error) {
	var w rpc.Writer
	w.Begin(dst, v)
	Append(&w, p, t)
	return w.End()
}

// Append writes the members of the struct at p, without brackets.
func Append(w *rpc.Writer, p unsafe.Pointer, t *Part) {
	for i := range t.Members {
		m := &t.Members[i]
		if m.Rule&Since21 != 0 && !w.V21() {
			continue
		}
		if m.absent(p) {
			if m.Rule&Missed != 0 && !w.V21() {
				w.Name(t.Fields.Names[i])
				w.Missing("")
			}
			continue
		}
		at := unsafe.Add(p, m.At)
		switch {
		case m.Kind == Custom:
			w.CustomData(*(*rpc.Raw)(at)) // with its name
		case m.Rule&List != 0:
			w.Name(t.Fields.Names[i])
			m.writeList(w, at)
		default:
			w.Name(t.Fields.Names[i])
			m.write(w, at)
		}
	}
}

func (m *Member) writeList(w *rpc.Writer, list unsafe.Pointer) {
	n := length(list)
	w.List("", n, int(m.Least), int(m.Most))
	for i := range n {
		m.write(w, element(list, i, m.size()))
	}
	w.CloseList()
}

// write writes one value, without its name.
func (m *Member) write(w *rpc.Writer, at unsafe.Pointer) {
	switch m.Kind {
	case Text:
		w.Str(`"`, *(*string)(at), w.Pick(int(m.Low), int(m.High)))
	case Whole:
		w.Int("", *(*int)(at), int(m.Low), int(m.High))
	case Number:
		low, high := m.bounds()
		w.Dec("", (*rpc.Decimal)(at), low, high)
	case NumberEd:
		w.DecInt("", (*rpc.Decimal)(at))
	case Tenths:
		w.Tenths("", (*rpc.Decimal)(at))
	case Truth:
		w.Bool("", *(*bool)(at))
	case Instant:
		w.Time(`"`, (*time.Time)(at))
	case Name:
		w.Enum(`"`, *(*string)(at), m.Enum)
	case NameOrText:
		w.EnumOrStr(`"`, *(*string)(at), m.Enum, int(m.High))
	case Raw:
		w.Raw("", *(*rpc.Raw)(at))
	case Nested:
		w.Open()
		Append(w, at, m.Part)
		w.Close()
	}
}

// bounds are those of a decimal. At the ends of 32 bits it has none.
func (m *Member) bounds() (low, high int64) {
	low, high = int64(m.Low), int64(m.High)
	if low == math.MinInt32 {
		low = math.MinInt64
	}
	if high == math.MaxInt32 {
		high = math.MaxInt64
	}
	return low, high
}
