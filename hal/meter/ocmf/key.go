package ocmf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ErrCurve is a curve that this build cannot calculate with: the standard library of Go has P-256 and P-384 of those
// that the format names (Table 22).
var ErrCurve = errors.New("curve is not supported")

// Key is a meter's public key.
type Key struct {
	public *ecdsa.PublicKey
	Curve  string // as Table 23 names it: secp256r1
}

// curves are the curves of Table 22 by their object identifiers; nil is one that is known by name alone.
var curves = []struct {
	name  string
	id    asn1.ObjectIdentifier
	curve elliptic.Curve
}{
	{"secp256r1", asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, elliptic.P256()},
	{"secp384r1", asn1.ObjectIdentifier{1, 3, 132, 0, 34}, elliptic.P384()},
	{"secp192r1", asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 1}, nil},
	{"secp192k1", asn1.ObjectIdentifier{1, 3, 132, 0, 31}, nil},
	{"secp256k1", asn1.ObjectIdentifier{1, 3, 132, 0, 10}, nil},
	{"brainpool256r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7}, nil},
	{"brainpool384r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 11}, nil},
}

// ParseKey reads a public key as meters print it and as OCPP carries it: hexadecimal or base64 of an ASN.1 structure or
// of the bare point, PEM, or "oca:base16:asn1:…" (Signed Meter Values in OCPP, section 3.2.2), itself in base64 or not.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return parseKeyBytes(block.Bytes)
	}
	if b, err := base64.StdEncoding.DecodeString(text); err == nil && strings.HasPrefix(string(b), "oca:") {
		text = string(b)
	}
	if rest, ok := strings.CutPrefix(text, "oca:"); ok {
		return parseOCA(rest)
	}
	if b, err := parseHex(text); err == nil {
		return parseKeyBytes(b)
	}
	if b, err := base64.StdEncoding.DecodeString(text); err == nil {
		return parseKeyBytes(b)
	}
	return Key{}, errors.New("public key: want hexadecimal, base64 or PEM")
}

// parseOCA reads what follows the marker: encoding, content type, key.
func parseOCA(text string) (Key, error) {
	encoding, rest, _ := strings.Cut(text, ":")
	content, printed, ok := strings.Cut(rest, ":")
	if !ok || content != "asn1" {
		return Key{}, fmt.Errorf("public key: content type %q: want asn1", content)
	}
	switch encoding {
	case "base16":
		b, err := parseHex(printed)
		if err != nil {
			return Key{}, fmt.Errorf("public key: %w", err)
		}
		return parseKeyBytes(b)
	case "base64":
		b, err := base64.StdEncoding.DecodeString(printed)
		if err != nil {
			return Key{}, fmt.Errorf("public key: %w", err)
		}
		return parseKeyBytes(b)
	}
	return Key{}, fmt.Errorf("public key: encoding %q: want base16 or base64", encoding)
}

// parseHex reads hexadecimal digits as they are printed, in groups and with a prefix.
func parseHex(text string) ([]byte, error) {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
	return hex.DecodeString(strings.NewReplacer(" ", "", ":", "", "-", "", "\n", "", "\r", "", "\t", "").Replace(text))
}

// parseKeyBytes reads an ASN.1 structure or a bare point.
func parseKeyBytes(b []byte) (Key, error) {
	for _, c := range curves {
		if c.curve == nil {
			continue
		}
		size := (c.curve.Params().BitSize + 7) / 8
		point := b
		if len(b) == 2*size { // the two coordinates alone
			point = append([]byte{4}, b...)
		}
		if len(point) != 1+2*size || point[0] != 4 {
			continue
		}
		public, err := ecdsa.ParseUncompressedPublicKey(c.curve, point)
		if err != nil {
			return Key{}, fmt.Errorf("public key: no point of %s: %w", c.name, err)
		}
		return Key{public, c.name}, nil
	}
	if name := curveOf(b); name != "" {
		return parsePKIX(b, name)
	}
	return Key{}, fmt.Errorf("public key: %d bytes that are neither a point nor an ASN.1 structure with a curve of OCMF", len(b))
}

func parsePKIX(b []byte, name string) (Key, error) {
	for _, c := range curves {
		if c.name == name && c.curve == nil {
			return Key{Curve: name}, fmt.Errorf("public key on %s: %w", name, ErrCurve)
		}
	}
	parsed, err := x509.ParsePKIXPublicKey(b)
	if err != nil {
		return Key{}, fmt.Errorf("public key: %w", err)
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return Key{}, errors.New("public key: want one for ECDSA")
	}
	return Key{public, name}, nil
}

// curveOf returns the name of the curve that an ASN.1 public key names; "" if it names none of the format.
func curveOf(b []byte) string {
	var info struct {
		Algorithm struct{ ID, Curve asn1.ObjectIdentifier }
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(b, &info); err != nil || len(rest) > 0 {
		return ""
	}
	for _, c := range curves {
		if c.id.Equal(info.Algorithm.Curve) {
			return c.name
		}
	}
	return ""
}
