package station

import (
	"time"

	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
)

// trial is a new certificate that has not connected yet, beside the old one (A02.FR.08, A02.FR.28). While neither connects they
// take turns, so that a station is never stranded with a certificate that its CSMS does not take (B10.FR.09).
type trial struct {
	old   bool      // it is the turn of the old one
	turns int       // that have passed
	until time.Time // when the turn ends, if there is no connection, monotonic; zero: none runs
	again bool      // the link was told a second time to connect with the new one
}

// A turn is long enough for several attempts to connect, and doubles up to an hour and a half: a CSMS that is down for a day
// must not see its stations knock all the time.
const (
	trialTurn      = 3 * time.Minute
	trialDoublings = 5
)

// certificateSigned takes a new certificate (A02.FR.06-08).
func (s *Station) certificateSigned(r CertificateSigned) Status {
	g := &s.certs.signing
	switch most := s.model.Int(model.MaxCertificateChainSize); {
	case r.Use != cert.ChargingStationCertificate: // nothing else was asked for
		return rejected("UnsupportedParam", string(r.Use)+" was not asked for")
	case r.HasRequestID && (g.CSR == "" || r.RequestID != int(g.Number)): // A02.FR.26
		return rejected("InvalidValue", "requestId is of no signing request")
	case len(r.Chain) > most: // A02.FR.16
		return rejected("TooLargeElement", "longer than MaxCertificateChainSize")
	case s.storage != "":
		return rejected("OutOfStorage", s.storage)
	}
	chain, root, wrong := s.checkSigned(r.Chain)
	if wrong == nil {
		wrong = s.adoptSigned(chain, root)
	}
	if wrong != nil && wrong.Reason == "OutOfStorage" { // not its fault
		return rejected(wrong.Reason, wrong.Info)
	}
	if wrong != nil { // A02.FR.07
		s.securityEvent(InvalidChargingStationCertificate, wrong.Info)
		if g.phase == signWaiting || g.phase == signAsking { // A02.FR.20
			s.endSigning()
		}
		return rejected(wrong.Reason, cutText(wrong.Info, maxStatusInfo))
	}
	return accepted()
}

func (s *Station) checkSigned(text string) (path []cert.Certificate, root cert.Certificate, wrong *cert.Refusal) {
	g := &s.certs.signing
	chain, wrong := cert.ParseChain(text, cert.MaxChainPEM)
	if wrong != nil {
		return nil, nil, wrong
	}
	if g.CSR == "" {
		return nil, nil, &cert.Refusal{Reason: "InvalidCertificate", Info: "the station has asked for no certificate"}
	}
	return s.certs.store.CheckOwn(cert.Asked{Use: cert.ChargingStationCertificate, CSR: g.CSR, CommonName: g.Asked, Organization: g.Org}, chain, s.knownTime())
}

// adoptSigned puts the new certificate into use. Where the CSMS knows the station by its certificate, the old one stays until
// the new one has connected.
func (s *Station) adoptSigned(chain []cert.Certificate, root cert.Certificate) *cert.Refusal {
	g := &s.certs.signing
	shown := s.profile >= securityMutual && s.certs.store.Own(cert.ChargingStationCertificate, cert.InForce) != nil
	changes, wrong := s.certs.store.Adopt(cert.ChargingStationCertificate, chain, root, g.Key, shown)
	if wrong != nil {
		return wrong
	}
	s.endSigning()
	g.renewal = time.Time{}
	s.keepCertificates(changes)
	s.certs.trial = trial{}
	if shown {
		s.startTurn()
		s.command(Reconnect{}) // A02.FR.08
	} else {
		s.securityEvent(ReconfigurationOfSecurityParameters, "ChargingStationCertificate")
	}
	return nil
}

func (s *Station) trialEntry() *cert.Entry {
	return s.certs.store.Own(cert.ChargingStationCertificate, cert.Trial)
}

func (s *Station) startTurn() {
	t := &s.certs.trial
	t.until = s.now.Add(trialTurn << min(t.turns, trialDoublings))
}

// trialUnlinked begins the turn anew when the connection goes.
func (s *Station) trialUnlinked() {
	if s.trialEntry() != nil {
		s.startTurn()
	}
}

// trialTimers gives the turn to the other certificate when nothing has connected.
func (s *Station) trialTimers() {
	t := &s.certs.trial
	if !s.due(t.until) || s.boot.linked {
		return
	}
	t.old, t.turns = !t.old, t.turns+1
	s.startTurn()
	s.command(Reconfigure{})
	s.command(Reconnect{})
}

func (s *Station) trialDeadline() time.Time {
	if s.boot.linked {
		return time.Time{}
	}
	return s.certs.trial.until
}

// certificatesServed notes by what a connection was made: whichever has served stays.
func (s *Station) certificatesServed(ev LinkUp) {
	s.keepCertificates(s.certs.store.RootServed(ev.Root)) // M05.FR.13
	e := s.trialEntry()
	if e == nil || ev.Own == (cert.Sum{}) {
		return
	}
	t := &s.certs.trial
	switch {
	case ev.Own == e.Sum(): // A02.FR.10
		s.keepCertificates(s.certs.store.Settle(cert.ChargingStationCertificate, ev.Own))
		s.securityEvent(ReconfigurationOfSecurityParameters, "ChargingStationCertificate")
		s.certs.trial = trial{}
	case t.old: // A02.FR.28, A02.FR.29: rolled back
		s.keepCertificates(s.certs.store.Settle(cert.ChargingStationCertificate, ev.Own))
		s.securityEvent(DiscardedRenewedClientCertificate, "")
		s.certs.trial = trial{}
		g := &s.certs.signing // its key is gone: what would still come for it cannot be used
		g.signingRecord, g.renewal = signingRecord{Number: g.Number, Done: true}, s.now.Add(s.renewPause())
		s.keepSigning()
	case !t.again: // the link was under way when the new one came
		t.again = true
		s.command(Reconfigure{})
		s.command(Reconnect{})
	}
}
