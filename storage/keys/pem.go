package keys

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/pbkdf2"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
)

// parseKey reads the first private key of a PEM file.
func parseKey(data []byte, password string) (crypto.Signer, error) {
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			return nil, errors.New("no private key: want PEM with BEGIN PRIVATE KEY")
		}
		if block.Headers["DEK-Info"] != "" {
			return nil, fmt.Errorf("%w: this old encryption guards nothing: convert it with openssl pkcs8 -topk8", ErrUnsupported)
		}
		switch block.Type {
		case "PRIVATE KEY":
			return pkcs8(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			der, err := decrypt(block.Bytes, password)
			if err != nil {
				return nil, err
			}
			key, err := pkcs8(der)
			if err != nil && !errors.Is(err, ErrUnsupported) {
				return nil, ErrPassword // a wrong one yields anything
			}
			return key, err
		case "EC PRIVATE KEY":
			key, err := x509.ParseECPrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			return fit(key)
		case "RSA PRIVATE KEY":
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			return fit(key)
		}
	}
}

// Public returns the public key of the first private key of a PEM text, so that a certificate can be found for it.
func Public(data []byte, password string) (crypto.PublicKey, error) {
	key, err := parseKey(data, password)
	if err != nil {
		return nil, err
	}
	return key.Public(), nil
}

func pkcs8(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return fit(key)
}

// Bounds of an RSA modulus in bits: A00.FR.501 wants 2048 and more.
const (
	leastRSA = 2048
	mostRSA  = 8192
)

// fit refuses keys that no certificate of a station may have.
func fit(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if algorithms[k.Curve] == "" { // A00.FR.502: at least 112 bits
			return nil, fmt.Errorf("%w: %s: want P-256, P-384 or P-521", ErrUnsupported, k.Curve.Params().Name)
		}
		return k, nil
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n < leastRSA || n > mostRSA {
			return nil, fmt.Errorf("%w: RSA with %d bits: want %d to %d", ErrUnsupported, n, leastRSA, mostRSA)
		}
		return k, nil
	}
	return nil, fmt.Errorf("%w: %T: want ECDSA or RSA", ErrUnsupported, key)
}

// Object identifiers of RFC 8018 (PBES2, PBKDF2) and NIST (AES in CBC mode).
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	prfs      = map[string]func() hash.Hash{
		"1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}
	aesKeySizes = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32}
)

// maxIterations bounds the work that a file can ask for: ten times what is customary.
const maxIterations = 10_000_000

type encryptedKey struct {
	Algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	}
	Data []byte
}

type pbkdf2Parameters struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decrypt opens an EncryptedPrivateKeyInfo (RFC 5958) by PBES2 with AES-CBC (RFC 8018), which is what openssl writes.
func decrypt(der []byte, password string) ([]byte, error) {
	var e encryptedKey
	var kdf pbkdf2Parameters
	var iv []byte
	_, err := asn1.Unmarshal(der, &e)
	p := &e.Algorithm.Parameters
	if err != nil || !e.Algorithm.OID.Equal(oidPBES2) || !p.KDF.Algorithm.Equal(oidPBKDF2) || aesKeySizes[p.Cipher.Algorithm.String()] == 0 {
		return nil, fmt.Errorf("%w: encryption other than PBES2 with AES: convert it with openssl pkcs8 -topk8", ErrUnsupported)
	}
	_, err = asn1.Unmarshal(p.KDF.Parameters.FullBytes, &kdf)
	_, err2 := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv)
	newHash := sha1.New // RFC 8018: the default
	if len(kdf.PRF.Algorithm) > 0 {
		newHash = prfs[kdf.PRF.Algorithm.String()]
	}
	if err != nil || err2 != nil || newHash == nil || len(iv) != aes.BlockSize || len(e.Data) == 0 || len(e.Data)%aes.BlockSize != 0 ||
		kdf.Iterations < 1 || kdf.Iterations > maxIterations {
		return nil, fmt.Errorf("%w: encryption that is not understood: convert it with openssl pkcs8 -topk8", ErrUnsupported)
	}
	key, err := pbkdf2.Key(newHash, password, kdf.Salt, kdf.Iterations, aesKeySizes[p.Cipher.Algorithm.String()])
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(e.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, e.Data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, ErrPassword
	}
	return plain[:len(plain)-pad], nil
}
