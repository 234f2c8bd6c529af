package virtual

import (
	"crypto/x509"
	"time"

	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/storage/keys"
)

// trustOf is whom the station trusts, and who it is.
func trustOf(s *station.Station, store keys.Store) link.Trust {
	t := link.Trust{Roots: s.Roots(cert.CSMSRootCertificate)}
	chain, key, ok := s.OwnChain(cert.ChargingStationCertificate)
	if !ok || store == nil {
		return t
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return t
	}
	t.Chain, t.Signer = chain, keys.Later(store, key, leaf.PublicKey) // opened by whoever shakes hands: the loop has no time for a TPM
	return t
}

// trustClock is the clock by which certificates are judged (docs/design/0018-tls-before-the-clock-is-set.md).
func trustClock(s *station.Station, built time.Time) link.Clock {
	offset, set, floor := s.TrustClock()
	if built.After(floor) {
		floor = built
	}
	return link.Clock{Offset: offset, Set: set, Floor: floor}
}
