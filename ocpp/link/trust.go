package link

import (
	"crypto"
	"fmt"

	"github.com/evsed/evsed/station"
)

// Trust is whom the station trusts as its CSMS, and who it is itself (security profiles 2 and 3).
type Trust struct {
	// Roots are the CSMS roots of the station in DER, any number side by side. Nobody else vouches for a CSMS: not the
	// authorities that the operating system knows.
	Roots [][]byte

	// Chain is the station's own certificate chain in DER, its own certificate first; Signer holds the key of that
	// certificate. Profile 3 shows it to the CSMS, and a station that is called over SOAP shows it to the caller.
	Chain  [][]byte
	Signer crypto.Signer
}

// own tells whether the station can say who it is.
func (t Trust) own() bool { return len(t.Chain) > 0 && t.Signer != nil }

// Distrust says why the station refuses its CSMS.
type Distrust struct {
	Kind string // the security event
	Code string // the cause, stable
	Info string // what was seen
}

// Causes of Distrust.
const (
	CauseMalformed     = "Malformed"     // what is sent cannot be read as certificates
	CauseTooLong       = "TooLong"       // more certificates than the limit
	CauseTooLarge      = "TooLarge"      // more bytes than the limit
	CauseUnknownIssuer = "UnknownIssuer" // no path to a root of the station
	CauseExpired       = "Expired"
	CauseNotYetValid   = "NotYetValid"
	CauseWrongName     = "WrongName"
	CauseWrongUse      = "WrongUse"      // a certificate of the path was not made for this
	CauseWeakKey       = "WeakKey"       // A00.FR.502, A00.FR.503
	CauseWeakSignature = "WeakSignature" // A00.FR.504, A00.FR.506
	CauseRevoked       = "Revoked"
	CauseBadStaple     = "BadStaple" // a stapled OCSP response that is none for this certificate
	CauseMissing       = "Missing"   // who calls shows no certificate
	CausePassword      = "Password"  // who calls shows no credentials, or wrong ones
	CauseVersion       = "Version"
	CauseCipherSuite   = "CipherSuite"
)

// cures say what to do about each cause.
var cures = map[string]string{
	CauseMalformed:     "mend the certificate of the CSMS",
	CauseTooLong:       "let the CSMS send its own certificate and the intermediate ones alone",
	CauseTooLarge:      "let the CSMS send its own certificate and the intermediate ones alone",
	CauseUnknownIssuer: "install the root of the CSMS as CSMSRootCertificate, or let the CSMS send its intermediate certificates; if neither is missing somebody intercepts the line",
	CauseExpired:       "renew the certificate, or set the clock of the station",
	CauseNotYetValid:   "set the clock of the station, or that of the authority",
	CauseWrongName:     "connect to the name in the certificate, or get the CSMS one for its name; if neither is wrong somebody intercepts the line",
	CauseWrongUse:      "get a certificate for a server from an authority that may issue it",
	CauseWeakKey:       "use RSA of 2048 bits or elliptic curves of 224 bits at least",
	CauseWeakSignature: "have it signed with SHA-256 or better",
	CauseRevoked:       "get a new certificate for the CSMS",
	CauseBadStaple:     "mend the OCSP stapling of the CSMS, or switch it off",
	CauseMissing:       "let the CSMS show its certificate when it calls",
	CausePassword:      "let the CSMS call with the credentials of callbackUrl",
	CauseVersion:       "let the CSMS speak TLS 1.2 or 1.3",
	CauseCipherSuite:   "let the CSMS allow ECDHE with AES-GCM",
}

func (d *Distrust) Error() string {
	return fmt.Sprintf("CSMS is not trusted: %s: %s: %s", d.Code, d.Info, cures[d.Code])
}

// distrust makes the refusal of a certificate.
func distrust(code, format string, args ...any) *Distrust {
	return &Distrust{station.InvalidCsmsCertificate, code, describe(fmt.Sprintf(format, args...))}
}
