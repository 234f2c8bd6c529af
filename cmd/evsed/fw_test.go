package main

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFirmwareTools is the way of an image on the build host, and what is said to those who take a wrong turn.
func TestFirmwareTools(t *testing.T) {
	m := newMaker(t)
	path := func(name string) string { return filepath.Join(m.dir, name) }
	put := func(name, text string) string {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	binary, phrase, wrong := put("binary", strings.Repeat("evsed 1.2.3\n", 99)), put("phrase", "open sesame\n"), put("wrong", "open barley\n")
	packed := func(to string, more ...string) []string {
		return append([]string{"pack", "--binary", binary, "--version", "1.2.3", "--security", "7", "--target", "linux/arm/7", "--hardware", "cc-1:2-4", "--hardware", "cc2",
			"--released", "2026-11-22T12:00:00Z", "--min-agent", "1.0.0", "--out", path(to)}, more...)
	}
	m.fw(packed("a.raw")...)
	m.fw(packed("b.raw")...)
	m.fw("keygen", "--out", path("safe"), "--type", "ed25519", "--passphrase-file", phrase)
	for _, key := range []string{"maker.key", "safe.key"} {
		if info, err := os.Stat(path(key)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, mode %v", key, err, info.Mode())
		}
	}
	m.fw("sign", "--image", path("a.raw"), "--key", path("maker.key"), "--out", path("a"))
	m.fw("sign", "--image", path("b.raw"), "--key", path("maker.key"), "--out", path("b"))
	m.fw("sign", "--image", path("a.raw"), "--key", path("safe.key"), "--passphrase-file", phrase, "--out", path("safe"))
	sum := func(name string) [32]byte {
		b, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b)
	}
	if sum("a") != sum("b") || sum("a") == sum("a.raw") {
		t.Error("the same input makes other bytes")
	}
	m.fw("verify", "--image", path("safe"), "--fw-keys", m.keys, "--fw-keys", path("safe.pub"), "--hardware", "cc-1:3", "--target", "linux/arm/7")
	text := m.fw("inspect", "--image", path("a"))
	for _, want := range []string{"version           1.2.3", "security version  7", "cc-1 revisions 2 to 4", "cc2 revisions 0 to 0", "released          2026-11-22T12:00:00Z", "evsed 1.0.0 or newer", "payload           1188 bytes", "signed            by key"} {
		if !strings.Contains(text, want) {
			t.Errorf("inspect does not say %q:\n%s", want, text)
		}
	}
	changed, _ := os.ReadFile(path("a"))
	changed[len(changed)-1] ^= 1
	put("changed", string(changed))
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no command", nil, exitUsage, []string{"keygen", "pack", "sign", "verify", "inspect"}},
		{"no such command", []string{"burn"}, exitUsage, []string{"want a command"}},
		{"a flag that there is not", []string{"inspect", "--file", "x"}, exitUsage, []string{"-file", "want --image"}},
		{"a key over another", []string{"keygen", "--out", path("maker")}, exitUsage, []string{"maker.key is there already", "want a new name"}},
		{"a kind of key", []string{"keygen", "--out", path("k"), "--type", "rsa"}, exitUsage, []string{`"rsa"`, "want p256 or ed25519"}},
		{"an empty passphrase", []string{"keygen", "--out", path("k"), "--passphrase-file", put("empty", "\n")}, exitUsage, []string{"empty", "want a passphrase"}},
		{"an image over another", packed("a.raw"), exitUsage, []string{"a.raw is there already"}},
		{"a version that is not that of the binary", packed("c", "--version", "1.2.4"), exitUsage, []string{"1.2.4", "make build VERSION=1.2.4"}},
		{"half a version", packed("c", "--version", "1.2"), exitUsage, []string{"--version", "1.2.3-rc.1"}},
		{"hardware", packed("c", "--hardware", "cc1:4-2"), exitUsage, []string{"--hardware", "cc1:2-4"}},
		{"a date", packed("c", "--released", "yesterday"), exitUsage, []string{"--released", "2026-11-22"}},
		{"a security version", packed("c", "--security", "high"), exitUsage, []string{"--security", "a number"}},
		{"no binary", []string{"pack", "--version", "1.2.3"}, exitUsage, []string{"--binary is missing"}},
		{"no passphrase", []string{"sign", "--image", path("a.raw"), "--key", path("safe.key"), "--out", path("c")}, exitUsage, []string{"safe.key", "passphrase is wrong", "want --passphrase-file"}},
		{"another passphrase", []string{"sign", "--image", path("a.raw"), "--key", path("safe.key"), "--passphrase-file", wrong, "--out", path("c")}, exitUsage, []string{"passphrase is wrong"}},
		{"a public key", []string{"sign", "--image", path("a.raw"), "--key", path("safe.pub"), "--out", path("c")}, exitUsage, []string{"safe.pub", "PUBLIC KEY", "want PRIVATE KEY"}},
		{"another's key", []string{"verify", "--image", path("safe"), "--fw-keys", m.keys}, exitFailed, []string{"signer is not trusted"}},
		{"not signed", []string{"verify", "--image", path("a.raw"), "--fw-keys", m.keys}, exitFailed, []string{"a.raw", "not signed"}},
		{"changed", []string{"verify", "--image", path("changed"), "--fw-keys", m.keys}, exitFailed, []string{"payload is not the one that was signed"}},
		{"other hardware", []string{"verify", "--image", path("a"), "--fw-keys", m.keys, "--hardware", "cc-1:5"}, exitFailed, []string{"other hardware", "revision 5"}},
		{"no image", []string{"inspect", "--image", binary}, exitFailed, []string{"not a firmware image"}},
		{"no key for the stations", []string{"verify", "--image", path("a"), "--fw-keys", path("maker.key")}, exitUsage, []string{"PRIVATE KEY", "want PUBLIC KEY or CERTIFICATE"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := dispatch(append([]string{"fw"}, test.args...), &out, &errs); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, w := range test.want {
				if !strings.Contains(errs.String(), w) {
					t.Errorf("%q does not say %q", errs.String(), w)
				}
			}
			if strings.Count(errs.String(), "\n") != 1 || strings.Contains(errs.String(), "sesame") {
				t.Errorf("want one line without secrets: %q", errs.String())
			}
		})
	}
	if _, err := os.Stat(path("c")); err == nil {
		t.Error("something was written all the same")
	}
}

