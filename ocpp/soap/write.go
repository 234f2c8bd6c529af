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
	dst = append(dst, "<soap:Fault><soap:Code><soap:Value>soap:"...)
	dst = append(append(dst, f.Code...), "</soap:Value>"...)
	if f.Subcode != "" {
		dst = append(dst, "<soap:Subcode><soap:Value>ocpp:"...)
		dst = append(append(dst, f.Subcode...), "</soap:Value></soap:Subcode>"...)
	}
	dst = append(dst, `</soap:Code><soap:Reason><soap:Text xml:lang="en">`...)
	dst = append(appendEscaped(dst, f.Reason), "</soap:Text></soap:Reason></soap:Fault>"...)
	return shut(dst)
}

func open(dst []byte, svc *service, h Header) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+ // 3.1: some systems need it
		`<soap:Envelope xmlns:soap="`+nsSOAP12+`" xmlns:wsa="`+nsWSA+`" xmlns:ocpp="`...)
	dst = append(append(dst, svc.namespace()...), `"><soap:Header>`...)
	dst = appendHeader(dst, `ocpp:chargeBoxIdentity`, true, "", h.Identity)
	dst = appendHeader(dst, "wsa:Action", true, "", h.Action)
	dst = appendHeader(dst, "wsa:MessageID", false, "", h.MessageID)
	dst = appendHeader(dst, "wsa:From", false, "wsa:Address", h.From)
	dst = appendHeader(dst, "wsa:ReplyTo", true, "wsa:Address", h.ReplyTo)
	dst = appendHeader(dst, "wsa:To", true, "", h.To)
	dst = appendHeader(dst, "wsa:RelatesTo", false, "", h.RelatesTo)
	return append(dst, "</soap:Header><soap:Body>"...)
}

func shut(dst []byte) []byte { return append(dst, "</soap:Body></soap:Envelope>"...) }

// appendHeader appends a header block whose text, if any, stands in the element inner, if any.
func appendHeader(dst []byte, name string, must bool, inner, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(dst, '<'), name...)
	if must {
		dst = append(dst, ` soap:mustUnderstand="true"`...)
	}
	dst = append(dst, '>')
	if inner != "" {
		dst = append(append(append(dst, '<'), inner...), '>')
	}
	dst = appendEscaped(dst, value)
	if inner != "" {
		dst = appendEnd(dst, inner)
	}
	return appendEnd(dst, name)
}

func appendEnd(dst []byte, name string) []byte {
	return append(append(append(dst, "</"...), name...), '>')
}

// appendEscaped appends s as the text of an element or attribute. What XML cannot say becomes U+FFFD.
func appendEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\t':
			dst = append(dst, "&#9;"...)
		case r == '\n':
			dst = append(dst, "&#10;"...)
		case r == '\r':
			dst = append(dst, "&#13;"...)
		case r < ' ' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError:
			dst = append(dst, "\uFFFD"...)
		default:
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return dst
}
