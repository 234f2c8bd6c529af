// Package term holds the nouns that several blocks of the station share: identities, tokens, permits,
// sampled values and the closed lists of OCPP words that travel with them. Types and pure methods only.
package term

import (
	"log/slog"
	"strconv"
)

// EVSEID numbers an EVSE from 1; 0 means the charging station as a whole (OCPP 2.0.1 part 1, 3-tier model).
type EVSEID int32

// ConnectorID numbers a connector within its EVSE from 1; 0 means the EVSE as a whole.
type ConnectorID int32

// Ref names a connector; Connector 0 is the EVSE, EVSE 0 the station.
type Ref struct {
	EVSE      EVSEID      `json:"e"`
	Connector ConnectorID `json:"c,omitempty"`
}

// String returns "2.1" for connector 1 of EVSE 2, "2" for the EVSE, "0" for the station.
func (r Ref) String() string {
	s := strconv.Itoa(int(r.EVSE))
	if r.Connector != 0 {
		s += "." + strconv.Itoa(int(r.Connector))
	}
	return s
}

// TransactionID is the station's own transaction id: at most 36 characters, never used twice (E01.FR.08).
// It is not the number that an OCPP 1.x CSMS hands out.
type TransactionID string

// IdTokenType says what kind of token an IdToken is; the words are those of OCPP 2.1 (appendix, IdTokenEnumStringType).
type IdTokenType string

// The token types that OCPP 2.0.1 and 2.1 name.
const (
	TokenCentral         IdTokenType = "Central"
	TokenDirectPayment   IdTokenType = "DirectPayment" // 2.1
	TokenEMAID           IdTokenType = "eMAID"
	TokenISO14443        IdTokenType = "ISO14443"
	TokenISO15693        IdTokenType = "ISO15693"
	TokenKeyCode         IdTokenType = "KeyCode"
	TokenLocal           IdTokenType = "Local"
	TokenMacAddress      IdTokenType = "MacAddress"
	TokenNoAuthorization IdTokenType = "NoAuthorization"
	TokenVIN             IdTokenType = "VIN" // 2.1
)

// MaxIdToken is the longest token value that OCPP 2.x carries, in characters (IdTokenType.idToken, 2.1: 255).
const MaxIdToken = 255

// IdToken identifies a driver, a car or an operator. It is comparable; its value is personal data and is
// redacted by String and LogValue.
type IdToken struct {
	Value string      `json:"v"`
	Type  IdTokenType `json:"t"`
}

// IsZero reports whether there is no token at all.
func (t IdToken) IsZero() bool { return t == IdToken{} }

// Equal compares as OCPP does: IdToken values are case-insensitive identifier strings (2.0.1 part 2, IdTokenType).
func (t IdToken) Equal(o IdToken) bool {
	return t.Type == o.Type && equalFold(t.Value, o.Value)
}

// Key returns the form under which a token is looked up: type, slash, value with ASCII letters lowered.
func (t IdToken) Key() string {
	b := make([]byte, 0, len(t.Type)+1+len(t.Value))
	b = append(append(b, t.Type...), '/')
	for i := 0; i < len(t.Value); i++ {
		b = append(b, lower(t.Value[i]))
	}
	return string(b)
}

// String shows the type and the last two characters only.
func (t IdToken) String() string {
	if t.IsZero() {
		return "none"
	}
	tail := ""
	if len(t.Value) > 4 {
		tail = t.Value[len(t.Value)-2:]
	}
	return string(t.Type) + ":.." + tail
}

// LogValue keeps tokens out of logs.
func (t IdToken) LogValue() slog.Value { return slog.StringValue(t.String()) }

// AdditionalInfo is one further fact about a token (OCPP AdditionalInfoType).
type AdditionalInfo struct {
	Value string `json:"v"` // additionalIdToken
	Type  string `json:"t"`
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
