package rauc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// system is a RAUC that others wrote, over files for slots and a script for a boot loader.
type system struct {
	t       *testing.T
	dir     string
	address string
}

func (s *system) file(name string) string { return filepath.Join(s.dir, name) }

func (s *system) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

const bootLoader = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
case $1 in
get-primary) cat primary ;;
set-primary) echo "$2" >primary ;;
get-state) cat "state.$2" ;;
set-state) echo "$3" >"state.$2" ;;
get-current) echo A ;;
esac
`

func newSystem(t *testing.T) *system {
	t.Helper()
	for _, program := range []string{"rauc", "mksquashfs"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed: apt-get install rauc squashfs-tools")
		}
	}
	s := &system{t: t, dir: t.TempDir(), address: startBus(t)}
	s.certificate("maker")
	s.certificate("other")
	s.write("boot", bootLoader, 0o700)
	for name, text := range map[string]string{"primary": "A\n", "state.A": "good\n", "state.B": "good\n", "a.img": strings.Repeat("a", 64<<10), "b.img": strings.Repeat("b", 64<<10)} {
		s.write(name, text, 0o600)
	}
	s.write("system.conf", strings.ReplaceAll(`[system]
compatible=box
bootloader=custom
bundle-formats=plain verity
statusfile=DIR/status
mountprefix=DIR/mnt
[handlers]
bootloader-custom-backend=DIR/boot
[keyring]
path=DIR/maker.crt
[slot.rootfs.0]
device=DIR/a.img
type=raw
bootname=A
[slot.rootfs.1]
device=DIR/b.img
type=raw
bootname=B
`, "DIR", s.dir), 0o600)
	cmd := exec.Command("rauc", "--conf="+s.file("system.conf"), "--override-boot-slot=A", "service")
	cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+s.address, "DBUS_STARTER_BUS_TYPE=session")
	cmd.Dir = s.dir
	run(t, cmd)
	await(t, "RAUC", func() bool {
		b, err := dial(t.Context(), s.address)
		if err != nil {
			return false
		}
		defer b.close()
		_, err = b.slots(t.Context())
		return err == nil
	})
	return s
}

// certificate makes a key and a certificate that vouches for itself.
func (s *system) certificate(name string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte(name)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name+".crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})), 0o600)
	s.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600)
}

// build makes a bundle.
func (s *system) build(signer, compatible, version, format string) []byte {
	s.t.Helper()
	in, out := s.file("in"), s.file("built.raucb")
	if err := errors.Join(os.RemoveAll(in), os.RemoveAll(out), os.Mkdir(in, 0o700)); err != nil {
		s.t.Fatal(err)
	}
	noise := make([]byte, 60<<10) // what cannot be packed: a bundle of a page is none
	_, _ = rand.Read(noise)
	s.write("in/root.img", version+"\n"+string(noise), 0o600)
	s.write("in/manifest.raucm", fmt.Sprintf("[update]\ncompatible=%s\nversion=%s\n[bundle]\nformat=%s\n[image.rootfs]\nfilename=root.img\n", compatible, version, format), 0o600)
	cmd := exec.Command("rauc", "--cert="+s.file(signer+".crt"), "--key="+s.file(signer+".key"), "bundle", in, out)
	if said, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// What this package says and hears has the names and types that the real program has.
func TestNamesOfTheRealOne(t *testing.T) {
	s := newSystem(t)
	b, err := dial(t.Context(), s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var xml string
	if err := b.call(t.Context(), "org.freedesktop.DBus.Introspectable.Introspect", nil, &xml); err != nil {
		t.Fatal(err)
	}
	for member, types := range map[string]string{
		"method Info": "s s s", "method InstallBundle": "s a{sv}", "method Mark": "s s s s", "method GetSlotStatus": "a(sa{sv})", "method GetPrimary": "s",
		"signal Completed": "i", "property Operation": "s", "property LastError": "s", "property Compatible": "s", "property Progress": "(isi)",
	} {
		kind, name, _ := strings.Cut(member, " ")
		pattern := `(?s)<` + kind + ` name="` + name + `">.*?</` + kind + `>`
		if kind == "property" {
			pattern = `<property[^>]* name="` + name + `"[^>]*>`
		}
		found := regexp.MustCompile(pattern).FindString(xml)
		var got []string
		for _, m := range regexp.MustCompile(` type="([^"]*)"`).FindAllStringSubmatch(found, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != types {
			t.Errorf("%s has the types %q, want %q", member, got, types)
		}
	}
}

