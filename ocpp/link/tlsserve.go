package link

import (
	"crypto/tls"

	"github.com/evsed/evsed/station"
)

// server returns the settings for those who call the station over SOAP. Profile 3 wants the certificate of the CSMS, for
// the name that the station itself dials; with profile 2 a caller shows the password of the callback address. refused hears
// why a caller is not let in.
func (s *security) server(refused func(*Distrust)) *tls.Config {
	c := s.base()
	c.Certificates = []tls.Certificate{*s.own()}
	if s.profile < profileMTLS {
		return c
	}
	c.ClientAuth = tls.RequestClientCert // what is shown, or is not, is judged below
	c.VerifyConnection = func(state tls.ConnectionState) error {
		criteria := s.criteria()
		criteria.Caller = true
		_, refusal := JudgeChain(shown(state), criteria)
		if refusal == nil {
			return nil
		}
		refusal.Kind = station.CsmsFailedToAuthenticate // a stranger at the door says nothing of the CSMS' certificate
		refused(refusal)
		return refusal
	}
	return c
}
