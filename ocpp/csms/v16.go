package csms

import (
	"errors"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// read16 reads a request of OCPP 1.6; the error is a *CallError.
func read16(f *rpc.Frame) (msg16.Message, *CallError) {
	info, _ := msg16.Lookup(f.Action)
	m, known := msg16.NewRequest(f.Action)
	switch {
	case !known:
		return nil, &CallError{rpc.NotImplemented, "unknown action"}
	case info.From&msg16.FromStation == 0:
		return nil, &CallError{rpc.NotSupported, "a station does not send this"}
	}
	if err := decode16(m, f.Payload); err != nil {
		code := rpc.FormatViolation
		if de := (*rpc.DecodeError)(nil); errors.As(err, &de) {
			code = de.Code
		}
		return nil, &CallError{code.In(rpc.V16), err.Error()}
	}
	return m, nil
}

func decode16(m msg16.Message, payload string) error {
	var b rpc.Body
	b.Reset(payload, rpc.Limits{})
	return msg16.Decode(&b, m)
}

// usual16 is the answer of a CSMS of 1.6 that means well.
func (c *CSMS) usual16(r Request) msg16.Message {
	now := c.o.Now().UTC()
	switch m := r.Message16.(type) {
	case *msg16.BootNotificationRequest:
		return &msg16.BootNotificationResponse{CurrentTime: now, Interval: int(c.o.Heartbeat / time.Second), Status: msg16.RegistrationStatusAccepted}
	case *msg16.HeartbeatRequest:
		return &msg16.HeartbeatResponse{CurrentTime: now}
	case *msg16.AuthorizeRequest:
		return &msg16.AuthorizeResponse{IdTagInfo: c.tagInfo(m.IdTag)}
	case *msg16.StartTransactionRequest:
		return &msg16.StartTransactionResponse{IdTagInfo: c.tagInfo(m.IdTag), TransactionID: r.Transaction}
	case *msg16.StopTransactionRequest:
		x := &msg16.StopTransactionResponse{}
		if m.IdTag.Has {
			x.IdTagInfo = msg16.Some(c.tagInfo(m.IdTag.V))
		}
		return x
	case *msg16.DataTransferRequest:
		return &msg16.DataTransferResponse{Status: msg16.DataTransferStatusUnknownVendorId}
	case *msg16.SignCertificateRequest:
		return &msg16.SignCertificateResponse{Status: msg16.GenericStatusRejected} // there is no authority behind this CSMS
	}
	m, _ := msg16.NewResponse(r.Action)
	return m
}

// tagInfo is what the CSMS thinks of a tag: of the token with its value, whatever its type, because 1.6 tells none.
func (c *CSMS) tagInfo(tag string) msg16.IdTagInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, kind := range []term.IdTokenType{term.TokenISO14443, term.TokenISO15693, term.TokenCentral, term.TokenEMAID, term.TokenKeyCode, term.TokenLocal, term.TokenMacAddress} {
		info, ok := c.tokens[term.IdToken{Value: tag, Type: kind}.Key()]
		if !ok {
			continue
		}
		return info16(info)
	}
	return msg16.IdTagInfo{Status: msg16.AuthorizationStatusInvalid}
}

// info16 says in the words of 1.6 what the CSMS thinks of a token.
func info16(info msg2.IdTokenInfo) msg16.IdTagInfo {
	x := msg16.IdTagInfo{Status: msg16.AuthorizationStatusInvalid}
	switch s := msg16.AuthorizationStatus(info.Status); s {
	case msg16.AuthorizationStatusAccepted, msg16.AuthorizationStatusBlocked, msg16.AuthorizationStatusExpired, msg16.AuthorizationStatusConcurrentTx:
		x.Status = s
	}
	if group, ok := info.GroupIdToken.Get(); ok {
		x.ParentIdTag = msg16.Some(group.IdToken)
	}
	if at, ok := info.CacheExpiryDateTime.Get(); ok {
		x.ExpiryDate = msg16.Some(at)
	}
	return x
}

// book16 enters a request into the books where it belongs there.
func (c *CSMS) book16(r *Request) {
	switch m := r.Message16.(type) {
	case *msg16.StartTransactionRequest:
		r.Transaction, r.Repeat = c.ledger.start16(r.Station, m)
	case *msg16.MeterValuesRequest:
		r.Repeat = c.ledger.values16(r.Station, m)
	case *msg16.StopTransactionRequest:
		r.Repeat = c.ledger.stop16(r.Station, m)
	}
}

// triggered16 is the action that a TriggerMessage, or that of the security whitepaper, asks for.
func triggered16(action string, payload []byte) string {
	switch action {
	case "TriggerMessage":
		var x msg16.TriggerMessageRequest
		if decode16(&x, string(payload)) == nil {
			return string(x.RequestedMessage)
		}
	case "ExtendedTriggerMessage":
		var x msg16.ExtendedTriggerMessageRequest
		if decode16(&x, string(payload)) == nil {
			return strings.TrimSuffix(strings.TrimPrefix(string(x.RequestedMessage), "Sign"), "Certificate")
		}
	}
	return ""
}
