package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// ownAttributes are those of what was made in this TPM and is of no use elsewhere. noDA: an empty authorization cannot be
// guessed wrongly, so the lockout of others does not concern it.
func ownAttributes() tpm2.TPMAObject {
	return tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true, NoDA: true}
}

// template describes a new signing key; ok is false for what no TPM makes.
func template(alg Algorithm) (public tpm2.TPMTPublic, ok bool) {
	a := ownAttributes()
	a.SensitiveDataOrigin, a.SignEncrypt = true, true
	public = tpm2.TPMTPublic{Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256, ObjectAttributes: a}
	if curve, ok := curves[alg]; ok {
		public.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{CurveID: curve})
		return public, true
	}
	public.Type = tpm2.TPMAlgRSA
	public.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: moduli[alg]})
	return public, moduli[alg] != 0
}

var (
	curves = map[Algorithm]tpm2.TPMECCCurve{P256: tpm2.TPMECCNistP256, P384: tpm2.TPMECCNistP384, P521: tpm2.TPMECCNistP521}
	moduli = map[Algorithm]tpm2.TPMKeyBits{RSA2048: 2048, RSA3072: 3072}
)

func sealTemplate() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256, ObjectAttributes: ownAttributes(),
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgKeyedHash, &tpm2.TPMSKeyedHashParms{}),
	}
}

// registers selects the PCRs of the policy, in the bank of SHA-256.
func (t *tpm) registers() tpm2.TPMLPCRSelection {
	return tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{
		{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(t.sp.pcrs...)}}}
}

// guard binds a new object to today's PCRs, where the spec wants that.
func (t *tpm) guard(public *tpm2.TPMTPublic) error {
	if len(t.sp.pcrs) == 0 {
		return nil
	}
	hash := sha256.New()
	for _, n := range t.sp.pcrs { // one at a time: a TPM reads out no more than it likes
		one := tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(n)}}}
		rsp, err := tpm2.PCRRead{PCRSelectionIn: one}.Execute(t.wire)
		if err != nil {
			return err
		}
		if len(rsp.PCRValues.Digests) != 1 {
			return fmt.Errorf("PCR %d: the TPM has no bank of SHA-256: leave ?pcr= out, or have the bank switched on", n)
		}
		hash.Write(rsp.PCRValues.Digests[0].Buffer)
	}
	calculator, err := tpm2.NewPolicyCalculator(tpm2.TPMAlgSHA256)
	if err != nil {
		return err
	}
	if err := (tpm2.PolicyPCR{Pcrs: t.registers(), PcrDigest: tpm2.TPM2BDigest{Buffer: hash.Sum(nil)}}).Update(calculator); err != nil {
		return err
	}
	public.AuthPolicy = tpm2.TPM2BDigest{Buffer: calculator.Hash().Digest}
	public.ObjectAttributes.UserWithAuth = false
	return nil
}

// authorise makes the session that allows the use of an entry: by its empty password, or by the PCRs.
func (t *tpm) authorise(options ...tpm2.AuthOption) tpm2.Session {
	if len(t.sp.pcrs) > 0 {
		return tpm2.Policy(tpm2.TPMAlgSHA256, 16, func(w transport.TPM, h tpm2.TPMISHPolicy, _ tpm2.TPM2BNonce) error {
			_, err := tpm2.PolicyPCR{PolicySession: h, Pcrs: t.registers()}.Execute(w)
			return err
		}, options...)
	}
	if len(options) > 0 {
		return tpm2.HMAC(tpm2.TPMAlgSHA256, 16, options...)
	}
	return tpm2.PasswordAuth(nil)
}

// blob is the body of an entry: length of the public area u16, public area, wrapped private area.
func blob(public, private []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(public)))
	return append(append(b, public...), private...)
}

func parseBlob(b []byte) (public, private []byte, ok bool) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return nil, nil, false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return b[2:n], b[n:], true
}

