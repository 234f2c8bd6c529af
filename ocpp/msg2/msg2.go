// Package msg2 is the vocabulary of OCPP 2.x: one type for each message and part of 2.1, which holds all of
// 2.0.1, with encoders and decoders that check in the same pass what the schemas of the spoken version ask:
// presence, length, range, enumeration, arity, unknown members.
//
// The zz_*.go files are written by scripts/gen2 from the schemas. A member that a version may do without is an
// Opt; an enumeration or raw value says absent by "", a list by having no element. Members that came with 2.1 are
// left out toward 2.0.1; a value that 2.0.1 cannot say is an *rpc.EncodeError. What 2.0.1 bounds only in its
// text is bounded when we send and let through when we receive.
//
// What a station says or hears all day is read and written by straight lines, which are fast; the others go along tables,
// which are small. No type can be compared with ==, so that the compiler writes no code for it.
//
// Decoded strings are windows of the frame they came in: strings.Clone what outlives the request.
package msg2

import (
	"sort"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/rpc/layout"
)

// Version is the OCPP version to speak: V201 or V21.
type Version = rpc.Version

// The versions of this package.
const (
	V201 = rpc.V201
	V21  = rpc.V21
)

// Opt is a value that may be absent.
type Opt[T any] = rpc.Opt[T]

// Some returns v as a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, Has: true} }

// Message is a request, a response or the one SEND: a pointer to one of the types of this package.
type Message interface {
	layout() (unsafe.Pointer, *layout.Part)
}

// straight is a message that is read and written by straight lines; its table has nothing but the name.
type straight interface {
	appendJSON(dst []byte, v Version) ([]byte, error)
	decode(b *rpc.Body)
	reset()
}

// Action returns the name in the frame, without Request or Response.
func Action(m Message) string {
	_, t := m.layout()
	return t.Action
}

// AppendJSON appends the payload as v says it. On error, an *rpc.EncodeError, dst comes back as it was.
func AppendJSON(dst []byte, m Message, v Version) ([]byte, error) {
	if s, ok := m.(straight); ok {
		return s.appendJSON(dst, v)
	}
	p, t := m.layout()
	return layout.AppendJSON(dst, v, p, t)
}

// Decode clears m and reads it as v says it, reusing its capacity. The error is an *rpc.DecodeError; the message is of
// no use then.
func Decode(b *rpc.Body, m Message, v Version) error {
	if s, ok := m.(straight); ok {
		b.Begin(v)
		s.reset()
		s.decode(b)
		return b.End()
	}
	p, t := m.layout()
	return layout.Decode(b, v, p, t)
}

// Clear empties m and keeps its capacity.
func Clear(m Message) {
	if s, ok := m.(straight); ok {
		s.reset()
		return
	}
	layout.Reset(m.layout())
}

// Direction tells who calls an action. It is a set.
type Direction uint8

// The directions; DataTransfer goes both ways.
const (
	FromStation Direction = 1 << iota
	FromCSMS
	Both = FromStation | FromCSMS
)

// ActionInfo is what is known of an action without a message.
type ActionInfo struct {
	Name     string
	From     Direction
	Since    Version
	Response bool // false: a SEND, which is not answered
}

// Actions returns all actions, sorted by name. The caller must not change the slice.
func Actions() []ActionInfo { return actions[:] }

// Lookup returns what is known of an action.
func Lookup(action string) (ActionInfo, bool) {
	i := find(action)
	if i < 0 {
		return ActionInfo{}, false
	}
	return actions[i], true
}

// NewRequest returns an empty request, or false where v does not know the action.
func NewRequest(action string, v Version) (Message, bool) { return fresh(action, v, newRequest) }

// NewResponse returns an empty response, or false where v does not know the action or it has no response.
func NewResponse(action string, v Version) (Message, bool) { return fresh(action, v, newResponse) }

func fresh(action string, v Version, make func(int) Message) (Message, bool) {
	i := find(action)
	if i < 0 || actions[i].Since > v {
		return nil, false
	}
	m := make(i)
	return m, m != nil
}

func find(action string) int {
	i := sort.Search(len(actions), func(i int) bool { return actions[i].Name >= action })
	if i < len(actions) && actions[i].Name == action {
		return i
	}
	return -1
}

// grow lengthens s by one element and returns it. The element may hold what it held before.
func grow[T any](s *[]T) *T {
	if n := len(*s); n < cap(*s) {
		*s = (*s)[:n+1]
	} else {
		var zero T
		*s = append(*s, zero)
	}
	return &(*s)[len(*s)-1]
}
