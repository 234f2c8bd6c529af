package term

import "encoding/base64"

const hexDigits = "0123456789abcdef"

// OCAPublicKey spells the public key of a meter (SubjectPublicKeyInfo, DER) as OCPP carries it: base64 of marker, encoding,
// kind of content, and the key as it is printed on a meter (signed meter values 1.0, 3.2.2; J02.FR.23). "" without a key.
func OCAPublicKey(der []byte) string {
	if len(der) == 0 {
		return ""
	}
	text := []byte("oca:base16:asn1:")
	for _, b := range der {
		text = append(text, hexDigits[b>>4], hexDigits[b&15])
	}
	return base64.StdEncoding.EncodeToString(text)
}
