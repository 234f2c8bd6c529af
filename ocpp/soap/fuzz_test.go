package soap

import (
	"bytes"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

type rpcCode = rpc.ErrorCode

// FuzzParse reads any bytes as an envelope. What is accepted is JSON that can be written again and says the same then.
func FuzzParse(f *testing.F) {
	for i, s := range samples(f) {
		if i%5 == 0 {
			f.Add(envelope(f, s))
		}
	}
	f.Add(AppendFault(nil, V15, ChargePoint, Header{}, Fault{Sender, ProtocolError, "x"}))
	f.Add([]byte(within(`<a:From><a:Address>x</a:Address></a:From>`, `<c:resetRequest><!-- --><c:type><![CDATA[a]]>&amp;</c:type></c:resetRequest>`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, side := range []Side{CentralSystem, ChargePoint} {
			m, err := Parse(raw, side)
			if err != nil || m.Fault != nil {
				continue
			}
			again := envelope(t, sample{m.Version, side, m.Operation, m.Response, string(m.Payload)})
			if len(again) > MaxEnvelope {
				continue
			}
			n, err := Parse(again, side)
			if err != nil || !bytes.Equal(n.Payload, m.Payload) {
				t.Fatalf("%s\nthen %s, %v", m.Payload, n.Payload, err)
			}
		}
	})
}

// FuzzEncode writes any text as a payload. What is accepted can be read, and what is read then says the same when it is
// written again.
func FuzzEncode(f *testing.F) {
	all := samples(f)
	for i, s := range all {
		f.Add(uint16(i), s.payload)
	}
	f.Fuzz(func(t *testing.T, n uint16, payload string) {
		s := all[int(n)%len(all)]
		raw, err := AppendRequest(nil, s.version, s.side, s.operation, Header{}, payload)
		if s.response {
			raw, err = AppendResponse(nil, s.version, s.side, s.operation, Header{}, payload)
		}
		if err != nil || len(raw) > MaxEnvelope {
			return
		}
		m, err := Parse(raw, s.side)
		if err != nil {
			t.Fatalf("%s: own envelope: %v\n%s", s.name(), err, raw)
		}
		s.payload = string(m.Payload)
		if n, err := Parse(envelope(t, s), s.side); err != nil || string(n.Payload) != s.payload {
			t.Fatalf("%s\nthen %s, %v", s.payload, n.Payload, err)
		}
	})
}
