package csms

import (
	"bytes"
	"fmt"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// difference compares a transaction event with what came before under its number; "" means that they say the same. White
// space and the order of members say nothing. Told in two versions, they are compared as the older one tells them.
func difference(old *Event, payload string, v msg2.Version) string {
	in := min(old.version, v)
	was, err := canonical(old.payload, old.version, in)
	if err != nil {
		return err.Error()
	}
	is, err := canonical(payload, v, in)
	if err != nil {
		return err.Error()
	}
	if bytes.Equal(was, is) {
		return ""
	}
	at := 0
	for at < len(was) && at < len(is) && was[at] == is[at] {
		at++
	}
	return fmt.Sprintf("was %q, is %q", around(was, at), around(is, at))
}

// around is the neighbourhood of a byte.
func around(s []byte, at int) []byte {
	return s[max(at-shown/2, 0):min(at+shown/2, len(s))]
}

// shown is how much of a message is shown in an error, in bytes.
const shown = 80

// canonical writes a payload anew in version in.
func canonical(payload string, v, in msg2.Version) ([]byte, error) {
	var b rpc.Body
	var x msg2.TransactionEventRequest
	b.Reset(payload, rpc.Limits{})
	if err := msg2.Decode(&b, &x, v); err != nil {
		return nil, err
	}
	return msg2.AppendJSON(nil, &x, in)
}