// Bundles that the real program takes and refuses.
func TestRealChecks(t *testing.T) {
	s := newSystem(t)
	for _, row := range []struct {
		name   string
		bundle func() []byte
		want   error
	}{
		{"plain", func() []byte { return s.build("maker", "box", "2.0.0", "plain") }, nil},
		{"verity", func() []byte { return s.build("maker", "box", "2.0.0", "verity") }, nil},
		{"another system", func() []byte { return s.build("maker", "toaster", "2.0.0", "verity") }, image.ErrHardware},
		{"another signer", func() []byte { return s.build("other", "box", "2.0.0", "verity") }, ErrRefused},
		{"cut", func() []byte { b := s.build("maker", "box", "2.0.0", "verity"); return b[:len(b)-1] }, ErrRefused},
		{"no bundle", func() []byte { return []byte("#!/bin/sh\n") }, ErrRefused},
		{"a byte of a plain one", func() []byte {
			b := s.build("maker", "box", "2.0.0", "plain")
			b[len(b)/3] ^= 1
			return b
		}, ErrRefused},
		{"a byte of a signature", func() []byte {
			b := s.build("maker", "box", "2.0.0", "verity")
			b[len(b)-30] ^= 1
			return b
		}, ErrRefused},
	} {
		i, err := Open(t.Context(), s.address, t.TempDir(), Options{Boot: "1"})
		if err != nil {
			t.Fatal(err)
		}
		stage(t, i, row.bundle())
		m, err := i.Check()
		if !errors.Is(err, row.want) || err == nil && (m.Product != "box" || m.Version.String() != "2.0.0") {
			t.Errorf("%s: %+v: %v", row.name, m, err)
		}
	}
}

func stage(t *testing.T, i *Installer, data []byte) {
	t.Helper()
	w, err := i.Stage(t.Context(), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Marks reach the boot loader.
func TestRealMarks(t *testing.T) {
	s := newSystem(t)
	i, err := Open(t.Context(), s.address, t.TempDir(), Options{Boot: "2"})
	if err != nil {
		t.Fatal(err)
	}
	s.write("state.A", "bad\n", 0o600)
	if err := i.Good(); err != nil {
		t.Fatal(err)
	}
	if got := i.Status(); got.Running.Slot != "rootfs.0" || got.Next != "rootfs.0" || s.read("state.A") != "good" {
		t.Errorf("%+v, and the boot loader knows %s", got, s.read("state.A"))
	}
	// As after an update that the boot loader tries: what is booted is on trial, and the other was good before.
	if err := i.change(func(n *note) { n.From, n.Boot, n.To, n.Done = "rootfs.1", "1", "2.0.0", true }); err != nil {
		t.Fatal(err)
	}
	if err := i.Probe(); err != nil || !i.Status().Running.Trial {
		t.Fatalf("%+v: %v", i.Status(), err)
	}
	if err := i.Rollback(); err != nil || s.read("state.A") != "bad" || s.read("primary") != "B" {
		t.Errorf("the boot loader takes %s, and A is %s: %v", s.read("primary"), s.read("state.A"), err)
	}
}

// The real program writes a slot, where it may mount a bundle.
func TestRealInstallation(t *testing.T) {
	s := newSystem(t)
	i, err := Open(t.Context(), s.address, t.TempDir(), Options{Boot: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"plain", "verity"} {
		stage(t, i, s.build("maker", "box", "2.0.0", format))
		before := s.read("b.img")
		if err := i.Activate(); err != nil {
			if !errors.Is(err, ErrRefused) || s.read("b.img") != before || s.read("primary") != "A" || i.Status().Trial || i.Status().Running.Slot != "rootfs.0" {
				t.Fatalf("%s: %+v: %v", format, i.Status(), err)
			}
			t.Logf("%s: refused, and told so: %v", format, err)
			continue
		}
		if b, _ := os.ReadFile(s.file("b.img")); !bytes.HasPrefix(b, []byte("2.0.0\n")) || s.read("primary") != "B" || i.Status().Next != slot.Name("rootfs.1") {
			t.Errorf("%s: the boot loader takes %s: %+v", format, s.read("primary"), i.Status())
		}
		return
	}
	t.Skip("RAUC may not mount a bundle here: it installs as root of a machine only")
}
