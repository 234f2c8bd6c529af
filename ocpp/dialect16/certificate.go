package dialect16

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
)

// useOf is what 1.6 calls the root of its central system.
func useOf(u msg16.CertificateUse) cert.Use {
	if u == msg16.CertificateUseCentralSystemRootCertificate {
		return cert.CSMSRootCertificate
	}
	return cert.Use(u)
}

// installCertificate reads the whitepaper's 5.12 (M05).
func installCertificate(m *msg16.InstallCertificateRequest) station.Request {
	return station.InstallCertificate{Use: useOf(m.CertificateType), PEM: strings.Clone(m.Certificate)}
}

// installedCertificates answers the whitepaper's M03.
func installedCertificates(b station.InstalledCertificates) msg16.Message {
	m := &msg16.GetInstalledCertificateIdsResponse{Status: msg16.GetInstalledCertificateStatus(b.Status.Status)}
	for _, row := range b.Rows {
		h := row.Hash
		m.CertificateHashData = append(m.CertificateHashData, msg16.CertificateHashData{HashAlgorithm: msg16.HashAlgorithm(h.Algorithm),
			IssuerNameHash: h.IssuerNameHash, IssuerKeyHash: h.IssuerKeyHash, SerialNumber: h.Serial})
	}
	return m
}

// deleteCertificate reads the whitepaper's M04.
func deleteCertificate(m *msg16.DeleteCertificateRequest) station.Request {
	h := &m.CertificateHashData
	return station.DeleteCertificate{Hash: cert.HashData{Algorithm: string(h.HashAlgorithm), IssuerNameHash: strings.Clone(h.IssuerNameHash),
		IssuerKeyHash: strings.Clone(h.IssuerKeyHash), Serial: strings.Clone(h.SerialNumber)}}
}

// certificateSigned reads the whitepaper's A02: there is one kind of certificate, and no number of the request.
func certificateSigned(m *msg16.CertificateSignedRequest) station.Request {
	return station.CertificateSigned{Use: cert.ChargingStationCertificate, Chain: strings.Clone(m.CertificateChain)}
}

// signCertificate tells A02 and A03. A certificate for ISO 15118 has no message in the whitepaper.
func signCertificate(b *station.SignCertificate) msg16.Message {
	if b.Use != cert.ChargingStationCertificate {
		return nil
	}
	return &msg16.SignCertificateRequest{CSR: b.CSR}
}

func (d *Dialect) signReply(payload string) (station.Reply, error) {
	var m msg16.SignCertificateResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.SignReply{Accepted: m.Status == msg16.GenericStatusAccepted}, nil
}
