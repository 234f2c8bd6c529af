package dialect15

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// Stream reads a SendLocalList that is longer than a frame may be.
func (d *Dialect) Stream(action string, big ocpp.Stage) (string, ocpp.Stream) {
	if !soap.Has(d.v, soap.ChargePoint, action) {
		return "", nil
	}
	list, s := d.d.Stream(action, big)
	if s == nil || d.v == soap.V16 {
		return list, s
	}
	return oldList, &stream{Stream: s, d: d}
}

// stream is a list of 1.5, whose elements are those of 1.6.
type stream struct {
	ocpp.Stream
	d *Dialect
}

// Request makes the request of what is not in pieces.
func (s *stream) Request(payload string) (station.Request, error) {
	newer, err := s.d.newer("SendLocalList", payload)
	if err != nil {
		s.Abort()
		return nil, refusal(err)
	}
	return s.Stream.Request(newer)
}
