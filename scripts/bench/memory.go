package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Goals of memory, in MB of proportional set size.
const (
	goalIdle     = 10.0
	goalCharging = 20.0
)

// memorySection reads the memory of the running binary.
func memorySection(o options) (*section, error) {
	binary, err := buildStation(o, "", "")
	if err != nil {
		return nil, err
	}
	server, err := startServer(nil)
	if err != nil {
		return nil, err
	}
	defer server.close()
	s := &section{
		title: "Memory of the station",
		about: fmt.Sprintf("The built binary with its simulated board, connected to a CSMS, %v after it had said all it had to say. PSS, MB = 10^6 bytes.\n"+
			"The tight rows set GOGC and GOMEMLIMIT as a small board does.", o.settle),
		head: []string{"station", "environment", "PSS MB", "of it binary", "heap and stacks", "peak RSS MB"},
	}
	for _, run := range []struct {
		name     string
		evses    int
		charging bool
		goal     float64
	}{{"2 EVSEs, idle", 2, false, goalIdle}, {"4 EVSEs, charging", 4, true, goalCharging}} {
		for _, env := range [][]string{nil, {"GOGC=50", "GOMEMLIMIT=24MiB"}} {
			m, err := weigh(o, binary, server.url, run.evses, run.charging, env)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", run.name, err)
			}
			kind := "as shipped"
			if env != nil {
				kind = "tight"
			}
			s.row(run.name, kind, mb(m.pss), mb(m.file), mb(m.anon), mb(m.peak))
			if env == nil {
				s.goal(m.pss <= run.goal*1e6, "PSS, "+run.name, fmt.Sprintf("<= %.0f MB", run.goal), "%s MB", mb(m.pss))
			}
		}
	}
	return s, nil
}

func mb(bytes float64) string { return fmt.Sprintf("%.1f", bytes/1e6) }

// weight is the memory of a process in bytes.
type weight struct{ pss, file, anon, peak float64 }

// weigh runs a station until it has settled, and reads its memory.
func weigh(o options, binary, url string, evses int, charging bool, env []string) (w weight, err error) {
	dir, err := os.MkdirTemp(o.work, "memory")
	if err != nil {
		return w, err
	}
	seed := filepath.Join(dir, "seed.json")
	if err := writeSeed(seed, url, evses); err != nil {
		return w, err
	}
	p, _, err := start(binary, seed, filepath.Join(dir, "state"), env...)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.ready(); err != nil {
		return w, err
	}
	if err := p.until(state.accepted); err != nil {
		return w, err
	}
	if charging {
		if err := p.charge(evses); err != nil {
			return w, err
		}
	}
	time.Sleep(o.settle)
	return weighProcess(p.cmd.Process.Pid)
}

// charge plugs a car into every EVSE and has a card for each.
func (p *process) charge(evses int) error {
	for id := 1; id <= evses; id++ {
		if err := p.do(fmt.Sprintf("/evses/%d/plug", id), map[string]any{"connector": 1}); err != nil {
			return err
		}
		if err := p.do("/swipe", map[string]any{"idToken": fmt.Sprintf("CARD-%d", id), "type": "ISO14443", "evses": []int{id}}); err != nil {
			return err
		}
	}
	return p.until(func(s state) bool {
		for _, e := range s.EVSEs {
			if !e.Relay || e.PowerW <= 0 {
				return false
			}
		}
		return true
	})
}

// weighProcess reads /proc: the kernel's own sums.
func weighProcess(pid int) (weight, error) {
	rollup, err := procValues(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return weight{}, err
	}
	status, err := procValues(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return weight{}, err
	}
	const kB = 1024
	return weight{rollup["Pss"] * kB, rollup["Pss_File"] * kB, rollup["Pss_Anon"] * kB, status["VmHWM"] * kB}, nil
}

// procValues reads the lines "Name: number ..." of a file below /proc.
func procValues(path string) (map[string]float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if !ok || len(fields) == 0 {
			continue
		}
		if n, err := strconv.ParseFloat(fields[0], 64); err == nil {
			out[name] = n
		}
	}
	return out, nil
}
