package layout

import (
	"math"
	"time"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
)

// Decode empties the struct at p and reads it as v says it, reusing its capacity. The error is an *rpc.DecodeError; what
// was read is of no use then.
func Decode(b *rpc.Body, v rpc.Version, p unsafe.Pointer, t *Part) error {
	return DecodeStream(b, v, p, t, nil)
}

// Stream hands on the elements of one list of a message instead of keeping them.
type Stream struct {
	List *Part          // of the elements; only one list of the message has them
	Item unsafe.Pointer // where an element is put
	Each func() error   // an error ends the decoding and is returned
}

// DecodeStream is Decode with a list that is not kept.
func DecodeStream(b *rpc.Body, v rpc.Version, p unsafe.Pointer, t *Part, s *Stream) error {
	b.Begin(v)
	Reset(p, t)
	read(b, p, t, s)
	return b.End()
}

// Read reads the struct at p, which is empty.
func Read(b *rpc.Body, p unsafe.Pointer, t *Part) { read(b, p, t, nil) }

func read(b *rpc.Body, p unsafe.Pointer, t *Part, s *Stream) {
	o := b.Object(t.Fields)
	for i := b.Next(&o); i >= 0; i = b.Next(&o) {
		m := &t.Members[i]
		at := unsafe.Add(p, m.At)
		if m.Has != 0 {
			*(*bool)(unsafe.Add(p, m.Has)) = true
		}
		switch {
		case m.Rule&List == 0:
			m.read(b, at)
		case s != nil && s.List == m.Part:
			s.read(b, m)
		default:
			m.readList(b, at)
		}
	}
}

func (m *Member) readList(b *rpc.Body, list unsafe.Pointer) {
	for l := b.List(int(m.Least), int(m.Most)); l.More(b); {
		e := m.lengthen(list)
		if m.Kind == Nested {
			Reset(e, m.Part)
		}
		m.read(b, e)
	}
}

func (s *Stream) read(b *rpc.Body, m *Member) {
	for l := b.Stream(int(m.Least), int(m.Most)); l.More(b); {
		Reset(s.Item, s.List)
		Read(b, s.Item, s.List)
		if b.Failed() {
			return
		}
		if err := s.Each(); err != nil {
			b.Stop(err)
			return
		}
	}
}

func (m *Member) read(b *rpc.Body, at unsafe.Pointer) {
	switch m.Kind {
	case Text:
		*(*string)(at) = b.StrEd(int(m.Low), int(m.High))
	case Whole:
		*(*int)(at) = m.whole(b)
	case Number:
		*(*rpc.Decimal)(at) = m.number(b)
	case NumberEd:
		*(*rpc.Decimal)(at) = b.DecInt()
	case Tenths:
		*(*rpc.Decimal)(at) = b.Tenths()
	case Truth:
		*(*bool)(at) = b.Bool()
	case Instant:
		*(*time.Time)(at) = b.Time()
	case Name:
		*(*string)(at) = b.Enum(m.Enum)
	case NameOrText:
		*(*string)(at) = b.EnumOrStr(m.Enum, int(m.High))
	case Raw:
		*(*rpc.Raw)(at) = b.Raw()
	case Custom:
		*(*rpc.Raw)(at) = b.CustomData()
	case Nested:
		Read(b, at, m.Part)
	}
}

func (m *Member) whole(b *rpc.Body) int {
	if m.Rule&Bounds21 != 0 {
		return b.IntRange21(int(m.Low), int(m.High))
	}
	return b.IntRange(int(m.Low), int(m.High))
}

func (m *Member) number(b *rpc.Body) rpc.Decimal {
	if m.Low == math.MinInt32 && m.High == math.MaxInt32 {
		return b.Dec()
	}
	return b.DecRange(m.bounds())
}

// reset empties one member and keeps the capacity of lists.
func (m *Member) reset(at unsafe.Pointer) {
	if m.Rule&List != 0 {
		to := (*[]struct{})(at)
		*to = (*to)[:0]
		return
	}
	switch m.Kind {
	case Text, Name, NameOrText, Raw, Custom:
		*(*string)(at) = ""
	case Whole:
		*(*int)(at) = 0
	case Number, NumberEd, Tenths:
		*(*rpc.Decimal)(at) = rpc.Decimal{}
	case Truth:
		*(*bool)(at) = false
	case Instant:
		*(*time.Time)(at) = time.Time{}
	case Nested:
		Reset(at, m.Part)
	}
}
