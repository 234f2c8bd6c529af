package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

// notifyCustomerInformation tells one part of what is stored about a customer (N09).
func notifyCustomerInformation(b *station.NotifyCustomerInformation) msg2.Message {
	return &msg2.NotifyCustomerInformationRequest{
		Data:        b.Data,
		Tbc:         more(b.More),
		SeqNo:       b.SeqNo,
		GeneratedAt: b.GeneratedAt,
		RequestID:   b.RequestID,
	}
}

// customerInformation reads N09 and N10.
func customerInformation(m *msg2.CustomerInformationRequest) (station.Request, error) {
	r := station.CustomerInformation{
		RequestID:  m.RequestID,
		Report:     m.Report,
		Clear:      m.Clear,
		Identifier: strings.Clone(m.CustomerIdentifier.V),
		HasCert:    m.CustomerCertificate.Has,
	}
	if m.IdToken.Has {
		if m.IdToken.V.Type == "" {
			return nil, untyped("idToken")
		}
		r.Token = tokenOf(&m.IdToken.V)
	}
	return r, nil
}
