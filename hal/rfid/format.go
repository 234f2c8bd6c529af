package rfid

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/evsed/evsed/station/term"
)

// Base is how the bytes of a UID are written.
type Base uint8

// Bases.
const (
	HexUpper Base = iota // 04A1B2C3
	HexLower             // 04a1b2c3
	Decimal              // one number, first byte most significant, without leading zeros
)

// MaxSeparator bounds what stands between two bytes.
const MaxSeparator = 2

// Format is how a UID becomes the token that the CSMS knows. The zero value is hexadecimal in upper case, first byte
// first, nothing between the bytes, the type as the card is, and random UIDs refused.
type Format struct {
	Base      Base
	Reverse   bool             // last byte first
	Separator string           // between bytes in hexadecimal: "", ":" or "-", say
	Width     uint8            // of Decimal: leading zeros up to so many digits
	Type      term.IdTokenType // what it is called; empty: as the card is
	Random    bool             // random UIDs are passed on
}

// Check says what is wrong with a format.
func (f Format) Check() error {
	switch {
	case f.Base > Decimal:
		return fmt.Errorf("token format: base %d: want hex-upper, hex-lower or decimal", f.Base)
	case len(f.Separator) > MaxSeparator:
		return fmt.Errorf("token format: separator %q: want at most %d characters", f.Separator, MaxSeparator)
	case f.Base == Decimal && f.Separator != "":
		return fmt.Errorf("token format: separator %q: a decimal number has none", f.Separator)
	case f.Base != Decimal && f.Width != 0:
		return fmt.Errorf("token format: width %d: only a decimal number has one", f.Width)
	case f.Width > maxWidth:
		return fmt.Errorf("token format: width %d: want at most %d digits", f.Width, maxWidth)
	}
	for _, c := range f.Separator {
		if !strings.ContainsRune(":-._ ", c) {
			return fmt.Errorf("token format: separator %q: want colon, hyphen, full stop, underscore or space", f.Separator)
		}
	}
	return nil
}

// maxWidth is how many digits the longest UID can have.
const maxWidth = 25

// Token is what the CSMS gets to see of a card; ErrRandom if its UID says nothing about who shows it.
func (f Format) Token(c Card) (term.IdToken, error) {
	if c.UID.n == 0 {
		return term.IdToken{}, fmt.Errorf("empty UID: %w", ErrGarbled)
	}
	if c.UID.Random() && !f.Random {
		return term.IdToken{}, ErrRandom
	}
	kind := f.Type
	if kind == "" {
		kind = c.ISO
	}
	if kind == "" {
		kind = term.TokenISO14443
	}
	return term.IdToken{Value: f.text(c.UID), Type: kind}, nil
}

func (f Format) text(u UID) string {
	b := u.Bytes()
	if f.Reverse {
		slices.Reverse(b)
	}
	if f.Base == Decimal {
		return fmt.Sprintf("%0*s", int(f.Width), new(big.Int).SetBytes(b).String())
	}
	var s strings.Builder
	for i, x := range b {
		if i > 0 {
			s.WriteString(f.Separator)
		}
		if f.Base == HexLower {
			fmt.Fprintf(&s, "%02x", x)
		} else {
			fmt.Fprintf(&s, "%02X", x)
		}
	}
	return s.String()
}

// Typed is how a reader that types what it has read writes a UID.
type Typed struct {
	Decimal bool  // digits of one number; else hexadecimal, with or without : and - between bytes
	Bytes   uint8 // of Decimal: how long the UID is, 1 to 10; 0: 4
	Reverse bool  // the last byte of the UID comes first
	ISO     term.IdTokenType
}

// Check says what is wrong with it.
func (t Typed) Check() error {
	if t.Bytes > MaxUID {
		return fmt.Errorf("reader's spelling: UID of %d bytes: want at most %d", t.Bytes, MaxUID)
	}
	if t.Bytes != 0 && !t.Decimal {
		return fmt.Errorf("reader's spelling: length of %d bytes: hexadecimal digits have their own", t.Bytes)
	}
	return nil
}

// maxTyped bounds what is typed for one card: two digits a byte and something between them.
const maxTyped = 3 * MaxUID

// Card reads what a reader has typed, without its line end. The error wraps ErrGarbled.
func (t Typed) Card(s string) (Card, error) {
	if len(s) > maxTyped {
		return Card{}, fmt.Errorf("%d characters, want at most %d: %w", len(s), maxTyped, ErrGarbled)
	}
	read := hexadecimal
	if t.Decimal {
		read = t.decimal
	}
	b, err := read(s)
	if err != nil {
		return Card{}, err
	}
	if t.Reverse {
		slices.Reverse(b)
	}
	u, err := NewUID(b)
	return Card{UID: u, ISO: t.ISO}, err
}

// decimal reads the digits of one number.
func (t Typed) decimal(s string) ([]byte, error) {
	n := int(t.Bytes)
	if n == 0 {
		n = 4
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return nil, fmt.Errorf("character %q, want digits: %w", c, ErrGarbled)
		}
	}
	x, ok := new(big.Int).SetString(s, 10)
	if !ok || x.BitLen() > 8*n {
		return nil, fmt.Errorf("number of %d digits does not fit into %d bytes: %w", len(s), n, ErrGarbled)
	}
	return x.FillBytes(make([]byte, n)), nil
}

// hexadecimal reads pairs of digits.
func hexadecimal(s string) ([]byte, error) {
	var b []byte
	for s != "" {
		if len(b) > 0 && (s[0] == ':' || s[0] == '-') {
			s = s[1:]
		}
		if len(s) < 2 || digit(s[0]) < 0 || digit(s[1]) < 0 {
			return nil, fmt.Errorf("want pairs of hexadecimal digits: %w", ErrGarbled)
		}
		b = append(b, byte(digit(s[0])<<4|digit(s[1])))
		s = s[2:]
	}
	return b, nil
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
