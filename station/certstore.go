package station

import (
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
)

// certificateRequest answers what concerns certificates (block M, A02).
func (s *Station) certificateRequest(id RequestID, r Request) {
	switch r := r.(type) {
	case InstallCertificate:
		s.answer(id, s.installCertificate(r))
	case GetInstalledCertificateIds:
		s.answer(id, s.installedCertificates(r))
	case DeleteCertificate:
		s.answer(id, s.deleteCertificate(r))
	case CertificateSigned:
		s.answer(id, s.certificateSigned(r))
	}
}

// installCertificate (M05).
func (s *Station) installCertificate(r InstallCertificate) Status {
	switch {
	case !r.Use.Root():
		return rejected("UnsupportedParam", string(r.Use)+" is no root")
	case s.storage != "": // M05.FR.03
		return Status{Status: "Failed", Reason: "OutOfStorage", Info: s.storage}
	}
	c, wrong := cert.Parse(r.PEM, cert.MaxChainPEM)
	if wrong != nil { // M05.FR.07
		return rejected(wrong.Reason, cutText(wrong.Info, maxStatusInfo))
	}
	changes, wrong := s.certs.store.Install(r.Use, c, cert.Terms{Now: s.knownTime(), Strict: s.model.Bool(model.AdditionalRootCertificateCheck)})
	if wrong != nil {
		return rejected(wrong.Reason, cutText(wrong.Info, maxStatusInfo))
	}
	if len(changes) > 0 {
		s.keepCertificates(changes)
		s.securityEvent(ReconfigurationOfSecurityParameters, string(r.Use)+" installed")
	}
	return accepted()
}

// maxStatusInfo is the longest additionalInfo in bytes (StatusInfoType, 2.0.1).
const maxStatusInfo = 512

// installedCertificates (M03).
func (s *Station) installedCertificates(r GetInstalledCertificateIds) InstalledCertificates {
	rows := s.certs.store.List(r.Uses)
	if len(rows) == 0 { // M03.FR.02
		return InstalledCertificates{Status: Status{Status: "NotFound", Reason: "NotFound"}}
	}
	return InstalledCertificates{Status: accepted(), Rows: rows} // M03.FR.03
}

// deleteCertificate (M04).
func (s *Station) deleteCertificate(r DeleteCertificate) Status {
	if s.storage != "" {
		return Status{Status: string(cert.Undeleted), Reason: "OutOfStorage", Info: s.storage}
	}
	done, changes, info := s.certs.store.Delete(r.Hash, s.needsCSMSRoot())
	switch done {
	case cert.Unknown: // M04.FR.04
		return Status{Status: string(done), Reason: "NotFound"}
	case cert.Undeleted: // M04.FR.03, M04.FR.06
		return Status{Status: string(done), Reason: "UnsupportedRequest", Info: info}
	}
	s.keepCertificates(changes)
	s.securityEvent(ReconfigurationOfSecurityParameters, "certificate deleted")
	return Status{Status: string(done)} // M04.FR.02
}

// needsCSMSRoot reports whether the station verifies the certificate of a CSMS: over the open connection, or by a profile that
// it may dial.
func (s *Station) needsCSMSRoot() bool {
	if s.profile >= securityTLS {
		return true
	}
	for _, slot := range s.NetworkPriority() {
		if s.profiles[slot].SecurityProfile >= securityTLS {
			return true
		}
	}
	return false
}
