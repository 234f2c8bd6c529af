package link

import (
	"crypto/tls"
	"net"

	"github.com/evsed/evsed/station"
)

// Alerts of TLS (RFC 8446, 6.2; RFC 5246, 7.2.2).
const (
	alertHandshakeFailure     = 40
	alertProtocolVersion      = 70
	alertInsufficientSecurity = 71
)

// firstAnswer keeps the beginning of what the server says: what versions and suites it knows stands there, and crypto/tls
// does not tell in a form that a program could read.
type firstAnswer struct {
	net.Conn
	head [firstAnswerBytes]byte
	n    int
}

// firstAnswerBytes are those of a record with a ServerHello, up to its cipher suite.
const firstAnswerBytes = 5 + 4 + 2 + 32 + 1 + 32 + 2

func (f *firstAnswer) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	f.n += copy(f.head[f.n:], p[:n])
	return n, err
}

// fault says what a server that speaks TLS but not as the station does has answered; nil: nothing of this kind.
func (f *firstAnswer) fault(offered []uint16) *Distrust {
	b := f.head[:f.n]
	const alert, handshake, serverHello = 21, 22, 2
	switch {
	case len(b) >= 7 && b[0] == alert && b[1] == 3:
		return alertFault(b[6])
	case len(b) >= 11 && b[0] == handshake && b[1] == 3 && b[5] == serverHello:
		return helloFault(b, offered)
	}
	return nil
}

func alertFault(code byte) *Distrust {
	switch code {
	case alertProtocolVersion:
		return &Distrust{station.InvalidTLSVersion, CauseVersion, "the server takes neither TLS 1.2 nor TLS 1.3"}
	case alertHandshakeFailure, alertInsufficientSecurity:
		return &Distrust{station.InvalidTLSCipherSuite, CauseCipherSuite, "the server takes none of the cipher suites of the station"}
	}
	return nil
}

func helloFault(b []byte, offered []uint16) *Distrust {
	if v := uint16(b[9])<<8 | uint16(b[10]); v < tls.VersionTLS12 {
		return &Distrust{station.InvalidTLSVersion, CauseVersion, "the server chose " + tls.VersionName(v)}
	}
	const session = 5 + 4 + 2 + 32
	if len(b) <= session || len(b) < session+1+int(b[session])+2 {
		return nil
	}
	at := session + 1 + int(b[session])
	suite := uint16(b[at])<<8 | uint16(b[at+1])
	for _, s := range offered {
		if s == suite {
			return nil
		}
	}
	if suite>>8 == 0x13 { // those of TLS 1.3, all of which are offered
		return nil
	}
	return &Distrust{station.InvalidTLSCipherSuite, CauseCipherSuite, "the server chose " + tls.CipherSuiteName(suite)}
}
