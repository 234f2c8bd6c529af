package virtual

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
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
	t.Chain, t.Signer = chain, keyOf{store, key, leaf.PublicKey}
	return t
}

// keyOf is the key of a certificate. It is opened when it is to sign, by whoever shakes hands: a TPM takes its time, and the
// loop has none.
type keyOf struct {
	store  keys.Store
	name   string
	public crypto.PublicKey
}

// Public implements crypto.Signer.
func (k keyOf) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer.
func (k keyOf) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signer, err := k.store.Open(k.name)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.name, err)
	}
	return signer.Sign(rand, digest, opts)
}

// trustClock is the clock by which certificates are judged (docs/design/0018-tls-before-the-clock-is-set.md).
func trustClock(s *station.Station, built time.Time) link.Clock {
	offset, set, floor := s.TrustClock()
	if built.After(floor) {
		floor = built
	}
	return link.Clock{Offset: offset, Set: set, Floor: floor}
}
