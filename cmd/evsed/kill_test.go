package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station/term"
)

// TestMain lets the test binary be evsed: the tests below start it as their user would, and kill it.
func TestMain(m *testing.M) {
	if os.Getenv("EVSED_TEST_AGENT") != "" {
		os.Exit(testAgent())
	}
	if os.Getenv("EVSED_TEST_MAIN") != "" {
		if path := os.Getenv(probeVariable); path != "" {
			answerProbes(path)
		}
		os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr))
	}
	waitTogether()
	os.Exit(m.Run())
}

// process is an evsed under test.
type process struct {
	t       *testing.T
	dir     string
	seed    string
	api     string
	args    []string            // of evsed run, beside those that every test needs
	program string              // "": this one
	as      *syscall.Credential // nil: as the test
	cmd     *exec.Cmd
	out     output
	start   time.Time
}

// output is what a process prints, read while it prints.
type output struct {
	mu  sync.Mutex // of buf
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Reset()
}

// newProcess prepares a station with two EVSEs that calls the CSMS at url.
func newProcess(t *testing.T, url string, ocpp2 ...string) *process {
	return newProcessOf(t, url, `"ocpp2.1","ocpp2.0.1"`, ocpp2...)
}

// newProcessOf makes a station that speaks some versions.
func newProcessOf(t *testing.T, url, versions string, ocpp2 ...string) *process {
	p := &process{t: t, dir: filepath.Join(t.TempDir(), "state"), seed: filepath.Join(t.TempDir(), "seed.json")}
	seed := fmt.Sprintf(`{"format":"station-seed/1","station":{"id":"cp001","vendor":"V","model":"M"},
	 "csms":[{"slot":1,"url":%q,"ocpp":[%s],"securityProfile":0,"messageTimeoutS":5}],
	 "evses":[{"id":1,"phases":3,"maxCurrentA":32},{"id":2,"phases":1,"maxCurrentA":16,"connectors":[{"id":1,"type":"cType2"},{"id":2,"type":"sType2"}]}],
	 "ocpp2":[%s]}`, url, versions, strings.Join(ocpp2, ","))
	if err := os.WriteFile(p.seed, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	return p
}

func variable(component, name, value string) string {
	return fmt.Sprintf(`{"component":%q,"variable":%q,"value":%q}`, component, name, value)
}

// boot starts the process and waits until its interface answers.
func (p *process) boot() {
	p.t.Helper()
	p.spawn()
	p.until("the interface answers", func() bool {
		resp, err := http.Get(p.api + "/health")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
}

// spawn starts the process.
func (p *process) spawn() {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port; nobody else takes it in the moment before evsed does
	if err != nil {
		p.t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	p.api = "http://" + address + "/sim/v1"
	p.out.Reset()
	p.cmd = exec.Command(cmp.Or(p.program, os.Args[0]), "run", "--seed", p.seed, "--state", p.dir, "--sim-listen", address)
	p.cmd.Args = append(p.cmd.Args, p.args...)
	p.cmd.Env = append(os.Environ(), "EVSED_TEST_MAIN=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.start = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process as a power cut does.
func (p *process) kill() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// until polls, since a process of its own has its own time.
func (p *process) until(what string, f func() bool) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if f() {
			return
		}
	}
	out := ""
	if p.cmd != nil {
		p.kill()
		out = p.out.String()
	}
	p.t.Fatalf("waited in vain until %s\n%s", what, out)
}

// do makes a call of the simulator API and returns its code.
func (p *process) do(path, body string) int {
	p.t.Helper()
	resp, err := http.Post(p.api+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// state is the part of GET /state that the tests read.
type state struct {
	Station struct {
		Connected       bool
		PendingMessages int
	}
	EVSEs []struct {
		Transaction *string
		EnergyWh    float64
		Relay       bool
	}
}

func (p *process) state() (s state) {
	p.t.Helper()
	resp, err := http.Get(p.api + "/state")
	if err != nil {
		return s
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// backend is a CSMS on loopback.
func backend(t *testing.T, observe func(csms.Request)) (*csms.CSMS, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := csms.New(csms.Options{Observe: observe, Tokens: map[term.IdToken]msg2.IdTokenInfo{
		{Value: "ALICE", Type: term.TokenISO14443}: {Status: "Accepted"}, {Value: "BOB", Type: term.TokenISO14443}: {Status: "Accepted"}}})
	serve(t, c, l)
	return c, "ws://" + l.Addr().String()
}

// serve lets a CSMS live as long as the test.
func serve(t *testing.T, c *csms.CSMS, l net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
}
