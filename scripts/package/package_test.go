package packaging

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const version = "1.2.3~test"

// need skips a test whose program is not there.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed: what it checks was not checked", p)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

var folder string // of the binary that all tests pack

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// build makes the product for this machine, once.
var build = sync.OnceValues(func() (binary string, err error) {
	if folder, err = os.MkdirTemp("", "packages"); err != nil {
		return "", err
	}
	binary = filepath.Join(folder, "evsed")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.release="+version, "-o", binary, "github.com/evsed/evsed/cmd/evsed")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build evsed: %w: %s", err, out)
	}
	return binary, nil
})

func evsed(t *testing.T) string {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// pack makes a package twice, which must give the same bytes, and returns the path of the first.
func pack(t *testing.T, kind, binary, arch string) string {
	t.Helper()
	var first []byte
	path := ""
	for range 2 {
		file := strings.TrimSpace(run(t, "./package.sh", kind, binary, arch, version, t.TempDir()))
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, path = b, file
		} else if !bytes.Equal(first, b) {
			t.Errorf("%s: made twice, two packages", kind)
		}
	}
	return path
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDeb installs the Debian package below a folder as dpkg does it, runs what it brought, and removes it.
func TestDeb(t *testing.T) {
	need(t, "dpkg-deb", "dpkg", "xz")
	deb := pack(t, "deb", evsed(t), runtime.GOARCH)
	about := run(t, "dpkg-deb", "-I", deb)
	for _, want := range []string{"Package: evsed", "Version: " + version, "Architecture: " + runtime.GOARCH, "conffiles", "postinst", "prerm", "postrm", "md5sums"} {
		if !strings.Contains(about, want) {
			t.Errorf("dpkg-deb -I: no %q in\n%s", want, about)
		}
	}
	list := run(t, "dpkg-deb", "-c", deb)
	for _, want := range []string{"-rwxr-xr-x root/root ", "./usr/bin/evsed", "./usr/lib/systemd/system/evsed.service", "./usr/lib/systemd/system/evsed-guard.service",
		"./usr/lib/udev/rules.d/70-evsed.rules", "./usr/lib/sysusers.d/evsed.conf", "./etc/default/evsed", "./usr/share/evsed/boards/ac-wallbox-cm4.yaml", "./usr/share/doc/evsed/copyright"} {
		if !strings.Contains(list, want) {
			t.Errorf("dpkg-deb -c: no %q in\n%s", want, list)
		}
	}
	root := t.TempDir()
	run(t, "dpkg-deb", "-x", deb, root)
	if got := run(t, filepath.Join(root, "usr/bin/evsed"), "version"); !strings.Contains(got, version) {
		t.Errorf("evsed version says %q, want %s", got, version)
	}
	run(t, filepath.Join(root, "usr/bin/evsed"), "board", "validate", filepath.Join(root, "usr/share/evsed/boards/ac-wallbox-cm4.yaml"))
}

// TestDebInstalls lets dpkg run the package's scripts, below a folder in place of a system.
func TestDebInstalls(t *testing.T) {
	need(t, "dpkg-deb", "dpkg", "xz", "systemd-sysusers", "systemd-tmpfiles")
	if os.Getuid() != 0 {
		t.Skip("not root: dpkg installs nothing")
	}
	deb := pack(t, "deb", evsed(t), runtime.GOARCH)
	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{"var/lib/dpkg/status": "", "var/lib/dpkg/available": "", "etc/group": "root:x:0:\ndialout:x:20:\ninput:x:101:\n",
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dpkg := func(args ...string) string {
		return run(t, "dpkg", append([]string{"--root=" + root, "--force-script-chrootless", "--force-depends", "--force-confold"}, args...)...)
	}
	dpkg("-i", deb)
	if passwd, group := read(t, root, "etc/passwd"), read(t, root, "etc/group"); !strings.Contains(passwd, "\nevsed:") || !regexp.MustCompile(`(?m)^gpio:.*\bevsed\b`).MatchString(group) {
		t.Errorf("no user evsed, or not in group gpio: %s%s", passwd, group)
	}
	if s, err := os.Stat(filepath.Join(root, "var/lib/evsed")); err != nil || s.Mode().Perm() != 0o700 {
		t.Errorf("state folder: %v, %v, want mode 0700", s, err)
	}
	defaults := filepath.Join(root, "etc/default/evsed")
	if err := os.WriteFile(defaults, []byte("EVSED_BOARD=\"--mine\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dpkg("-i", deb) // the same again, as an upgrade does it
	if !strings.Contains(read(t, defaults), "--mine") {
		t.Error("an upgrade has overwritten /etc/default/evsed")
	}
	dpkg("--remove", "evsed")
	if _, err := os.Stat(filepath.Join(root, "usr/bin/evsed")); err == nil {
		t.Error("evsed is still there")
	}
	if said := dpkg("--purge", "evsed"); !strings.Contains(said, "state is left in /var/lib/evsed") {
		t.Errorf("purge does not tell where the state is: %s", said)
	}
}

// TestUnitsOfThePackage: systemd understands units and drop-ins as they lie in the package.
func TestUnitsOfThePackage(t *testing.T) {
	need(t, "systemd-analyze")
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "/usr/bin/evsed", self)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("evsed.service", read(t, "../systemd/evsed.service"))
	write("evsed-guard.service", read(t, "../systemd/evsed-guard.service"))
	write("evsed.service.d/board.conf", read(t, "files/board.conf"))
	write("evsed-guard.service.d/board.conf", read(t, "files/board.conf"))
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, "evsed.service"), filepath.Join(dir, "evsed-guard.service")).CombinedOutput()
	if strings.Contains(string(out), "Failed to") && !strings.Contains(string(out), dir) {
		t.Skipf("systemd-analyze cannot work here: %s", out)
	}
	if err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestIpk unpacks the OpenWrt package as opkg does.
func TestIpk(t *testing.T) {
	need(t, "tar", "gzip")
	ipk := pack(t, "ipk", evsed(t), "x86_64")
	dir := t.TempDir()
	run(t, "tar", "-C", dir, "-xzf", ipk)
	if got := read(t, dir, "debian-binary"); got != "2.0\n" {
		t.Errorf("debian-binary %q", got)
	}
	for _, part := range []string{"control", "data"} {
		if err := os.Mkdir(filepath.Join(dir, part), 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, "tar", "-C", filepath.Join(dir, part), "-xzf", filepath.Join(dir, part+".tar.gz"))
	}
	control := read(t, dir, "control/control")
	for _, want := range []string{"Package: evsed\n", "Version: " + version + "\n", "Architecture: x86_64\n", "Installed-Size: "} {
		if !strings.Contains(control, want) {
			t.Errorf("control: no %q in %s", want, control)
		}
	}
	if got := run(t, filepath.Join(dir, "data/usr/bin/evsed"), "version"); !strings.Contains(got, version) {
		t.Errorf("evsed version says %q", got)
	}
	run(t, "sh", "-n", filepath.Join(dir, "data/etc/init.d/evsed"))
}

// TestShellScripts: each script parses.
func TestShellScripts(t *testing.T) {
	for _, f := range []string{"files/postinst", "files/prerm", "files/postrm", "files/evsed.init", "buildroot/S95evsed", "files/evsed.default"} {
		run(t, "sh", "-n", f)
	}
}