// take wraps a key from elsewhere for this TPM's storage key, in software, and has the TPM make it its own: from then on it
// is as safe as one that was made there, but for the file it came from.
func (t *tpm) take(_ []byte, key crypto.Signer) (body []byte, err error) {
	public, sensitive, err := foreign(key)
	if err != nil {
		return nil, err
	}
	err = t.use("import a key", callTimeout, func(w *wire) error {
		if err := t.guard(&public); err != nil {
			return err
		}
		name, err := tpm2.ObjectName(&public)
		if err != nil {
			return err
		}
		target, err := tpm2.ImportEncapsulationKey(&t.parent.public)
		if err != nil {
			return err
		}
		duplicate, seed, err := tpm2.CreateDuplicate(rand.Reader, target, name.Buffer, tpm2.Marshal(sensitive))
		if err != nil {
			return err
		}
		rsp, err := tpm2.Import{
			ParentHandle: t.authParent(false), ObjectPublic: tpm2.New2B(public), Duplicate: tpm2.TPM2BPrivate{Buffer: duplicate},
			InSymSeed: tpm2.TPM2BEncryptedSecret{Buffer: seed}, Symmetric: tpm2.TPMTSymDef{Algorithm: tpm2.TPMAlgNull},
		}.Execute(w)
		if err == nil {
			body = blob(tpm2.Marshal(public), rsp.OutPrivate.Buffer)
		}
		return err
	})
	return body, err
}

// foreign describes a private key to a TPM.
func foreign(key crypto.Signer) (public tpm2.TPMTPublic, sensitive tpm2.TPMTSensitive, err error) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		point, err := k.PublicKey.Bytes() // 4, x, y
		if err != nil {
			return public, sensitive, err
		}
		scalar, err := k.Bytes()
		if err != nil {
			return public, sensitive, err
		}
		public, _ = template(algorithms[k.Curve])
		n := len(point) / 2
		public.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{
			X: tpm2.TPM2BECCParameter{Buffer: point[1 : 1+n]}, Y: tpm2.TPM2BECCParameter{Buffer: point[1+n:]}})
		sensitive = tpm2.TPMTSensitive{SensitiveType: tpm2.TPMAlgECC,
			Sensitive: tpm2.NewTPMUSensitiveComposite(tpm2.TPMAlgECC, &tpm2.TPM2BECCParameter{Buffer: scalar})}
	case *rsa.PrivateKey:
		if len(k.Primes) != 2 || k.E != 65537 {
			return public, sensitive, fmt.Errorf("%w: RSA with more than two primes, or an exponent other than 65537", ErrUnsupported)
		}
		n := k.Size()
		public, _ = template(Algorithm(fmt.Sprint("RSA-", n*8)))
		public.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: k.N.FillBytes(make([]byte, n))})
		sensitive = tpm2.TPMTSensitive{SensitiveType: tpm2.TPMAlgRSA,
			Sensitive: tpm2.NewTPMUSensitiveComposite(tpm2.TPMAlgRSA, &tpm2.TPM2BPrivateKeyRSA{Buffer: k.Primes[0].FillBytes(make([]byte, n/2))})}
		if k.Primes[0].BitLen() != k.N.BitLen()/2 || moduli[Algorithm(fmt.Sprint("RSA-", n*8))] == 0 {
			return public, sensitive, fmt.Errorf("%w: RSA with %d bits: a TPM takes 2048 and some take 3072", ErrUnsupported, k.N.BitLen())
		}
	default:
		return public, sensitive, fmt.Errorf("%w: %T", ErrUnsupported, key)
	}
	public.ObjectAttributes = tpm2.TPMAObject{UserWithAuth: true, NoDA: true, SignEncrypt: true}
	return public, sensitive, nil
}

var algorithms = map[elliptic.Curve]Algorithm{elliptic.P256(): P256, elliptic.P384(): P384, elliptic.P521(): P521}

