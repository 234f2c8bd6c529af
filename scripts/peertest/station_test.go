package peertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// product is the folder of the station's module, from this one.
const product = "../.."

// patience is how long a station may take for what takes it a moment: a car, a contactor, a redial.
const patience = 30 * time.Second

var binary string // the station, built once

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "peertest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "evsed")
	build := exec.Command("go", "build", "-trimpath", "-tags", "nethttpomithttp2", "-o", binary, "./cmd/evsed")
	build.Dir = product
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the station: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// station is the real binary with its simulator API, connected to a peer.
type station struct {
	t     *testing.T
	peer  Peer
	id    string
	dir   string // the seed and what must survive
	cmd   *exec.Cmd
	log   bytes.Buffer // of all its processes
	api   string
	place int // in the peer's journal: what was looked at before is behind
	since int // in the station's event log
}

// setting is a value of the device model in a seed.
type setting struct{ Component, Variable, Instance, Value string }

// quick makes a station say within a test what takes minutes at a site, and come back at once.
var quick = []setting{
	{"SampledDataCtrlr", "TxUpdatedInterval", "", "1"},
	{"TxCtrlr", "EVConnectionTimeOut", "", "20"},
	{"OCPPCommCtrlr", "RetryBackOffWaitMinimum", "", "1"},
	{"OCPPCommCtrlr", "RetryBackOffRandomRange", "", "0"},
	{"OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent", "1"},
	{"OCPPCommCtrlr", "WebSocketPingInterval", "", "5"},
}

// startStation runs a station with two EVSEs against the peer and waits until it is accepted and has said all.
func startStation(t *testing.T, p Peer, more ...setting) *station {
	t.Helper()
	s := &station{t: t, peer: p, id: "CS-" + strings.NewReplacer("/", "-", "_", "-").Replace(filepath.Base(filepath.Dir(t.Name())))}
	s.dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(s.dir, "seed.json"), s.seed(append(quick, more...)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.launch()
	t.Cleanup(s.stop)
	s.until("accepted and all said", func(st state) bool {
		return st.Station.Registration == "Accepted" && st.Station.PendingMessages == 0
	})
	return s
}

// launch starts the process on what the last one left.
func (s *station) launch() {
	s.t.Helper()
	s.cmd = exec.Command(binary, "run", "--seed", filepath.Join(s.dir, "seed.json"), "--state", filepath.Join(s.dir, "state"), "--sim-listen", "127.0.0.1:0")
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.api, s.since = readAPI(s.t, out), 0
}

// kill ends the process as a power cut does, and starts it again.
func (s *station) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // it says that it was killed
	s.launch()
}

// readAPI reads where the station serves its simulator API from its first line.
func readAPI(t *testing.T, out io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the station said nothing: %v", err)
	}
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/sim/v1`).FindString(line)
	if url == "" {
		t.Fatalf("no address of the simulator API in %q", line)
	}
	return url
}

func (s *station) seed(settings []setting) []byte {
	var evses []any
	for i, connector := range []string{"sType2", "cType2"} { // a socket, and a fixed cable
		evses = append(evses, map[string]any{"id": i + 1, "phases": 3, "maxCurrentA": 32,
			"connectors": []any{map[string]any{"id": 1, "type": connector}}})
	}
	var values []any
	for _, v := range settings {
		values = append(values, map[string]string{"component": v.Component, "variable": v.Variable,
			"variableInstance": v.Instance, "value": v.Value})
	}
	text, err := json.Marshal(map[string]any{"format": "station-seed/1",
		"station": map[string]string{"id": s.id, "vendor": "evsed", "model": "peertest"},
		"csms":    []any{map[string]any{"slot": 1, "url": s.peer.URL(), "ocpp": []string{"ocpp" + s.peer.Version()}, "securityProfile": 0}},
		"evses":   evses, "ocpp2": values})
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// stop asks the station to end. It must do so with exit code 0.
func (s *station) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	kill.Stop()
	if err != nil {
		s.t.Errorf("the station ended with %v", err)
	}
	if strings.Contains(s.log.String(), "left out") {
		s.t.Error("the seed has what the station does not know")
	}
	if s.t.Failed() {
		s.t.Logf("log of the station:\n%s", s.log.String())
	}
}

// state is what the tests read of GET /state.
type state struct {
	Station struct {
		Registration    string
		Connected       bool
		PendingMessages int
		Boots           int
	}
	EVSEs []struct {
		ID          int
		Available   bool
		Transaction string
		Relay       bool
		PowerW      float64
		EnergyWh    float64
		LimitA      float64
		CurrentA    []float64
		Pilot       struct{ State string }
		Connectors  []struct {
			Status  string
			Plugged bool
			Locked  bool
		}
	}
}

// do calls the simulator API; a status other than 200 and 202 fails the test.
func (s *station) do(path string, body any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.Post(s.api+path, "application/json", bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	answer, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusAccepted {
		s.t.Fatalf("POST %s %s: %s %s", path, text, r.Status, answer)
	}
}

func (s *station) get(path string, into any) {
	s.t.Helper()
	r, err := http.Get(s.api + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		s.t.Fatalf("GET %s: %s, %v", path, r.Status, err)
	}
}

// until waits for a state of the station: it looks again whenever the station logs an event.
func (s *station) until(what string, wanted func(state) bool) state {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		var st state
		s.get("/state", &st)
		if wanted(st) {
			return st
		}
		if time.Now().After(deadline) {
			text, _ := json.Marshal(st)
			s.t.Fatalf("not in time: %s\n%s\n%s", what, text, s.peer.Journal())
		}
		var log struct{ Next int }
		s.get(fmt.Sprintf("/events?since=%d&waitMs=100", s.since), &log)
		s.since = log.Next
	}
}

// charges says whether an EVSE delivers energy.
func (s state) charges(evse int) bool { return s.EVSEs[evse-1].Relay && s.EVSEs[evse-1].PowerW > 0 }

// sent waits for a message of the station behind the last one that was waited for.
func (s *station) sent(what, action string, wanted func(payload string) bool) string {
	s.t.Helper()
	var payload string
	_, next, ok := s.peer.Journal().Await(s.place, patience, func(e Entry) bool {
		a, p, call := e.Call()
		payload = p
		return call && a == action && e.Station == s.id && wanted(p)
	})
	if !ok {
		s.t.Fatalf("the CSMS never heard: %s\n%s", what, s.peer.Journal())
	}
	s.place = next
	return payload
}

// ask sends a request through the peer's library. Its answer must be a result.
func (s *station) ask(action, payload string) Answer {
	s.t.Helper()
	a, err := s.peer.Send(s.id, action, payload)
	if err != nil || a.Code != "" {
		s.t.Fatalf("%s %s: %v, %v\n%s", action, payload, a, err, s.peer.Journal())
	}
	return a
}

// clean fails the test if the peer found anything wrong.
func (s *station) clean() {
	s.t.Helper()
	for _, f := range s.peer.Journal().Findings() {
		s.t.Errorf("%s finds: %s", s.peer.Name(), f)
	}
}
