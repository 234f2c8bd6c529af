package rpc

// Version is an OCPP version as a WebSocket speaks it.
type Version uint8

// The versions of OCPP-J, in order of age.
const (
	V16 Version = iota + 1
	V201
	V21
)

// String returns the version as OCPP writes it: 1.6, 2.0.1, 2.1.
func (v Version) String() string {
	switch v {
	case V16:
		return "1.6"
	case V201:
		return "2.0.1"
	case V21:
		return "2.1"
	}
	return "unknown"
}

// Subprotocol returns the WebSocket subprotocol name (part 4, 3.1.2).
func (v Version) Subprotocol() string { return "ocpp" + v.String() }

// edition is the column of v in tables that tell versions apart: 2.1 is 1, all older ones are 0.
func (v Version) edition() uint8 {
	if v >= V21 {
		return 1
	}
	return 0
}
