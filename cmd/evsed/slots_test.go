package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// maker is a manufacturer with its build host.
type maker struct {
	t    *testing.T
	dir  string
	keys string // for the stations
}

// fw runs evsed fw and wants it to succeed.
func (m *maker) fw(args ...string) string {
	m.t.Helper()
	var out, errs bytes.Buffer
	if code := dispatch(append([]string{"fw"}, args...), &out, &errs); code != exitOK {
		m.t.Fatalf("fw %v: exit %d: %s", args, code, errs.String())
	}
	return out.String()
}

func newMaker(t *testing.T) *maker {
	m := &maker{t: t, dir: t.TempDir()}
	m.keys = filepath.Join(m.dir, "maker.pub")
	m.fw("keygen", "--out", filepath.Join(m.dir, "maker"))
	return m
}

// program builds a program: evsed of some version, or a Go file.
func (m *maker) program(name string, args ...string) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	c := exec.Command("go", append([]string{"build", "-buildvcs=false", "-trimpath", "-o", path}, args...)...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		m.t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}

// release builds, packs and signs a version of evsed.
func (m *maker) release(version string) string {
	m.t.Helper()
	return m.image(m.program("evsed-"+version, "-ldflags", "-s -w -X main.release="+version, "."), version)
}

// source builds, packs and signs a program that calls itself a version of evsed.
func (m *maker) source(version, body string) string {
	m.t.Helper()
	file := filepath.Join(m.dir, "main-"+version+".go")
	text := "package main\nimport (\"os\"; \"time\")\nvar _ = time.Hour\nfunc main() { if len(os.Args) == 0 { println(\"" + version + "\") }; " + body + " }\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return m.image(m.program("other-"+version, file), version)
}

func (m *maker) image(binary, version string) string {
	m.t.Helper()
	raw, signed := filepath.Join(m.dir, version+".raw"), filepath.Join(m.dir, version+".evsed")
	m.fw("pack", "--binary", binary, "--version", version, "--security", "1", "--target", image.Target(), "--hardware", "cc1:1-3", "--released", "2026-11-22", "--out", raw)
	m.fw("sign", "--image", raw, "--key", filepath.Join(m.dir, "maker.key"), "--out", signed)
	m.fw("verify", "--image", signed, "--fw-keys", m.keys, "--hardware", "cc1:2")
	return signed
}

// launchedProcess is a station that is started by evsed launch, and the slots that it is started from.
type launchedProcess struct {
	*process
	m     *maker
	slots string
	flags []string // of evsed launch
}

func newLaunched(m *maker, t *testing.T, url string, flags ...string) *launchedProcess {
	return &launchedProcess{process: newProcess(t, url), m: m, slots: filepath.Join(t.TempDir(), "slots"), flags: flags}
}

