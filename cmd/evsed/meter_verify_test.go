package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMeterVerify(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	payload := `{"FV":"1.4","GS":"1","PG":"T1","MS":"1EMH001","IS":false,"IT":"NONE","RD":[` +
		`{"TM":"2026-03-01T12:00:00,000+0100 I","TX":"B","RV":1.5,"RI":"01-00:B2.08.00*FF","RU":"kWh","ST":"G"},` +
		`{"TM":"2026-03-01T13:00:00,000+0100 I","TX":"E","RV":9.25,"ST":"G"}]}`
	sum := sha256.Sum256([]byte(payload))
	der, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	whole := write("whole.ocmf", fmt.Sprintf("OCMF|%s|{\"SD\":\"%x\"}\n", payload, der))
	forged := write("forged.ocmf", fmt.Sprintf("OCMF|%s|{\"SD\":\"%x\"}\n", strings.Replace(payload, "9.25", "3.25", 1), der))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"good", []string{whole, "--key", hex.EncodeToString(pub)}, exitOK, "signature    good\ncompleteness good\nsemantics    good\n    remark: record 1: RD[0].TM: the clock is informative"},
		{"key in a file", []string{"--key", write("key", hex.EncodeToString(pub)), whole}, exitOK, "signature    good"},
		{"forged", []string{forged, "--key", hex.EncodeToString(pub)}, exitFailed, "signature    bad\n    record 1: the payload is not what was signed"},
		{"no key", []string{whole}, exitFailed, "signature    unknown\n    no public key: it is printed on the meter\ncompleteness good"},
		{"no file", []string{}, exitUsage, "want FILE"},
		{"file that is not there", []string{whole + "x"}, exitUsage, "no such file"},
		{"no key at all", []string{whole, "--key", "zz"}, exitUsage, "hexadecimal, base64 or PEM"},
		{"no record", []string{write("x", "<xml/>")}, exitFailed, "not OCMF"},
	} {
		var out, errs bytes.Buffer
		code := dispatch(append([]string{"meter", "verify"}, c.args...), &out, &errs)
		if code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("%s: exit %d\n%s%s\nwant %d, %q", c.name, code, out.String(), errs.String(), c.code, c.want)
		}
	}
}
