package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
)

// installCertificate reads M05. The core spells the uses as OCPP 2.1 does.
func installCertificate(m *msg2.InstallCertificateRequest) station.Request {
	return station.InstallCertificate{Use: cert.Use(m.CertificateType), PEM: strings.Clone(m.Certificate)}
}

// installedIDs reads M03. A V2G chain is the certificate of the station for either generation of ISO 15118, with its sub-CAs.
func installedIDs(m *msg2.GetInstalledCertificateIdsRequest) station.Request {
	var r station.GetInstalledCertificateIds
	for _, u := range m.CertificateType {
		if u == msg2.GetCertificateIdUseV2GCertificateChain {
			r.Uses = append(r.Uses, cert.V2GCertificate, cert.V2G20Certificate)
			continue
		}
		r.Uses = append(r.Uses, cert.Use(u))
	}
	return r
}

// installedCertificates answers M03. A use that the version has no word for is not told.
func (d *Dialect) installedCertificates(b station.InstalledCertificates) msg2.Message {
	m := &msg2.GetInstalledCertificateIdsResponse{Status: msg2.GetInstalledCertificateStatus(b.Status.Status), StatusInfo: d.statusInfo(b.Reason, b.Info)}
	for i := range b.Rows {
		row := &b.Rows[i]
		c := msg2.CertificateHashDataChain{CertificateHashData: hashData(row.Hash)}
		switch row.Use {
		case cert.V2GCertificate, cert.V2G20Certificate:
			c.CertificateType = msg2.GetCertificateIdUseV2GCertificateChain
		case cert.OEMRootCertificate:
			if d.v == rpc.V201 {
				continue
			}
			fallthrough
		default:
			c.CertificateType = msg2.GetCertificateIdUse(row.Use)
		}
		for _, h := range row.Children {
			c.ChildCertificateHashData = append(c.ChildCertificateHashData, hashData(h))
		}
		m.CertificateHashDataChain = append(m.CertificateHashDataChain, c)
	}
	if len(b.Rows) > 0 && len(m.CertificateHashDataChain) == 0 {
		m.Status, m.StatusInfo = msg2.GetInstalledCertificateStatusNotFound, d.statusInfo("NotFound", "")
	}
	return m
}

func hashData(h cert.HashData) msg2.CertificateHashData {
	return msg2.CertificateHashData{HashAlgorithm: msg2.HashAlgorithm(h.Algorithm), IssuerNameHash: h.IssuerNameHash, IssuerKeyHash: h.IssuerKeyHash,
		SerialNumber: h.Serial}
}

// deleteCertificate reads M04.
func deleteCertificate(m *msg2.DeleteCertificateRequest) station.Request {
	h := &m.CertificateHashData
	return station.DeleteCertificate{Hash: cert.HashData{Algorithm: string(h.HashAlgorithm), IssuerNameHash: strings.Clone(h.IssuerNameHash),
		IssuerKeyHash: strings.Clone(h.IssuerKeyHash), Serial: strings.Clone(h.SerialNumber)}}
}

// certificateSigned reads A02. Without a type the certificate is meant for the connection to the CSMS, as the station never
// asks for one that serves both ways (A02.FR.13).
func certificateSigned(m *msg2.CertificateSignedRequest) station.Request {
	r := station.CertificateSigned{Use: cert.ChargingStationCertificate, Chain: strings.Clone(m.CertificateChain), RequestID: m.RequestID.V, HasRequestID: m.RequestID.Has}
	if m.CertificateType != "" {
		r.Use = cert.Use(m.CertificateType)
	}
	return r
}

// signCertificate tells A02 and A03. The number of the request came with 2.1 (A02.FR.24).
func (d *Dialect) signCertificate(b *station.SignCertificate) msg2.Message {
	m := &msg2.SignCertificateRequest{CSR: b.CSR, CertificateType: msg2.CertificateSigningUse(b.Use)}
	if d.v == rpc.V21 {
		m.RequestID = rpc.Some(b.RequestID)
	}
	return m
}

func (d *Dialect) signReply(payload string) (station.Reply, error) {
	var m msg2.SignCertificateResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.SignReply{Accepted: m.Status == msg2.GenericStatusAccepted}, nil
}
