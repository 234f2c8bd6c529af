package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// encryptedPEM writes a new P-256 key as PKCS #8 under a password.
func encryptedPEM(t testing.TB, password []byte, iterations int) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pad := aes.BlockSize - len(der)%aes.BlockSize
	der = append(der, bytes.Repeat([]byte{byte(pad)}, pad)...)
	salt, iv := []byte("saltsalt"), make([]byte, aes.BlockSize)
	k, err := pbkdf2.Key(sha256.New, string(password), salt, iterations, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := aes.NewCipher(k)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(der, der)
	marshal := func(v any) asn1.RawValue {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{FullBytes: b}
	}
	var e encryptedKey
	e.Algorithm.OID = oidPBES2
	e.Algorithm.Parameters.KDF = pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: marshal(pbkdf2Parameters{Salt: salt, Iterations: iterations,
		PRF: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue}})}
	e.Algorithm.Parameters.Cipher = pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, Parameters: marshal(iv)}
	e.Data = der
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: marshal(e).FullBytes})
}

func TestEncryptedKeys(t *testing.T) {
	data := encryptedPEM(t, []byte("right"), 1000)
	if _, err := parseKey(data, "right"); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "wrong", "Right"} {
		_, err := parseKey(data, wrong)
		if !errors.Is(err, ErrPassword) || strings.Contains(err.Error(), "right") {
			t.Errorf("password %q: %v", wrong, err)
		}
	}
	block, _ := pem.Decode(encryptedPEM(t, []byte("x"), 1))
	for _, n := range []int{0, 1, 20, len(block.Bytes) - 1} {
		cut := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes[:n]})
		if _, err := parseKey(cut, "x"); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%d bytes of it: %v", n, err)
		}
	}
}

// What openssl writes is what fitters have.
func TestKeysOfOpenSSL(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed: apt-get install openssl")
	}
	run := func(in []byte, args ...string) []byte {
		cmd := exec.Command(path, args...)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v", args, err)
		}
		return out
	}
	for _, plain := range [][]byte{run(nil, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), run(nil, "genrsa", "2048"), run(nil, "ecparam", "-name", "secp521r1", "-genkey")} {
		key, err := parseKey(plain, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{}, {"-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"}, {"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"}} {
			got, err := parseKey(run(plain, append([]string{"pkcs8", "-topk8", "-passout", "pass:geheim"}, args...)...), "geheim")
			if err != nil || !samePublic(got, key) {
				t.Errorf("%v: %v", args, err)
			}
		}
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	small, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	smallDER, _ := x509.MarshalECPrivateKey(small)
	for name, block := range map[string]*pem.Block{
		"RSA with 1024 bits": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(weak)},
		"P-224":              {Type: "EC PRIVATE KEY", Bytes: smallDER},
		"the old encryption": {Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "DES-CBC,0"}, Bytes: []byte("x")},
	} {
		if _, err := parseKey(pem.EncodeToMemory(block), ""); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseKey([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), ""); err == nil {
		t.Error("a certificate for a key")
	}
}
