package csms

import (
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station/term"
)

// usual is the answer of a CSMS that means well.
func (c *CSMS) usual(r Request) msg2.Message {
	now := c.o.Now().UTC()
	switch m := r.Message.(type) {
	case *msg2.BootNotificationRequest:
		return &msg2.BootNotificationResponse{CurrentTime: now, Interval: int(c.o.Heartbeat / time.Second), Status: msg2.RegistrationStatusAccepted}
	case *msg2.HeartbeatRequest:
		return &msg2.HeartbeatResponse{CurrentTime: now}
	case *msg2.AuthorizeRequest:
		return &msg2.AuthorizeResponse{IdTokenInfo: c.tokenInfo(&m.IdToken)}
	case *msg2.TransactionEventRequest:
		x := &msg2.TransactionEventResponse{}
		if m.IdToken.Has { // E01.FR.09 and its kin: the status is told wherever a token was
			x.IdTokenInfo = msg2.Some(c.tokenInfo(&m.IdToken.V))
		}
		return x
	case *msg2.DataTransferRequest:
		return &msg2.DataTransferResponse{Status: msg2.DataTransferStatusUnknownVendorId}
	case *msg2.SignCertificateRequest:
		return &msg2.SignCertificateResponse{Status: msg2.GenericStatusRejected} // there is no authority behind this CSMS
	case *msg2.GetCertificateStatusRequest:
		return &msg2.GetCertificateStatusResponse{Status: msg2.GetCertificateStatusFailed}
	case *msg2.Get15118EVCertificateRequest:
		return &msg2.Get15118EVCertificateResponse{Status: msg2.Iso15118EVCertificateStatusFailed}
	case *msg2.NotifyEVChargingNeedsRequest:
		return &msg2.NotifyEVChargingNeedsResponse{Status: msg2.NotifyEVChargingNeedsStatusRejected}
	case *msg2.NotifyEVChargingScheduleRequest:
		return &msg2.NotifyEVChargingScheduleResponse{Status: msg2.GenericStatusAccepted}
	}
	m, _ := msg2.NewResponse(r.Action, r.Version) // one with required members cannot be told and becomes a CALLERROR
	return m
}

// tokenInfo is what the CSMS thinks of a token.
func (c *CSMS) tokenInfo(t *msg2.IdToken) msg2.IdTokenInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	if info, ok := c.tokens[term.IdToken{Value: t.IdToken, Type: term.IdTokenType(t.Type)}.Key()]; ok {
		return info
	}
	switch term.IdTokenType(t.Type) {
	case term.TokenCentral, term.TokenNoAuthorization: // the CSMS issued it itself, or nobody needs one
		return msg2.IdTokenInfo{Status: msg2.AuthorizationStatusAccepted}
	}
	return msg2.IdTokenInfo{Status: msg2.AuthorizationStatusUnknown}
}