// launch starts the launcher; the station that it becomes has the same process.
func (p *launchedProcess) launch() {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	p.api = "http://" + address + "/sim/v1"
	p.out.Reset()
	args := append([]string{"launch", "--slots", p.slots, "--fw-keys", p.m.keys, "--hardware", "cc1:2"}, p.flags...)
	args = append(args, "--", "run", "--seed", p.seed, "--state", p.dir, "--sim-listen", address)
	p.cmd = exec.Command(os.Args[0], args...)
	p.cmd.Env = append(os.Environ(), "EVSED_TEST_MAIN=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // whoever respawns is killed with what it has started
	p.cmd.WaitDelay = exitWithin
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	group := p.cmd.Process.Pid
	p.t.Cleanup(func() { _ = syscall.Kill(-group, syscall.SIGKILL) })
}

// ends waits for the end of the process and returns its exit code; -1 for a signal.
func (p *launchedProcess) ends() int {
	p.t.Helper()
	var exit *exec.ExitError
	err := p.cmd.Wait()
	p.cmd = nil
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// says waits for a line of the process.
func (p *launchedProcess) says(what string) {
	p.t.Helper()
	p.until("it says "+what, func() bool { return strings.Contains(p.out.String(), what) })
}

// runs starts the launcher, wants a version to run and to be accepted by the CSMS, and ends it.
func (p *launchedProcess) runs(version string, slot slot.Name, more ...string) {
	p.t.Helper()
	p.launch()
	p.says("evsed launch: evsed " + version + " of slot " + string(slot))
	p.says("\nevsed " + version + " station")
	for _, m := range more {
		p.says(m)
	}
	p.terminate()
}

func (p *launchedProcess) open() *slot.AB {
	p.t.Helper()
	l := launched{Slots: p.slots, Keys: []string{p.m.keys}, Hardware: "cc1:2"}
	o, err := l.options()
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := slot.Choose(o)
	if err != nil {
		p.t.Fatal(err)
	}
	if c.File != nil {
		c.File.Close()
	}
	o.Boot = c.Boot
	a, err := slot.Open(o)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// install puts an image into the slot that does not run.
func (p *launchedProcess) install(path string) {
	p.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	a := p.open()
	w, err := a.Stage(context.Background(), -1)
	if err == nil {
		err = w.Truncate(0)
	}
	if err == nil {
		_, err = io.Copy(w, f)
	}
	if err = errors.Join(err, w.Close()); err == nil {
		err = a.Activate()
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestLaunch starts releases of evsed, and programs that only call themselves so, as processes from slots.
func TestLaunch(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two releases of evsed: not with -short")
	}
	m := newMaker(t)
	good, next := m.release("0.2.0"), m.release("0.3.0")
	dies := m.source("0.4.0", "os.Exit(3)")
	hangs := m.source("0.5.0", "for { time.Sleep(time.Hour) }")
	_, url := backend(t, nil)
	const nobody = "ws://127.0.0.1:1"

	t.Run("two updates", func(t *testing.T) {
		p := newLaunched(m, t, url)
		p.runs(release, slot.Factory)
		p.install(good)
		p.runs("0.2.0", slot.A, "trial true", "level=INFO msg=trial good=true")
		p.runs("0.2.0", slot.A, "trial false")
		p.install(next)
		p.runs("0.3.0", slot.B, "trial true", "level=INFO msg=trial good=true")
		p.runs("0.3.0", slot.B, "trial false")
	})
	t.Run("it dies at once", func(t *testing.T) {
		p := newLaunched(m, t, url)
		p.install(dies)
		for range slot.Tries {
			p.launch()
			if code := p.ends(); code != 3 {
				t.Errorf("exit code %d", code)
			}
		}
		p.runs(release, slot.Factory, `returnedFrom=0.4.0 code=FW-STARTS why="it did not prove itself in 3 starts"`)
	})
	t.Run("the system cannot start it", func(t *testing.T) {
		p := newLaunched(m, t, url)
		text := filepath.Join(m.dir, "text")
		if err := os.WriteFile(text, []byte("evsed 0.6.0 for a machine that never was"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.install(good)
		p.runs("0.2.0", slot.A, "good=true")
		p.install(m.image(text, "0.6.0"))
		p.runs("0.2.0", slot.A, "exec format error", "returnedFrom=0.6.0 code=FW-EXEC")
		p.runs("0.2.0", slot.A, "trial false", "returnedFrom=0.6.0 code=FW-EXEC")
	})
	t.Run("it hangs", func(t *testing.T) {
		p := newLaunched(m, t, url, "--trial-time", "1s")
		p.install(hangs)
		p.launch()
		if code := p.ends(); code != -1 {
			t.Errorf("exit code %d, want a signal", code)
		}
		p.runs(release, slot.Factory, `returnedFrom=0.5.0 code=FW-HUNG why="it neither proved itself`)
	})
	t.Run("the CSMS does not accept it", func(t *testing.T) {
		p := newLaunched(m, t, nobody, "--trial-time", "1s")
		p.install(good)
		p.launch()
		if code := p.ends(); code != exitRestart {
			t.Errorf("exit code %d", code)
		}
		p.runs(release, slot.Factory, `returnedFrom=0.2.0 code=FW-CSMS why="the CSMS has not accepted the station"`)
	})
	t.Run("it cannot run", func(t *testing.T) {
		p := newLaunched(m, t, url)
		p.install(good)
		if err := os.WriteFile(p.dir, nil, 0o600); err != nil { // in place of its state
			t.Fatal(err)
		}
		p.launch()
		if code := p.ends(); code != exitRestart {
			t.Errorf("exit code %d", code)
		}
		if err := os.Remove(p.dir); err != nil {
			t.Fatal(err)
		}
		p.runs(release, slot.Factory, "returnedFrom=0.2.0 code=FW-ENDED", "want a directory")
	})
	t.Run("changed on the disk", func(t *testing.T) {
		p := newLaunched(m, t, url)
		p.install(good)
		p.runs("0.2.0", slot.A, "good=true")
		path := filepath.Join(p.slots, "evsed-a")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := errors.Join(os.Remove(path), os.WriteFile(path, b, 0o500)); err != nil {
			t.Fatal(err)
		}
		p.runs(release, slot.Factory, `returnedFrom=0.2.0 code=FW-IMAGE why="payload is not the one that was signed"`)
	})
	t.Run("respawn", func(t *testing.T) {
		p := newLaunched(m, t, nobody, "--trial-time", "1s", "--respawn")
		p.install(good)
		p.launch()
		p.says("evsed 0.2.0 of slot a, trial true")
		p.says("of slot factory, trial false")
		p.says("\nevsed " + release + " station")
		p.terminate()
	})
	t.Run("respawn, and it does not know the command line", func(t *testing.T) {
		p := newLaunched(m, t, url, "--respawn")
		p.install(m.source("0.4.1", "os.Exit(2)"))
		p.launch()
		p.says("of slot factory, trial false")
		p.says("\nevsed " + release + " station")
		p.terminate()
	})
	t.Run("the CSMS orders it", func(t *testing.T) { orderedUpdate(t, m, good) })
	t.Run("no zombie", func(t *testing.T) {
		p := newLaunched(m, t, url)
		p.install(good)
		p.launch()
		p.says("good=true")
		p.until("the watcher is gone", func() bool { return childrenOf(t, p.cmd.Process.Pid) == 0 })
		p.terminate()
	})
}

// sign makes the certificate and the signature of an UpdateFirmware, and gives the station the root that they hang from.
func (p *launchedProcess) sign(file string) (certificate, signature string) {
	p.t.Helper()
	fail := func(err error) {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
	}
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "maker", Organization: []string{"V"}}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "firmware", Organization: []string{"V"}}, NotBefore: authority.NotBefore,
		NotAfter: authority.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, root.Public(), root)
	fail(err)
	roots := filepath.Join(filepath.Dir(p.seed), "roots.pem")
	fail(os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	seed, err := os.ReadFile(p.seed)
	fail(err)
	seed = bytes.Replace(seed, []byte(`"evses":`), []byte(`"security":{"manufacturerRootCertificates":"`+roots+`"},"evses":`), 1)
	fail(os.WriteFile(p.seed, seed, 0o600))
	if der, err = x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), root); err != nil {
		p.t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	fail(err)
	digest := sha256.Sum256(b)
	signed, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	fail(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), base64.StdEncoding.EncodeToString(signed)
}

// orderedUpdate updates a station by OCPP over a real server, and wants each status in its order, under its number.
func orderedUpdate(t *testing.T, m *maker, file string) {
	var mu sync.Mutex // of told
	var told []string
	c, url := backend(t, func(r csms.Request) {
		if n, ok := r.Message.(*msg2.FirmwareStatusNotificationRequest); ok {
			mu.Lock()
			defer mu.Unlock()
			id := "-"
			if v, ok := n.RequestID.Get(); ok {
				id = strconv.Itoa(v)
			}
			told = append(told, string(n.Status)+" "+id)
		}
	})
	files := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(file))))
	defer files.Close()
	p := newLaunched(m, t, url, "--respawn")
	certificate, signature := p.sign(file)
	p.launch()
	p.connected()
	order, err := json.Marshal(map[string]any{"requestId": 7, "firmware": map[string]string{"location": files.URL + "/" + filepath.Base(file),
		"retrieveDateTime": "2020-01-01T00:00:00Z", "signingCertificate": certificate, "signature": signature}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := c.Call(t.Context(), "cp001", "UpdateFirmware", order); err != nil || !strings.Contains(r.Payload, "Accepted") {
		t.Fatalf("%+v, %v", r, err)
	}
	p.says("evsed launch: evsed 0.2.0 of slot a, trial true")
	p.says("level=INFO msg=trial good=true")
	p.until("the CSMS hears the end", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(told, "Installed 7")
	})
	p.terminate()
	mu.Lock()
	defer mu.Unlock()
	if got, want := strings.Join(told, ", "), "Downloading 7, Downloaded 7, SignatureVerified 7, Installing 7, InstallRebooting 7, Installed 7"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// childrenOf counts the processes of a parent, the dead ones too that it has not buried.
func childrenOf(t *testing.T, parent int) (n int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatal("no processes to be seen")
	}
	for _, path := range stats {
		b, _ := os.ReadFile(path) // it may be gone by now
		if _, rest, ok := strings.Cut(string(b), ") "); ok && strings.HasPrefix(rest[1:], " "+strconv.Itoa(parent)+" ") {
			n++
		}
	}
	return n
}
