package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// buildStation builds the binary as it is shipped, for a target or with "" for this machine, once; it returns its path.
func buildStation(o options, goarch, goarm string) (string, error) {
	target := goarch
	switch goarch {
	case "":
		target = runtime.GOARCH
	case "arm":
		target += "v" + goarm
	}
	work, err := filepath.Abs(o.work)
	if err != nil {
		return "", err
	}
	path := filepath.Join(work, "evsed-linux-"+target)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("make", "-s", "BUILD="+work, path)
	cmd.Dir = o.root
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build evsed: %w: %s", err, text)
	}
	return path, nil
}

// buildOther builds a program of this module, as small as the station is built.
func buildOther(o options, name string) (string, error) {
	path, err := filepath.Abs(filepath.Join(o.work, name))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-tags", "nethttpomithttp2", "-o", path,
		"github.com/evsed/evsed/scripts/bench/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, text)
	}
	return path, nil
}

// writeSeed writes a seed for a station with n EVSEs that talks to url.
func writeSeed(path, url string, n int) error {
	var evses []any
	for id := 1; id <= n; id++ {
		evses = append(evses, map[string]any{"id": id, "phases": 3, "maxCurrentA": 32,
			"connectors": []any{map[string]any{"id": 1, "type": "cType2"}}})
	}
	text, err := json.Marshal(map[string]any{"format": "station-seed/1", "station": map[string]string{"id": "bench"},
		"csms": []any{map[string]any{"slot": 1, "url": url, "ocpp": []string{"ocpp2.0.1"}, "securityProfile": 0}}, "evses": evses})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// process is a running evsed.
type process struct {
	cmd *exec.Cmd
	log bytes.Buffer
	out io.Reader
	api string
}

// start runs the binary; the moment before is what it is timed from.
func start(binary, seed, state string, env ...string) (*process, time.Time, error) {
	p := &process{cmd: exec.Command(binary, "run", "--seed", seed, "--state", state, "--sim-listen", "127.0.0.1:0")}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, time.Time{}, err
	}
	p.out = out
	began := time.Now()
	return p, began, p.cmd.Start()
}

var apiAddress = regexp.MustCompile(`http://127\.0\.0\.1:\d+/sim/v1`)

// ready waits for the simulator API, whose address is in the first line.
func (p *process) ready() error {
	line, err := bufio.NewReader(p.out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("evsed said nothing: %w", err)
	}
	if p.api = apiAddress.FindString(line); p.api == "" {
		return fmt.Errorf("no simulator API in %q", line)
	}
	return nil
}

// stop asks the process to end, and insists after a while.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("evsed ended with %w: %s", err, tail(p.log.Bytes()))
	}
	return nil
}

func tail(log []byte) []byte { return log[max(0, len(log)-300):] }

// do calls the simulator API.
func (p *process) do(path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.Post(p.api+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode/100 != 2 {
		answer, _ := io.ReadAll(r.Body)
		return fmt.Errorf("%s: %s: %s", path, r.Status, answer)
	}
	return nil
}

// state is what is read of GET /state.
type state struct {
	Station struct {
		Registration    string
		PendingMessages int
	}
	EVSEs []struct {
		Relay  bool
		PowerW float64
	}
}

// until waits for a state of the station: it looks again whenever the station logs an event.
func (p *process) until(wanted func(state) bool) error {
	next := 0
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		var s state
		if err := p.get("/state", &s); err != nil {
			return err
		}
		if wanted(s) {
			return nil
		}
		var log struct{ Next int }
		if err := p.get(fmt.Sprintf("/events?since=%d&waitMs=200", next), &log); err != nil {
			return err
		}
		next = log.Next
	}
	return errors.New("the station did not get there in time")
}

func (p *process) get(path string, into any) error {
	r, err := http.Get(p.api + path)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	return json.NewDecoder(r.Body).Decode(into)
}

// accepted says whether the CSMS has accepted the station and heard all of it.
func (s state) accepted() bool {
	return s.Station.Registration == "Accepted" && s.Station.PendingMessages == 0
}
