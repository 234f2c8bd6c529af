package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

// dataTransfer reads P01. Its data is open to the vendor alone and this station speaks no vendor's, so that the core
// needs no more than who is asked for what.
func dataTransfer(m *msg2.DataTransferRequest) station.Request {
	return station.DataTransfer{VendorID: strings.Clone(m.VendorID), MessageID: strings.Clone(m.MessageID.V)}
}
