package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/local/seed"
)

// secrets are what gives one away. A private key has a body; the words alone are those of a program that reads keys.
var secrets = map[string]*regexp.Regexp{
	"private key as PEM":      regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(?:[A-Za-z-]+: .*\s+)*[A-Za-z0-9+/]{40}`),
	"private key as base64":   regexp.MustCompile(`MIIEv[AgQ]IBADANBgkqhkiG9w0BAQ|MIIE[op][AgwQ]IBAAKCAQE|MHcCAQEEI[A-Za-z0-9+/]{20}|MIGHAgEA[M]BMGByqGSM49`),
	"name and password":       regexp.MustCompile(`(?i)\b(admin|root|user|test|evsed)[:/](admin|root|password|passwd|changeme|secret|1234+)\b`),
	"password in an address":  regexp.MustCompile(`\b(?:https?|ftps?|sftp|wss?)://[a-z0-9]+:[A-Za-z0-9]{6,}@[a-z0-9.-]+\.(?:com|net|org|io|de)\b`),
	"token of a cloud":        regexp.MustCompile(`\b(AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|xox[bp]-[0-9]{10,}-[A-Za-z0-9-]+)\b`),
	"password that is chosen": regexp.MustCompile(`(?i)default[_ ]?(password|passwd|credential)s?["' ]*[:=]+ *["'][^"']+["']`),
}

// keysAlone are what even a test must not have. Tests may have passwords: they are those of peers that tests make up.
var keysAlone = []string{"private key as PEM", "private key as base64", "token of a cloud"}

// found lists what text gives away.
func found(text []byte, names ...string) (what []string) {
	for name, r := range secrets {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		if m := r.Find(text); m != nil {
			what = append(what, name+": "+string(m[:min(len(m), 60)]))
		}
	}
	return what
}

// TestSearchFinds: the search is one that finds something.
func TestSearchFinds(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"pem":    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"base64": base64.StdEncoding.EncodeToString(der),
		"login":  "login=" + "admin" + ":" + "admin",
		"cloud":  "AKIA" + strings.Repeat("A", 16),
		"chosen": "DefaultPassword" + ` = "x1"`,
	} {
		if len(found([]byte("\x00\x01junk "+text+" junk"))) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	if got := found([]byte("-----BEGIN PRIVATE KEY----- is how it begins; password: none")); len(got) > 0 {
		t.Errorf("harmless words: %q", got)
	}
}

// TestSourceHasNoSecrets searches every file of the repository.
func TestSourceHasNoSecrets(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == ".git" || name == "build") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Mode()&0o111 != 0 && info.Size() > 4<<20 {
			return err // a binary that somebody has built
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		var names []string
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
			names = keysAlone
		}
		for _, what := range found(text, names...) {
			t.Errorf("%s: %s", path, what)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestBinaryHasNoSecrets searches the binary as it is shipped.
func TestBinaryHasNoSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evsed")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-tags", "nethttpomithttp2", "-o", path, "./cmd/evsed")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range found(text) {
		t.Errorf("in the binary: %s", what)
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(filepath.Dir(filepath.Dir(home)))) {
		t.Error("it names the folder in which it was built")
	}
}

// TestNoCredentialIsPreset: a seed that gives no password leaves the station without one.
func TestNoCredentialIsPreset(t *testing.T) {
	s, err := seed.Parse("seed.json", []byte(`{"csms":[{"url":"ws://csms.example.com"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Profiles {
		if p.Password != "" {
			t.Errorf("slot %d has a password that nobody gave", p.Slot)
		}
	}
}
