package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// exposure is the most that systemd may think of what a unit leaves to an attacker, of 10; most services of a distribution have
// more than 9. The agent needs a network.
var exposure = map[string]float64{"evsed.service": 2.3, "evsed-guard.service": 1.5}

func analyze(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	return path
}

// TestUnitsVerify: systemd understands every line. The program is one that exists everywhere.
func TestUnitsVerify(t *testing.T) {
	analyze := analyze(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var units []string
	for name := range exposure {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(dir, name)
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/bin/evsed", program)), 0o644); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
	}
	dropIn := filepath.Join(dir, "evsed.service.d")
	text, err := os.ReadFile("evsed-two-units.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, with := range []bool{false, true} {
		if with {
			if err := os.Mkdir(dropIn, 0o755); err != nil {
				t.Fatal(err)
			}
			conf := strings.ReplaceAll(string(text), "/usr/bin/evsed", program)
			if err := os.WriteFile(filepath.Join(dropIn, "two-units.conf"), []byte(conf), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
		if strings.Contains(string(out), "Failed to") && !strings.Contains(string(out), dir) {
			t.Skipf("systemd-analyze cannot work here: %s", out)
		}
		if err != nil || strings.Contains(string(out), dir) {
			t.Errorf("with drop-in %v: %v: %s", with, err, out)
		}
	}
}

var overall = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// TestUnitsAreTight: what systemd thinks of the units gets no worse.
func TestUnitsAreTight(t *testing.T) {
	analyze := analyze(t)
	for name, most := range exposure {
		out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", name).CombinedOutput()
		m := overall.FindSubmatch(out)
		if m == nil {
			t.Skipf("systemd-analyze is too old for this, or cannot work here: %v: %s", err, out)
		}
		if got, err := strconv.ParseFloat(string(m[1]), 64); err != nil || got > most {
			t.Errorf("%s: exposure %s, want at most %v\n%s", name, m[1], most, out)
		}
	}
}

// TestUnitsSayWhatMatters: lines that must not be lost, whatever systemd thinks of them.
func TestUnitsSayWhatMatters(t *testing.T) {
	for name, lines := range map[string][]string{
		"evsed.service": {"Type=notify", "WatchdogSec=60", "Restart=always", "StartLimitIntervalSec=0", "User=evsed", "StateDirectoryMode=0700", "ProtectSystem=strict",
			"NoNewPrivileges=yes", "CapabilityBoundingSet=CAP_SYS_NICE CAP_IPC_LOCK", "DevicePolicy=closed", "LimitCORE=0", "KillMode=mixed"},
		"evsed-guard.service": {"Restart=always", "StartLimitIntervalSec=0", "User=evsed", "PrivateNetwork=yes", "DefaultDependencies=no", "OOMScoreAdjust=-1000", "DevicePolicy=closed"},
		"evsed.sysusers":      {`u evsed - "Charging station" /var/lib/evsed`},
		"evsed.tmpfiles":      {"d /var/lib/evsed 0700 evsed evsed -"},
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range lines {
			if !strings.Contains("\n"+string(text), "\n"+want+"\n") {
				t.Errorf("%s: no line %s", name, want)
			}
		}
	}
}
