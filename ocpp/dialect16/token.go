package dialect16

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station/term"
)

// maxIdTag is the longest idTag in characters (1.6, 7.28).
const maxIdTag = 20

// The types that the tags of 1.6 get here, where tokens have one. A tag is taken for a card, because nearly every one is,
// and because what the CSMS says of a tag - on the local list, in a reservation, in a remote start - must hold for the card
// that the reader reads: tokens of different types are never equal. A parent is an account that nobody shows to a reader.
const (
	tagType    = term.TokenISO14443
	parentType = term.TokenCentral
)

// noToken is the tag of a transaction that needs none: idTag is required, and an empty one is taken for missing by some.
const noToken = "NoAuthorization"

// idTag tells a token. Its type has no place in 1.6. A value that is too long is told as a name made from it, equal for
// equal tokens: cut off, it could be the tag of somebody else.
func idTag(t term.IdToken) string {
	switch {
	case t.Type == term.TokenNoAuthorization && t.Value == "":
		return noToken
	case utf8.RuneCountInString(t.Value) > maxIdTag:
		return standIn(t)
	}
	return t.Value
}

// standIn names a token by the digest of its lookup key: 76 bits of it in 20 characters.
func standIn(t term.IdToken) string {
	const prefix = "~"
	sum := sha256.Sum256([]byte(t.Key()))
	return prefix + hex.EncodeToString(sum[:])[:maxIdTag-len(prefix)]
}

// tokenOf reads a tag into a string of its own.
func tokenOf(tag string) term.IdToken {
	return term.IdToken{Value: strings.Clone(tag), Type: tagType}
}

// parentOf reads a parent tag; an empty one is none.
func parentOf(tag msg16.Opt[string]) term.IdToken {
	if tag.V == "" {
		return term.IdToken{}
	}
	return term.IdToken{Value: strings.Clone(tag.V), Type: parentType}
}

// tokenInfoOf reads what the CSMS says of a tag. The words of 1.6 are all words of 2.x.
func tokenInfoOf(m *msg16.IdTagInfo) term.TokenInfo {
	return term.TokenInfo{Status: term.TokenStatus(m.Status), Expiry: m.ExpiryDate.V, Group: parentOf(m.ParentIdTag)}
}
