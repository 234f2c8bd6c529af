package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

// setNetworkProfile reads B09. ocppVersion restricts nothing: both versions say that the handshake decides and that the
// field is there for old schemas only.
func setNetworkProfile(m *msg2.SetNetworkProfileRequest) station.Request {
	c := &m.ConnectionData
	return station.SetNetworkProfile{
		Slot: m.ConfigurationSlot,
		Profile: station.NetworkProfile{
			URL:             strings.Clone(c.OCPPCSMSURL),
			Interface:       string(c.OCPPInterface),
			SecurityProfile: c.SecurityProfile,
			MessageTimeout:  seconds(c.MessageTimeout),
			Identity:        strings.Clone(c.Identity.V),
			Password:        strings.Clone(c.BasicAuthPassword.V),
			HasAPN:          c.APN.Has,
			HasVPN:          c.VPN.Has,
			Transport:       string(c.OCPPTransport),
		},
	}
}
