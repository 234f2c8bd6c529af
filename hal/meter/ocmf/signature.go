package ocmf

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// What a signature can be wrong in.
var (
	ErrSignature = errors.New("the payload is not what was signed, or the key is another meter's")
	ErrEncoding  = errors.New("signature is not readable")
)

// defaultAlgorithm is that of a record which names none (Table 22, since version 0.4).
const defaultAlgorithm = "ECDSA-secp256r1-SHA256"

// Algorithm is the signature algorithm of the record, as Table 22 names it.
func (r *Record) Algorithm() string {
	if s := r.signature.text("SA"); s != "" {
		return s
	}
	return defaultAlgorithm
}

// Identification is who the transaction of the record was for (ID).
func (r *Record) Identification() string { return r.fields.text("ID") }

// curve returns the curve of the record's algorithm. Meters add the P that the curves' standard has and the format's table
// has not.
func (r *Record) curve() (string, error) {
	name, ok := strings.CutPrefix(r.Algorithm(), "ECDSA-")
	name, sha := strings.CutSuffix(name, "-SHA256")
	for _, c := range curves {
		if ok && sha && c.name == strings.Replace(name, "brainpoolP", "brainpool", 1) {
			if c.curve == nil {
				return "", fmt.Errorf("%s: %w", c.name, ErrCurve)
			}
			return c.name, nil
		}
	}
	return "", fmt.Errorf("algorithm %q: the format knows no such one", r.Algorithm())
}

// Verify checks the signature of the payload.
func (r *Record) Verify(key Key) error {
	curve, err := r.curve()
	if err != nil {
		return err
	}
	if key.public == nil {
		return fmt.Errorf("public key on %s: %w", key.Curve, ErrCurve)
	}
	if curve != key.Curve {
		return fmt.Errorf("%w: signed with %s, the key is on %s", ErrSignature, curve, key.Curve)
	}
	der, err := r.signatureBytes()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(r.Payload)
	if ecdsa.VerifyASN1(key.public, sum[:], der) {
		return nil
	}
	if _, _, err := points(der); err != nil {
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return ErrSignature
}

// signatureBytes decodes the signature (Table 8).
func (r *Record) signatureBytes() ([]byte, error) {
	if m := r.signature.text("SM"); m != "" && m != "application/x-der" {
		return nil, fmt.Errorf("%w: SM: %q: want application/x-der", ErrEncoding, m)
	}
	data := r.signature.text("SD")
	if data == "" {
		return nil, fmt.Errorf("%w: SD: there is none", ErrEncoding)
	}
	var b []byte
	var err error
	switch e := r.signature.text("SE"); e {
	case "", "hex":
		b, err = parseHex(data)
	case "base64":
		b, err = base64.StdEncoding.DecodeString(data)
	default:
		err = fmt.Errorf("SE: %q: want hex or base64", e)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return b, nil
}

// points takes a DER signature apart, to tell one that is damaged from one that does not fit.
func points(der []byte) (r, s *big.Int, err error) {
	var p struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &p)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows it")
	}
	return p.R, p.S, err
}

// judgeSignatures verifies each record.
func judgeSignatures(records []*Record, key *Key) Verdict {
	if key == nil {
		return Verdict{State: Unknown, Findings: []Finding{{Text: "no public key: it is printed on the meter"}}}
	}
	v := Verdict{State: Good}
	for i, r := range records {
		err := r.Verify(*key)
		if err == nil {
			continue
		}
		v.Findings = append(v.Findings, Finding{Record: i + 1, Text: err.Error()})
		switch {
		case !errors.Is(err, ErrCurve):
			v.State = Bad
		case v.State == Good:
			v.State = Unknown
		}
	}
	return v
}