// TestLaunchMistakes: what is wrong on the command line is one line.
func TestLaunchMistakes(t *testing.T) {
	m := newMaker(t)
	slots := filepath.Join(t.TempDir(), "slots")
	base := []string{"launch", "--slots", slots, "--fw-keys", m.keys, "--hardware", "cc1"}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no slots", []string{"launch", "--", "run"}, "--slots: want a directory"},
		{"no keys", []string{"launch", "--slots", slots, "--hardware", "cc1", "--", "run"}, "--fw-keys: want a file"},
		{"keys that are not there", []string{"launch", "--slots", slots, "--fw-keys", "nothing", "--hardware", "cc1", "--", "run"}, "--fw-keys: open nothing"},
		{"no hardware", []string{"launch", "--slots", slots, "--fw-keys", m.keys, "--", "run"}, "--hardware: want ID"},
		{"hardware", []string{"launch", "--slots", slots, "--fw-keys", m.keys, "--hardware", "a b", "--", "run"}, "--hardware: \"a b\""},
		{"nothing to start", base, "want what to start behind --"},
		{"something else to start", append(base, "--", "guard"), "want what to start behind --"},
		{"no time at all", append(base, "--trial-time", "1ms", "--", "run"), "--trial-time: 1ms: want 1s to 24h"},
		{"slots in a file", []string{"launch", "--slots", m.keys, "--fw-keys", m.keys, "--hardware", "cc1", "--", "run"}, "--slots: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := dispatch(test.args, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), test.want) || strings.Count(errs.String(), "\n") != 1 {
				t.Errorf("exit code %d, %q, want %q", code, errs.String(), test.want)
			}
		})
	}
	t.Setenv(bootVariable, `{"Slots":"x","Shell":"y"}`)
	var errs bytes.Buffer
	if code := dispatch([]string{"run"}, io.Discard, &errs); code != exitUsage || !strings.Contains(errs.String(), bootVariable) {
		t.Errorf("a variable that no launcher sets: exit %d, %s", code, errs.String())
	}
}
