package cert

import "crypto/sha256"

// Use is what a certificate is for, spelled as OCPP 2.1 spells it (InstallCertificateUseEnumType, CertificateSigningUseEnumType).
type Use string

// Uses. The first five are roots that the station trusts, the others its own certificates.
const (
	CSMSRootCertificate         Use = "CSMSRootCertificate"
	ManufacturerRootCertificate Use = "ManufacturerRootCertificate"
	MORootCertificate           Use = "MORootCertificate"
	OEMRootCertificate          Use = "OEMRootCertificate"
	V2GRootCertificate          Use = "V2GRootCertificate"
	ChargingStationCertificate  Use = "ChargingStationCertificate"
	V2GCertificate              Use = "V2GCertificate"
	V2G20Certificate            Use = "V2G20Certificate"
)

// Uses are all uses, in the order in which they are listed.
var Uses = [...]Use{CSMSRootCertificate, ManufacturerRootCertificate, V2GRootCertificate, MORootCertificate, OEMRootCertificate,
	ChargingStationCertificate, V2GCertificate, V2G20Certificate}

// Root reports whether certificates of this use are trust anchors.
func (u Use) Root() bool {
	switch u {
	case CSMSRootCertificate, ManufacturerRootCertificate, MORootCertificate, OEMRootCertificate, V2GRootCertificate:
		return true
	}
	return false
}

// Own reports whether certificates of this use are the station's own, with a key.
func (u Use) Own() bool {
	return u == ChargingStationCertificate || u == V2GCertificate || u == V2G20Certificate
}

// anchor is the use of the roots that sign certificates of an own use.
func (u Use) anchor() Use {
	if u == ChargingStationCertificate {
		return CSMSRootCertificate
	}
	return V2GRootCertificate
}

// Algorithm is a kind of key pair.
type Algorithm string

// P256 is ECDSA on NIST P-256: 128 bits (A00.FR.501, A00.FR.503), which every TPM can make.
const P256 Algorithm = "EC-P256"

// Sum is the SHA-256 of a certificate's DER: its name inside the station. The zero value is none.
type Sum [sha256.Size]byte

// SumOf returns the sum of a certificate.
func SumOf(der []byte) Sum { return sha256.Sum256(der) }
