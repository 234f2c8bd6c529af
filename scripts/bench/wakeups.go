package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Goals of an idle station: no car, no aligned values.
const (
	goalWakeups = 0.2  // a second
	goalCPU     = 0.05 // ms a second
)

// windows is how many spans are watched: each is as long as the pings of a WebSocket are apart by default, and what else
// the machine does falls on some of them more than on others.
const windows = 4

// glance is how often a process is looked at.
const glance = 10 * time.Millisecond

// wakeupSection counts how often an idle station wakes up.
func wakeupSection(o options) (*section, error) {
	binary, err := buildStation(o, "", "")
	if err != nil {
		return nil, err
	}
	url, _, stop, err := startChild("serve")
	if err != nil {
		return nil, err
	}
	defer stop()
	s := &section{
		title: "Wake-ups of an idle station",
		about: fmt.Sprintf("Two EVSEs, connected, no car, no clock-aligned values; %d times %v. The kernel says of every thread how often it was put on a\n"+
			"processor: these are the switches. Switches within %v of each other are one wake-up, however many threads hand it on. The\n"+
			"agent is core, loop, storage, link and meter pollers wired as the product wires them, with a guard behind the pipe that\n"+
			"says nothing: the guard is to be a process of its own. The second row is the whole binary, guard and simulated board in it.",
			windows, o.watch, glance),
		head: []string{"process", "wake-ups/s min", "median", "switches/s median", "threads", "CPU ms/s min", "median"},
	}
	_, agentPID, stopAgent, err := startChild("agent", url, filepath.Join(o.work, "agent"))
	if err != nil {
		return nil, err
	}
	defer stopAgent()
	whole, err := startIdle(o, binary, url)
	if err != nil {
		return nil, err
	}
	rates, err := watch(o, agentPID, whole.cmd.Process.Pid)
	if err := errors.Join(err, whole.stop()); err != nil {
		return nil, err
	}
	for i, name := range []string{"agent without guard", "evsed run, simulated board"} {
		r := rates[i]
		s.row(name, fmt.Sprintf("%.2f", slices.Min(r.wakeups)), fmt.Sprintf("%.2f", middle(r.wakeups)), fmt.Sprintf("%.2f", middle(r.switches)),
			fmt.Sprint(r.threads), fmt.Sprintf("%.3f", slices.Min(r.cpu)), fmt.Sprintf("%.3f", middle(r.cpu)))
	}
	wakeups, cpu := middle(rates[0].wakeups), middle(rates[0].cpu)
	s.goal(wakeups <= goalWakeups, "wake-ups, idle, without guard", fmt.Sprintf("<= %.1f /s", goalWakeups), "%.2f /s", wakeups)
	s.goal(cpu <= goalCPU, "CPU, idle, without guard", fmt.Sprintf("<= %.2f ms/s", goalCPU), "%.3f ms/s", cpu)
	return s, nil
}

// middle is the median: of an even number, the lower of the two in the middle.
func middle(v []float64) float64 { return slices.Sorted(slices.Values(v))[(len(v)-1)/2] }

func startIdle(o options, binary, url string) (*process, error) {
	seed := filepath.Join(o.work, "idle.json")
	if err := writeSeed(seed, url, 2); err != nil {
		return nil, err
	}
	p, _, err := start(binary, seed, filepath.Join(o.work, "idle"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(p.ready(), p.until(state.accepted)); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// rates is what a process did in a second, window by window.
type rates struct {
	wakeups  []float64
	switches []float64
	cpu      []float64 // ms
	threads  int
}

// watch counts over the same windows for all processes.
func watch(o options, pids ...int) ([]rates, error) {
	time.Sleep(o.settle)
	out := make([]rates, len(pids))
	for range windows {
		if err := watchWindow(o.watch, pids, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func watchWindow(span time.Duration, pids []int, out []rates) error {
	first, err := look(pids)
	if err != nil {
		return err
	}
	wakeups, last := make([]float64, len(pids)), first
	tick := time.NewTicker(glance)
	defer tick.Stop()
	began := time.Now()
	for time.Since(began) < span {
		<-tick.C
		now, err := look(pids)
		if err != nil {
			return err
		}
		for i := range pids {
			if now[i].switches > last[i].switches {
				wakeups[i]++
			}
		}
		last = now
	}
	seconds := time.Since(began).Seconds()
	for i := range pids {
		out[i].wakeups = append(out[i].wakeups, wakeups[i]/seconds)
		out[i].switches = append(out[i].switches, (last[i].switches-first[i].switches)/seconds)
		out[i].cpu = append(out[i].cpu, (last[i].cpu-first[i].cpu)/seconds)
		out[i].threads = last[i].threads
	}
	return nil
}

// activity is what the kernel has counted of a process since its start.
type activity struct {
	switches float64 // times that a thread was put on a processor
	cpu      float64 // ms
	threads  int
}

// look sums over the threads of each process. Threads of Go do not end while we look.
func look(pids []int) ([]activity, error) {
	out := make([]activity, len(pids))
	for i, pid := range pids {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(tasks) == 0 {
			return nil, errors.Join(errors.New("a process has no threads"), err)
		}
		for _, task := range tasks {
			text, err := os.ReadFile(task)
			if err != nil {
				return nil, err
			}
			var ran, waited, times float64 // ns, ns, times
			if _, err := fmt.Sscan(string(text), &ran, &waited, &times); err != nil {
				return nil, fmt.Errorf("this kernel keeps no scheduler statistics: %w", err)
			}
			out[i].switches += times
			out[i].cpu += ran / 1e6
			out[i].threads++
		}
	}
	return out, nil
}
