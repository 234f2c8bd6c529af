package ocpp_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect15"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

// Over SOAP the stories are told as those of 1.6 are, by messages in XML: one a line, behind a comment with time and way. Every
// line is checked against its WSDL by the tests of ocpp/soap.

func script15(v soap.Version) *script {
	return &script{
		Dialect: dialect15.New(v, dialect16.New(stationtest.DefaultEVSEs())), suffix: ".v" + strings.ReplaceAll(v.String(), ".", "") + ".xml",
		table: ocpp.NewTable(), old: &generation1{numbers: map[term.TransactionID]int{}}, over: v,
	}
}

// has tells whether the CSMS of a script can send an action.
func (s *script) has(action string) bool {
	return s.over == 0 || soap.Has(s.over, soap.ChargePoint, action)
}

// before returns a request as far as the version of a script can ask for it.
func (s *script) before(r station.Request) station.Request {
	if start, ok := r.(station.RequestStart); ok && s.over != 0 && s.over < soap.V16 {
		start.HasProfile = false
		return start
	}
	return r
}

// addXML adds a message: what stands in the body of its envelope.
func (s *script) addXML(at time.Duration, way, kind, action string, payload []byte) {
	var raw []byte
	var err error
	side := soap.ChargePoint
	switch {
	case kind == "RESULT":
		raw, err = soap.AppendResponse(nil, s.over, side, action, soap.Header{}, string(payload))
	case way == ">":
		side = soap.CentralSystem
		fallthrough
	default:
		raw, err = soap.AppendRequest(nil, s.over, side, action, soap.Header{}, string(payload))
	}
	if err != nil {
		panic(fmt.Sprintf("%v %s %s: %v", s.over, action, payload, err))
	}
	s.line(at, way, kind, action, raw)
}

func (s *script) addFault(at time.Duration, action string, code rpc.ErrorCode, text string) {
	s.line(at, ">", "FAULT", action, soap.AppendFault(nil, s.over, soap.ChargePoint, soap.Header{}, soap.FaultOf(code, text)))
}

// line adds the body of an envelope, with the name spaces of its envelope.
func (s *script) line(at time.Duration, way, kind, action string, raw []byte) {
	head, rest, _ := strings.Cut(string(raw), "<soap:Body>")
	body, _, _ := strings.Cut(rest, "</soap:Body>")
	_, space, _ := strings.Cut(head, "xmlns:ocpp=")
	space, _, _ = strings.Cut(space, ">")
	end := strings.IndexByte(body, '>')
	names := " xmlns:ocpp=" + space
	if kind == "FAULT" {
		names += ` xmlns:soap="http://www.w3.org/2003/05/soap-envelope"`
	}
	s.lines = append(s.lines, fmt.Sprintf("<!-- %9.3f %s %s %s -->%s%s%s", at.Seconds(), way, kind, action, body[:end], names, body[end:]))
}
