package soap

import (
	"strings"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp/rpc"
)

// Header is what of WS-Addressing and OCPP stands in front of a body (OCPP-S 1.6, chapter 3). Empty fields are left out.
type Header struct {
	Identity  string // chargeBoxIdentity
	Action    string // with its slash
	MessageID string
	RelatesTo string
	From      string // the address of the sender
	ReplyTo   string
	To        string
}

// AppendRequest appends the envelope of a request with a JSON payload. Action and ReplyTo of h are set here.
func AppendRequest(dst []byte, v Version, side Side, operation string, h Header, payload string) ([]byte, error) {
	h.Action, h.ReplyTo = "/"+operation, Anonymous
	return appendMessage(dst, v, side, operation, requestSuffix, h, payload)
}

// AppendResponse appends the envelope of a response with a JSON payload. Action of h is set here.
func AppendResponse(dst []byte, v Version, side Side, operation string, h Header, payload string) ([]byte, error) {
	h.Action = "/" + operation + responseSuffix
	return appendMessage(dst, v, side, operation, responseSuffix, h, payload)
}

func appendMessage(dst []byte, v Version, side Side, operation, suffix string, h Header, payload string) ([]byte, error) {
	svc := serviceOf(v, side)
	if svc == nil {
		return dst, &rpc.EncodeError{Reason: "no such version of OCPP over SOAP"}
	}
	op, ok := svc.operation(operation)
	if !ok {
		return dst, &rpc.EncodeError{Reason: "no operation " + operation + " in OCPP " + v.String()}
	}
	shape := op.request
	if suffix == responseSuffix {
		shape = op.response
	}
	start := len(dst)
	dst = open(dst, svc, h)
	w := writer{dst: dst}
	w.element(strings.ToLower(operation[:1])+operation[1:]+suffix, field{kind: object, of: shape}, payload)
	if w.err != nil {
		return dst[:start], w.err
	}
	return shut(w.dst), nil
}

// AppendFault appends the envelope of a fault.
func AppendFault(dst []byte, v Version, side Side, h Header, f Fault) []byte {
	svc := serviceOf(v, side)
	if svc == nil { // the version could not be read
		svc = serviceOf(V16, side)
	}
	h.Action = actionFault
	dst = open(dst, svc, h)
	dst = add(dst, "<soap:Fault><soap:Code><soap:Value>soap:", string(f.Code), "</soap:Value>")
	if f.Subcode != "" {
		dst = add(dst, "<soap:Subcode><soap:Value>ocpp:", f.Subcode, "</soap:Value></soap:Subcode>")
	}
	dst = appendEscaped(add(dst, `</soap:Code><soap:Reason><soap:Text xml:lang="en">`), f.Reason)
	return shut(add(dst, "</soap:Text></soap:Reason></soap:Fault>"))
}

func open(dst []byte, svc *service, h Header) []byte {
	dst = add(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+ // 3.1: some systems need it
		`<soap:Envelope xmlns:soap="`+nsSOAP12+`" xmlns:wsa="`+nsWSA+`" xmlns:ocpp="`, svc.namespace(), `"><soap:Header>`)
	dst = appendHeader(dst, `ocpp:chargeBoxIdentity`, true, "", h.Identity)
	dst = appendHeader(dst, "wsa:Action", true, "", h.Action)
	dst = appendHeader(dst, "wsa:MessageID", false, "", h.MessageID)
	dst = appendHeader(dst, "wsa:From", false, "wsa:Address", h.From)
	dst = appendHeader(dst, "wsa:ReplyTo", true, "wsa:Address", h.ReplyTo)
	dst = appendHeader(dst, "wsa:To", true, "", h.To)
	dst = appendHeader(dst, "wsa:RelatesTo", false, "", h.RelatesTo)
	return add(dst, "</soap:Header><soap:Body>")
}

func shut(dst []byte) []byte { return add(dst, "</soap:Body></soap:Envelope>") }

// add appends texts. It is kept out of line: the binary has better uses for its room.
//
//go:noinline
func add(dst []byte, texts ...string) []byte {
	for _, t := range texts {
		dst = append(dst, t...)
	}
	return dst
}

// appendHeader appends a header block whose text, if any, stands in the element inner, if any.
func appendHeader(dst []byte, name string, must bool, inner, value string) []byte {
	if value == "" {
		return dst
	}
	flag := ""
	if must {
		flag = ` soap:mustUnderstand="true"`
	}
	dst = add(dst, "<", name, flag, ">")
	if inner != "" {
		dst = add(dst, "<", inner, ">")
	}
	dst = appendEscaped(dst, value)
	if inner != "" {
		dst = add(dst, "</", inner, ">")
	}
	return add(dst, "</", name, ">")
}

// appendEscaped appends s as the text of an element or attribute. What XML cannot say becomes U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		text := s[i : i+n]
		switch {
		case r == '&':
			text = "&amp;"
		case r == '<':
			text = "&lt;"
		case r == '>':
			text = "&gt;"
		case r == '"':
			text = "&quot;"
		case r == '\t':
			text = "&#9;"
		case r == '\n':
			text = "&#10;"
		case r == '\r':
			text = "&#13;"
		case r < ' ' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError:
			text = "\uFFFD"
		}
		dst = append(dst, text...)
		i += n
	}
	return dst
}
