package station

import "github.com/evsed/evsed/station/cert"

// InstallCertificate brings a root (M05).
type InstallCertificate struct {
	Use cert.Use
	PEM string
}

// GetInstalledCertificateIds asks what is installed (M03); without Uses for everything.
type GetInstalledCertificateIds struct{ Uses []cert.Use }

// DeleteCertificate (M04).
type DeleteCertificate struct{ Hash cert.HashData }

// CertificateSigned brings the certificate that the station has asked for (A02, A03), with its sub-CAs, leaf first.
type CertificateSigned struct {
	Use          cert.Use
	Chain        string // PEM
	RequestID    int    // of the SignCertificate; valid if HasRequestID
	HasRequestID bool
}

func (InstallCertificate) request()         {}
func (GetInstalledCertificateIds) request() {}
func (DeleteCertificate) request()          {}
func (CertificateSigned) request()          {}

// InstalledCertificates answers GetInstalledCertificateIds.
type InstalledCertificates struct {
	Status
	Rows []cert.Listed
}

func (InstalledCertificates) response() {}

// SignCertificate asks for a certificate (A02, A03).
type SignCertificate struct {
	CSR       string // PEM
	Use       cert.Use
	RequestID int // the same for as long as the request is the same (A02.FR.24)
}

func (SignCertificate) report() {}

// SignReply answers SignCertificate: whether the CSMS passes the request on.
type SignReply struct{ Accepted bool }

func (SignReply) reply() {}
