package dialect2

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/term"
)

// maxToken201 is the longest idToken and additionalIdToken of 2.0.1 in characters; 2.1 has 255.
const maxToken201 = 36

// idToken tells a token with its additional facts.
func (d *Dialect) idToken(t term.IdToken, info []term.AdditionalInfo) msg2.IdToken {
	if d.v == rpc.V201 {
		return idToken201(t, info)
	}
	m := msg2.IdToken{IdToken: t.Value, Type: msg2.IdTokenEnum(t.Type)}
	for _, a := range info {
		m.AdditionalInfo = append(m.AdditionalInfo, msg2.AdditionalInfo{AdditionalIdToken: a.Value, Type: a.Type})
	}
	return m
}

// idToken201 tells a token in 2.0.1, which knows eight types and 36 characters. Whatever does not fit is told as
// Central, the type whose meaning only the CSMS knows: Local would claim that nobody needs to check it, and a cut value
// could be the token of somebody else. The first additionalInfo then holds the true value under the true type, in
// pieces of 36 characters under the same type where it is longer, so that it can be put together again. In place of a
// value that is too long stands a name made from it, the same one each time.
func idToken201(t term.IdToken, info []term.AdditionalInfo) msg2.IdToken {
	m := msg2.IdToken{IdToken: t.Value, Type: msg2.IdTokenEnum(t.Type)}
	long := utf8.RuneCountInString(t.Value) > maxToken201
	if long || !in201(t.Type) {
		m.Type = msg2.IdTokenEnumCentral
		m.AdditionalInfo = appendPieces(nil, t.Value, string(t.Type))
	}
	if long {
		m.IdToken = standIn(t)
	}
	for _, a := range info {
		m.AdditionalInfo = appendPieces(m.AdditionalInfo, a.Value, a.Type)
	}
	return m
}

// in201 reports whether 2.0.1 has the token type (2.0.1 part 2, IdTokenEnumType).
func in201(t term.IdTokenType) bool {
	switch t {
	case term.TokenCentral, term.TokenEMAID, term.TokenISO14443, term.TokenISO15693, term.TokenKeyCode, term.TokenLocal,
		term.TokenMacAddress, term.TokenNoAuthorization:
		return true
	}
	return false
}

// appendPieces appends value as additional tokens of at most 36 characters, at least one.
func appendPieces(dst []msg2.AdditionalInfo, value, kind string) []msg2.AdditionalInfo {
	for {
		piece := cut(value, maxToken201)
		dst = append(dst, msg2.AdditionalInfo{AdditionalIdToken: piece, Type: kind})
		if value = value[len(piece):]; value == "" {
			return dst
		}
	}
}

// standIn names a token by the digest of its lookup key: 36 characters, equal for equal tokens.
func standIn(t term.IdToken) string {
	const prefix = "sha256:"
	sum := sha256.Sum256([]byte(t.Key()))
	return prefix + hex.EncodeToString(sum[:])[:maxToken201-len(prefix)]
}

// tokenOf reads a token into strings of its own.
func tokenOf(m *msg2.IdToken) term.IdToken {
	return term.IdToken{Value: strings.Clone(m.IdToken), Type: term.IdTokenType(strings.Clone(string(m.Type)))}
}

// untyped refuses a token without a type, which 2.1 no longer rules out by its schema: it would be no token at all.
func untyped(path string) *ocpp.RequestError { return invalid(path+".type", "empty") }

// additionalOf reads the additional facts of a token.
func additionalOf(m *msg2.IdToken) []term.AdditionalInfo {
	if len(m.AdditionalInfo) == 0 {
		return nil
	}
	info := make([]term.AdditionalInfo, len(m.AdditionalInfo))
	for i, a := range m.AdditionalInfo {
		info[i] = term.AdditionalInfo{Value: strings.Clone(a.AdditionalIdToken), Type: strings.Clone(a.Type)}
	}
	return info
}

// tokenInfoOf reads what the CSMS says of a token.
func tokenInfoOf(m *msg2.IdTokenInfo) term.TokenInfo {
	info := term.TokenInfo{
		Status:      term.TokenStatus(m.Status),
		Expiry:      m.CacheExpiryDateTime.V,
		Message:     strings.Clone(m.PersonalMessage.V.Content),
		Priority:    m.ChargingPriority.V,
		HasPriority: m.ChargingPriority.Has,
	}
	if group, ok := m.GroupIdToken.Get(); ok {
		info.Group = tokenOf(&group)
	}
	for _, id := range m.EVSEID {
		info.EVSEs = append(info.EVSEs, term.EVSEID(id))
	}
	return info
}
