package msg16

import (
	"sort"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/rpc/layout"
)

// Opt is a value that may be absent.
type Opt[T any] = rpc.Opt[T]

// Some returns v as a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, Has: true} }

// Message is a request or a response: a pointer to one of the types of this package.
type Message interface {
	layout() (unsafe.Pointer, *layout.Part)
}

// Action returns the name in the frame, without Request or Response.
func Action(m Message) string {
	_, t := m.layout()
	return t.Action
}

// AppendJSON appends the payload. On error, an *rpc.EncodeError, dst comes back as it was.
func AppendJSON(dst []byte, m Message) ([]byte, error) {
	p, t := m.layout()
	return layout.AppendJSON(dst, rpc.V16, p, t)
}

// Decode clears m and reads it, reusing its capacity. The error is an *rpc.DecodeError; the message is of no use then.
func Decode(b *rpc.Body, m Message) error {
	p, t := m.layout()
	return layout.Decode(b, rpc.V16, p, t)
}

// Clear empties m and keeps its capacity.
func Clear(m Message) { layout.Reset(m.layout()) }

// Direction tells who calls an action. It is a set.
type Direction uint8

// The directions; DataTransfer goes both ways.
const (
	FromStation Direction = 1 << iota
	FromCSMS
	Both = FromStation | FromCSMS
)

// Profile is a feature profile by its name in SupportedFeatureProfiles (1.6, chapter 3 and 9.1.25), or Security.
type Profile string

// The feature profiles. Security is the whitepaper, which has no name in that key.
const (
	Core                    Profile = "Core"
	FirmwareManagement      Profile = "FirmwareManagement"
	LocalAuthListManagement Profile = "LocalAuthListManagement"
	Reservation             Profile = "Reservation"
	SmartCharging           Profile = "SmartCharging"
	RemoteTrigger           Profile = "RemoteTrigger"
	Security                Profile = "Security"
)

// ActionInfo is what is known of an action without a message. Each has a response.
type ActionInfo struct {
	Name    string
	From    Direction
	Profile Profile
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

// NewRequest returns an empty request, or false where 1.6 does not know the action.
func NewRequest(action string) (Message, bool) { return fresh(action, newRequest) }

// NewResponse returns an empty response, or false where 1.6 does not know the action.
func NewResponse(action string) (Message, bool) { return fresh(action, newResponse) }

func fresh(action string, make func(int) Message) (Message, bool) {
	i := find(action)
	if i < 0 {
		return nil, false
	}
	return make(i), true
}

func find(action string) int {
	i := sort.Search(len(actions), func(i int) bool { return actions[i].Name >= action })
	if i < len(actions) && actions[i].Name == action {
		return i
	}
	return -1
}
