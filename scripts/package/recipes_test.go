package packaging

import (
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// infra is as much of Buildroot as evsed.mk asks for: what golang-package would do, printed.
const infra = `
empty :=
INSTALL = install
TARGET_DIR = /target
D = evsed
github = https://github.com/$(1)/$(2)/archive/$(3)
qstrip = $(strip $(subst ",,$(1)))
define golang-package
show:
	@echo "site $(EVSED_SITE)"
	@echo "build $(EVSED_GO_ENV) go build -tags '$(EVSED_TAGS)' -ldflags '$(EVSED_LDFLAGS)' $(EVSED_GOMOD)/$(EVSED_BUILD_TARGETS)"
	@echo "hooks $(EVSED_POST_INSTALL_TARGET_HOOKS)"
	$$(foreach hook,$(EVSED_POST_INSTALL_TARGET_HOOKS),$$($$(hook)))
	$$(EVSED_INSTALL_INIT_SYSTEMD)
	$$(EVSED_INSTALL_INIT_SYSV)
endef
`

// TestBuildroot evaluates the package's makefile with a stand-in for Buildroot: every file that it installs is in this repository. A
// real Buildroot has not run it.
func TestBuildroot(t *testing.T) {
	need(t, "make")
	dir := t.TempDir()
	mk := filepath.Join(dir, "Makefile")
	package_, err := filepath.Abs("buildroot")
	if err != nil {
		t.Fatal(err)
	}
	text := infra + "BR2_PACKAGE_EVSED_SFTP = y\nBR2_PACKAGE_EVSED_BOARD = \"/boards/mine.yaml\"\nEVSED_PKGDIR = " + package_ + "\ninclude " + package_ + "/evsed.mk\n"
	if err := os.WriteFile(mk, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("make", "--warn-undefined-variables", "-n", "-f", mk, "@=/source", "show").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := string(out)
	for _, want := range []string{"tags 'nethttpomithttp2 sftp'", "github.com/evsed/evsed/cmd/evsed", "CGO_ENABLED=0", "EVSED_INSTALL_FILES EVSED_INSTALL_BOARD",
		"/boards/mine.yaml", "/target/etc/init.d/S95evsed", "/target/usr/lib/systemd/system/evsed.service"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in what make would do:\n%s", want, said)
		}
	}
	if strings.Contains(said, "undefined variable") {
		t.Errorf("%s", said)
	}
	for _, m := range regexp.MustCompile(`-m 0[0-7]+ /source/(\S+)`).FindAllStringSubmatch(said, -1) {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Errorf("installs %s: %v", m[1], err)
		}
	}
	config := read(t, "buildroot/Config.in")
	for _, m := range regexp.MustCompile(`BR2_PACKAGE_EVSED[A-Z_]*`).FindAllString(read(t, "buildroot/evsed.mk"), -1) {
		if !strings.Contains(config, "config "+m+"\n") {
			t.Errorf("evsed.mk asks for %s, which Config.in does not offer", m)
		}
	}
}

// TestYocto reads the recipe's variables as BitBake would, as far as that goes without BitBake: each has a value that is true of this
// repository. A real BitBake has not run it.
func TestYocto(t *testing.T) {
	files, _ := filepath.Glob("yocto/evsed_*.bb")
	if len(files) != 1 {
		t.Fatalf("recipes: %v, want one", files)
	}
	text := read(t, files[0])
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+(?::[a-z${}A-Z]+)?(?:\[[a-z]+\])?) \+?= "(.*)"$`).FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	for name, want := range map[string]string{"LICENSE": "Apache-2.0", "GO_IMPORT": "github.com/evsed/evsed", "GO_INSTALL": "${GO_IMPORT}/cmd/evsed", "SYSTEMD_SERVICE:${PN}": "evsed.service", "CGO_ENABLED": "0"} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
	if sum := fmt.Sprintf("%x", md5.Sum([]byte(read(t, "../../LICENSE")))); !strings.HasSuffix(values["LIC_FILES_CHKSUM"], "LICENSE;md5="+sum) {
		t.Errorf("LIC_FILES_CHKSUM %q, want the sum %s", values["LIC_FILES_CHKSUM"], sum)
	}
	for _, m := range regexp.MustCompile(`\$src/(\S+)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Errorf("installs %s: %v", m[1], err)
		}
	}
	if strings.Count(text, "{\n") != strings.Count(text, "\n}\n") || strings.Count(text, `"`)%2 != 0 {
		t.Error("braces or quotes do not match")
	}
}
