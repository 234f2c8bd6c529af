package main

import (
	"bytes"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// emulateTPM starts a TPM emulator and returns its --keys; stop ends it.
func emulateTPM(t *testing.T, p *process) (spec string, stop func()) {
	t.Helper()
	path, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is not installed: apt-get install swtpm")
	}
	dir, err := os.MkdirTemp("", "tpm") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(path, "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,path="+socket,
		"--ctrl", "type=unixio,path="+socket+".ctrl", "--flags", "not-need-init,startup-clear")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(func() { stop(); os.RemoveAll(dir) })
	p.until("the emulator listens", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "tpm:unix:" + socket, stop
}

// readable lists the files below a directory that hold a text.
func readableIn(t *testing.T, dir, text string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

const seedPassword = "geheim-0123456789ABCDEF"

// TestPasswordsOfTheSeed: no file of the state has them, and the station has them after a restart and a factory reset. The log
// says where they are.
func TestPasswordsOfTheSeed(t *testing.T) {
	for _, kind := range []string{"file", "file with its key elsewhere", "tpm"} {
		t.Run(kind, func(t *testing.T) {
			c, url := backend(t, nil)
			p := newProcess(t, url, variable("SecurityCtrlr", "BasicAuthPassword", seedPassword))
			says := "its key beside it"
			switch kind {
			case "tpm":
				spec, _ := emulateTPM(t, p)
				p.args, says = []string{"--keys", spec}, "keys are made in it and cannot leave it"
			case "file with its key elsewhere":
				key := filepath.Join(t.TempDir(), "key")
				if err := os.WriteFile(key, bytes.Repeat([]byte{7}, 32), 0o600); err != nil {
					t.Fatal(err)
				}
				p.args, says = []string{"--keys", "file?key=" + key}, "its key in "+key
			}
			for _, when := range []string{"first boot", "restart", "restart after a factory reset"} {
				p.boot()
				p.until("it connects", func() bool { return p.state().Station.Connected })
				if got := p.variable("SecurityCtrlr", "BasicAuthPassword"); got != seedPassword {
					t.Errorf("%s: password %q", when, got)
				}
				if when == "restart" {
					before := c.Received("cp001", "BootNotification")
					p.do("/reset-state", `{}`)
					p.until("it boots with the seed", func() bool { return c.Received("cp001", "BootNotification") > before })
					if got := p.variable("SecurityCtrlr", "BasicAuthPassword"); got != seedPassword {
						t.Errorf("after the reset: password %q", got)
					}
				}
				p.kill()
				if names := readableIn(t, p.dir, seedPassword); len(names) > 0 {
					t.Errorf("%s: the password lies open in %v", when, names)
				}
				out := p.out.String()
				if !strings.Contains(out, says) || strings.Contains(out, seedPassword) || strings.Contains(out, "STO-SEALED") {
					t.Errorf("%s: it says\n%s", when, out)
				}
			}
		})
	}
}

// TestTheTPMIsGone: a station starts and charges without it, and says what it cannot do.
func TestTheTPMIsGone(t *testing.T) {
	_, url := backend(t, nil)
	p := newProcess(t, url, variable("SecurityCtrlr", "BasicAuthPassword", seedPassword))
	spec, stop := emulateTPM(t, p)
	p.args = []string{"--keys", spec}
	p.boot()
	p.until("it connects", func() bool { return p.state().Station.Connected })
	p.kill()
	stop()
	p.boot()
	p.until("it connects without its TPM", func() bool { return p.state().Station.Connected })
	p.do("/evses/1/plug", `{}`)
	p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	p.until("it charges", func() bool { return p.state().EVSEs[0].EnergyWh > 0 })
	p.kill()
	for _, want := range []string{"the key store is not there", "STO-SEALED"} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, p.out.String())
		}
	}
}
