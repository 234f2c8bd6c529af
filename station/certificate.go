package station

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/station/cert"
)

// certificates is the store of certificates, and what is under way for it (block M, A02, A03).
type certificates struct {
	store   cert.Store
	signing signing
	trial   trial
}

// Roots returns the DER of the roots of a use that count now, newest first; the fallback of the CSMS root is the last
// (M05.FR.14). For the owner of the core, after a Reconfigure.
func (s *Station) Roots(u cert.Use) [][]byte { return s.certs.store.Roots(u) }

// OwnChain returns the DER of the certificate to be shown for a use, leaf first, and the name of its key; false: there is none.
// While a new certificate is on trial it is the one, in turns with the old one where it cannot connect (A02.FR.28). For the
// owner of the core, after a Reconfigure.
func (s *Station) OwnChain(u cert.Use) (chain [][]byte, key string, ok bool) {
	e := s.ownEntry(u)
	if e == nil {
		return nil, "", false
	}
	for _, c := range e.Chain {
		chain = append(chain, c.Raw)
	}
	return chain, e.Key, true
}

func (s *Station) ownEntry(u cert.Use) *cert.Entry {
	if e := s.certs.store.Own(u, cert.Trial); e != nil && !s.certs.trial.old {
		return e
	}
	return s.certs.store.Own(u, cert.InForce)
}

// SeedCertificate installs certificates before Start, at first boot, as the fitter's seed has them: for a root use every
// certificate of the text is a root; for an own use it is one chain, leaf first, whose private key is stored under that name.
// A fitter's chain need not end in an installed root: a factory signs with its own (A00.FR.804).
func (s *Station) SeedCertificate(u cert.Use, pem []byte, key string) ([]Record, error) {
	changes, err := s.certs.store.Seed(u, string(pem), key)
	if err != nil {
		return nil, fmt.Errorf("seed %s: %w", u, err)
	}
	var rs []Record
	for _, c := range changes {
		rs = append(rs, Record{Bucket: BucketCertificate, Key: c.Key, Value: c.Value})
	}
	return rs, nil
}

// keepCertificates records changes of the store, destroys the keys that nobody needs any more, and has the new state read.
func (s *Station) keepCertificates(changes []cert.Change) {
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		s.record(BucketCertificate, c.Key, c.Value)
		if c.DropKey != "" {
			s.command(DropKey{Key: c.DropKey})
		}
	}
	s.out.MustSync = true
	s.command(Reconfigure{})
}

func (s *Station) restoreCertificate(r Record) error {
	if r.Key == signingKey {
		return s.restoreSigning(r.Value)
	}
	return s.certs.store.Restore(r.Key, r.Value)
}

// startCertificates goes on with what was under way before a restart.
func (s *Station) startCertificates() {
	s.resumeSigning()
	if s.trialEntry() != nil {
		s.startTurn()
	}
}

func (s *Station) certificateTimers() {
	s.signingTimers()
	s.trialTimers()
}

func (s *Station) certificateDeadline() time.Time {
	return earliest(s.signingDeadline(), s.trialDeadline())
}

// knownTime is the wall time by which certificates are judged; zero while nobody has set the clock.
func (s *Station) knownTime() time.Time {
	if !s.clock.known {
		return time.Time{}
	}
	return s.wall()
}