// tpmSigner is a key in the TPM. It may be used from any goroutine.
type tpmSigner struct {
	tpm    *tpm
	public crypto.PublicKey
	body   []byte
}

func (s *tpmSigner) Public() crypto.PublicKey { return s.public }

// hashes are those that signatures of TLS and certificates use here.
var hashes = map[crypto.Hash]tpm2.TPMAlgID{crypto.SHA256: tpm2.TPMAlgSHA256, crypto.SHA384: tpm2.TPMAlgSHA384, crypto.SHA512: tpm2.TPMAlgSHA512}

// Sign signs a digest. It blocks for as long as the TPM takes, at most some seconds.
func (s *tpmSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	alg, ok := hashes[opts.HashFunc()]
	if !ok || len(digest) != opts.HashFunc().Size() {
		return nil, fmt.Errorf("sign with the TPM: %w: want a digest of SHA-256, SHA-384 or SHA-512", ErrUnsupported)
	}
	ec, isEC := s.public.(*ecdsa.PublicKey)
	var scheme tpm2.TPMTSigScheme
	switch pss, isPSS := opts.(*rsa.PSSOptions); {
	case isEC:
		n := (ec.Curve.Params().BitSize + 7) / 8
		switch { // ECDSA uses no more of it, and not every TPM has the longer hash
		case n == 32:
			digest, alg = digest[:n], tpm2.TPMAlgSHA256
		case n == 48 && len(digest) > n:
			digest, alg = digest[:n], tpm2.TPMAlgSHA384
		}
		scheme = tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: alg})}
	case isPSS:
		if pss.SaltLength != rsa.PSSSaltLengthEqualsHash && pss.SaltLength != rsa.PSSSaltLengthAuto && pss.SaltLength != len(digest) {
			return nil, fmt.Errorf("sign with the TPM: %w: want a PSS salt as long as the hash", ErrUnsupported)
		}
		scheme = tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgRSAPSS, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgRSAPSS, &tpm2.TPMSSchemeHash{HashAlg: alg})}
	default:
		scheme = tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgRSASSA, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSchemeHash{HashAlg: alg})}
	}
	var signature []byte
	err := s.tpm.loaded("sign", s.body, func(w *wire, h tpm2.AuthHandle) error {
		h.Auth = s.tpm.authorise()
		rsp, err := tpm2.Sign{KeyHandle: h, Digest: tpm2.TPM2BDigest{Buffer: digest}, InScheme: scheme,
			Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck}}.Execute(w)
		if err == nil {
			signature, err = encode(&rsp.Signature)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return signature, s.fits(digest, signature, opts)
}

// encode writes a TPM's signature as Go has it.
func encode(s *tpm2.TPMTSignature) ([]byte, error) {
	switch s.SigAlg {
	case tpm2.TPMAlgECDSA:
		p, err := s.Signature.ECDSA()
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(p.SignatureR.Buffer), new(big.Int).SetBytes(p.SignatureS.Buffer)})
	case tpm2.TPMAlgRSASSA:
		p, err := s.Signature.RSASSA()
		if err != nil {
			return nil, err
		}
		return p.Sig.Buffer, nil
	case tpm2.TPMAlgRSAPSS:
		p, err := s.Signature.RSAPSS()
		if err != nil {
			return nil, err
		}
		return p.Sig.Buffer, nil
	}
	return nil, errors.New("the TPM signed with another algorithm")
}

// fits finds TPMs whose PSS salts are as long as the modulus allows: TLS wants them as long as the hash.
func (s *tpmSigner) fits(digest, signature []byte, opts crypto.SignerOpts) error {
	key, ok := s.public.(*rsa.PublicKey)
	if _, isPSS := opts.(*rsa.PSSOptions); !ok || !isPSS {
		return nil
	}
	if err := rsa.VerifyPSS(key, opts.HashFunc(), digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
		return fmt.Errorf("sign with the TPM: %w: its PSS salts are not as TLS wants them: use a P-256 key", ErrUnsupported)
	}
	return nil
}
