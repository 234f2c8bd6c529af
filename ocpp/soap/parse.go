package soap

import (
	"slices"
	"strings"
)

// Message is what an envelope says.
type Message struct {
	Header
	Version   Version // 0: it says none, which only a fault does
	Operation string  // Reset
	Response  bool
	Payload   []byte // one JSON object
	Fault     *Fault // what the peer sent in place of a response
}

// Parse reads an envelope that was sent to side, or is side's answer. The error is always a *Fault, with which the peer
// may be answered; the header is then what of it could be read.
//
// A response is paired with its request by HTTP. So RelatesTo is not compared, nor are To and ReplyTo, in which the peer
// writes what it knows of our network, and it is answered where it asked (OCPP-S 1.6, 3.2).
func Parse(raw []byte, side Side) (Message, error) {
	var m Message
	if len(raw) > MaxEnvelope {
		return m, protocolError("envelope too long")
	}
	r := newReader(raw)
	p := parser{reader: r, m: &m, side: side}
	p.envelope()
	if r.err != nil {
		m.Payload, m.Fault = nil, nil
		return m, r.err
	}
	return m, nil
}

type parser struct {
	*reader
	m    *Message
	side Side
	seen []*string // headers that were read
}

func (p *parser) envelope() {
	if !p.child() || p.local != "Envelope" {
		p.fail("not a SOAP envelope")
		return
	}
	if p.space != spaceSOAP12 { // OCPP-S 1.6, chapter 2
		p.fault(&Fault{VersionMismatch, "", "envelope of " + quote(p.uri) + "; want SOAP 1.2"})
		return
	}
	has := p.child()
	if has && p.is("Header") {
		p.headers()
		has = p.child()
	}
	if !has || !p.is("Body") {
		p.fail("envelope without a body")
		return
	}
	p.body()
	if p.child() {
		p.fail("element " + quote(p.local) + " after the body")
	}
	p.next() // to the end of the document
}

// is tells whether the element that was opened is one of SOAP's.
func (p *parser) is(local string) bool { return p.space == spaceSOAP12 && p.local == local }

func (p *parser) headers() {
	n := 0
	for p.child() {
		if n++; n > maxHeaders {
			p.fail("too many headers")
		}
		p.header()
	}
}

func (p *parser) header() {
	role, has := p.attribute(spaceSOAP12, "role")
	if has && role != nsSOAP12+"/role/next" && role != nsSOAP12+"/role/ultimateReceiver" {
		p.skip() // it is for somebody on the way
		return
	}
	switch {
	case p.space.service() != nil && strings.EqualFold(p.local, "chargeBoxIdentity"): // 3.3
		p.keep(&p.m.Identity, false)
	case p.space != spaceWSA:
		p.unknownHeader()
	case p.local == "Action":
		p.keep(&p.m.Action, false)
	case p.local == "MessageID":
		p.keep(&p.m.MessageID, false)
	case p.local == "RelatesTo":
		p.keep(&p.m.RelatesTo, false)
	case p.local == "To":
		p.keep(&p.m.To, false)
	case p.local == "From":
		p.keep(&p.m.From, true)
	case p.local == "ReplyTo":
		p.keep(&p.m.ReplyTo, true)
	default:
		p.unknownHeader()
	}
}

func (p *parser) unknownHeader() {
	if p.flag(spaceSOAP12, "mustUnderstand") {
		p.fault(&Fault{MustUnderstand, "", "header " + quote(p.local) + " of " + quote(p.uri)})
	}
	p.skip()
}

// keep reads the text of a header, or the address of the endpoint in it. Of two nobody could tell which one is meant.
func (p *parser) keep(to *string, endpoint bool) {
	name := p.local
	if slices.Contains(p.seen, to) {
		p.fail("header " + name + " given twice")
		return
	}
	p.seen = append(p.seen, to)
	if !endpoint {
		*to = p.headerText()
		return
	}
	for p.child() {
		if p.space == spaceWSA && p.local == "Address" && *to == "" {
			*to = p.headerText()
		} else {
			p.skip()
		}
	}
}

func (p *parser) headerText() string {
	s := strings.Trim(p.leaf(), whitespace)
	if len(s) > maxHeaderText {
		p.fail("header too long")
		return ""
	}
	return s
}

func (p *parser) body() {
	if !p.child() {
		p.fail("empty body")
		return
	}
	if p.is("Fault") {
		p.m.Fault = &Fault{}
		p.readFault(p.m.Fault)
	} else {
		p.message()
	}
	if p.child() {
		p.fail("more than one element in the body")
	}
}

func (p *parser) message() {
	svc := p.space.service()
	switch {
	case svc == nil:
		p.fail("name space " + quote(p.uri) + " of " + quote(p.local) + " is none of OCPP over SOAP")
		return
	case svc.side != p.side:
		p.fail("name space " + quote(p.uri) + " belongs to the other service")
		return
	}
	p.m.Version = svc.version
	name, request := strings.CutSuffix(p.local, requestSuffix)
	name, p.m.Response = strings.CutSuffix(name, responseSuffix)
	if request == p.m.Response || name == "" || name[0] < 'a' || name[0] > 'z' {
		p.fail("element " + quote(p.local) + " is no message")
		return
	}
	name = string(name[0]-'a'+'A') + name[1:]
	if a := strings.TrimPrefix(p.m.Action, "/"); request && a != "" && a != name { // 3.4
		p.fail("action " + quote(p.m.Action) + " with the element " + quote(p.local))
		return
	}
	op, ok := svc.operation(name)
	if !ok {
		p.fault(&Fault{Receiver, NotSupported, "no operation " + quote(name) + " in OCPP " + svc.version.String()})
		return
	}
	p.m.Operation = name
	shape := op.request
	if p.m.Response {
		shape = op.response
	}
	p.m.Payload = p.object(nil, svc, shape)
}

// readFault reads a SOAP fault. Any subcode is accepted (errata 3.3); of nested ones the innermost says most.
func (p *parser) readFault(f *Fault) {
	for p.child() {
		switch {
		case p.is("Code"):
			p.code(f, false)
		case p.is("Reason"):
			for p.child() {
				if s := strings.Trim(p.leaf(), whitespace); f.Reason == "" {
					f.Reason = s
				}
			}
		default:
			p.skip()
		}
	}
}

func (p *parser) code(f *Fault, sub bool) {
	for p.child() {
		switch {
		case p.is("Subcode"):
			p.code(f, true)
		case !p.is("Value"):
			p.skip()
		default:
			name := strings.Trim(p.leaf(), whitespace)
			name = name[strings.LastIndexByte(name, ':')+1:]
			if sub {
				f.Subcode = name
			} else {
				f.Code = Code(name)
			}
		}
	}
}
