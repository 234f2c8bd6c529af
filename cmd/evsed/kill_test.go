package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
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
	os.Exit(m.Run())
}

// process is an evsed under test.
type process struct {
	t     *testing.T
	dir   string
	seed  string
	api   string
	args  []string // of evsed run, beside those that every test needs
	cmd   *exec.Cmd
	out   output
	start time.Time
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
	p := &process{t: t, dir: filepath.Join(t.TempDir(), "state"), seed: filepath.Join(t.TempDir(), "seed.json")}
	seed := fmt.Sprintf(`{"format":"station-seed/1","station":{"id":"cp001","vendor":"V","model":"M"},
	 "csms":[{"slot":1,"url":%q,"ocpp":["ocpp2.1","ocpp2.0.1"],"securityProfile":0,"messageTimeoutS":5}],
	 "evses":[{"id":1,"phases":3,"maxCurrentA":32},{"id":2,"phases":1,"maxCurrentA":16,"connectors":[{"id":1,"type":"cType2"},{"id":2,"type":"sType2"}]}],
	 "ocpp2":[%s]}`, url, strings.Join(ocpp2, ","))
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
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port; nobody else takes it in the moment before evsed does
	if err != nil {
		p.t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	p.api = "http://" + address + "/sim/v1"
	p.out.Reset()
	p.cmd = exec.Command(os.Args[0], "run", "--seed", p.seed, "--state", p.dir, "--sim-listen", address)
	p.cmd.Args = append(p.cmd.Args, p.args...)
	p.cmd.Env = append(os.Environ(), "EVSED_TEST_MAIN=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.start = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.until("the interface answers", func() bool {
		resp, err := http.Get(p.api + "/health")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
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
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	return c, "ws://" + l.Addr().String()
}

// TestKillWhileCharging kills the station again and again while two cars charge, and audits the bills: nothing that the
// station had promised is lost, nothing is told twice with other content, and every watt-hour is billed.
func TestKillWhileCharging(t *testing.T) {
	kills := 8
	if n, err := strconv.Atoi(os.Getenv("EVSED_KILLS")); err == nil {
		kills = n
	}
	var booted atomic.Int64
	var p *process
	c, url := backend(t, func(r csms.Request) {
		if r.Action == "BootNotification" {
			booted.Store(time.Now().UnixNano())
		}
	})
	p = newProcess(t, url, variable("SampledDataCtrlr", "TxUpdatedInterval", "1"), variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"),
		variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"))
	rng := rand.New(rand.NewPCG(1, 2))
	p.boot()
	p.until("the CSMS accepts the station", func() bool { return p.state().Station.Connected })
	p.do("/evses/1/plug", `{"ev":{"socPercent":5,"capacityWh":100000}}`)
	p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	p.do("/evses/2/plug", `{"connector":1,"ev":{"socPercent":5,"capacityWh":100000}}`)
	p.do("/swipe", `{"idToken":"BOB","type":"ISO14443","evses":[2]}`)
	p.until("both cars charge", func() bool { s := p.state(); return s.EVSEs[0].Relay && s.EVSEs[1].Relay })
	var boots []time.Duration
	for range kills {
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond) // a real process in real time: it is killed anywhere
		before := p.state()
		p.kill()
		booted.Store(0)
		p.boot()
		p.until("it boots again", func() bool { return booted.Load() != 0 })
		boots = append(boots, time.Unix(0, booted.Load()).Sub(p.start))
		for i, e := range p.state().EVSEs {
			if e.EnergyWh < before.EVSEs[i].EnergyWh {
				t.Fatalf("EVSE %d: register fell from %v to %v Wh", i+1, before.EVSEs[i].EnergyWh, e.EnergyWh)
			}
		}
	}
	p.until("both cars charge again", func() bool { s := p.state(); return s.EVSEs[0].Relay && s.EVSEs[1].Relay })
	p.do("/stop", `{}`)
	p.until("both transactions have ended and everything is told", func() bool {
		s := p.state()
		return s.Station.Connected && s.EVSEs[0].Transaction == nil && s.EVSEs[1].Transaction == nil && s.Station.PendingMessages == 0
	})
	if found := c.Ledger().Check(nil); len(found) > 0 {
		t.Errorf("the books do not add up: %q", found)
	}
	billed := map[int]unit.Energy{}
	for _, tx := range c.Ledger().Transactions() {
		billed[tx.EVSE] += tx.Energy()
	}
	for i, e := range p.state().EVSEs {
		if lost := e.EnergyWh - float64(billed[i+1])/1e6*1e3; lost > 1 || lost < -1 {
			t.Errorf("EVSE %d: the meter shows %v Wh, the bills %v", i+1, e.EnergyWh, billed[i+1])
		}
	}
	if n := len(c.Ledger().Transactions()); n != 2 {
		t.Errorf("%d transactions, want the 2 that were resumed every time", n)
	}
	t.Logf("%d kills; start to BootNotification: %v", kills, boots)
}
