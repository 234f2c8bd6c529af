package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Goals of a start with a full outbox.
const (
	goalQueuedBoot = 50 * time.Millisecond // exec to BootNotification
	goalQueuedRSS  = 1 << 20               // bytes of its own more than with an empty outbox
	queuedStarts   = 10
	queuedEvents   = queueSize - 100 // what each start adds does not bring it to the bound
)

// riser is a station that was switched off with an outbox, full or empty.
type riser struct {
	newborn
	dir   string
	cold  bool // nothing of its files is in memory
	peaks []float64
	own   []float64 // bytes that are no pages of files
}

// queuedSection measures starts with a full outbox against starts with an empty one. The CSMS does not answer, so the outbox
// stays as it is.
func queuedSection(o options) (*section, error) {
	seen := make(chan sighting, 64)
	server, err := startMute(func(at time.Time, what, _ string) {
		select {
		case seen <- sighting{at, what}:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	defer server.close()
	risers, err := newRisers(o, server.url)
	if err != nil {
		return nil, err
	}
	for n := range queuedStarts {
		for _, r := range risers {
			if err := r.live(n, seen); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	reads, err := readCold(risers[1].dir)
	if err != nil {
		return nil, err
	}
	return queuedReport(risers, reads)
}

// readCold reads the database of a full outbox once, from its beginning to its end: no start can be sooner that looks at all
// of it.
func readCold(dir string) (took []time.Duration, err error) {
	for range queuedStarts {
		if err := forget(dir, filepath.Join(dir, "state.db")); err != nil {
			return nil, err
		}
		began := time.Now()
		f, err := os.Open(filepath.Join(dir, "state.db"))
		if err != nil {
			return nil, err
		}
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 256<<10))
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

func newRisers(o options, url string) ([]*riser, error) {
	binary, err := buildStation(o, "", "")
	if err != nil {
		return nil, err
	}
	seed := filepath.Join(o.work, "queued.json")
	if err := writeSeed(seed, url, 2); err != nil {
		return nil, err
	}
	full := filepath.Join(o.work, "queued-full")
	risers := []*riser{
		{newborn: newborn{name: "empty outbox"}, dir: filepath.Join(o.work, "queued-empty")},
		{newborn: newborn{name: fmt.Sprintf("%d events", queuedEvents)}, dir: full},
		{newborn: newborn{name: fmt.Sprintf("%d events, cold", queuedEvents)}, dir: full, cold: true},
	}
	for _, r := range risers {
		r.start = func(int) (time.Time, func() error, error) { return r.rise(binary, seed) }
	}
	for _, r := range risers[:2] { // the first boot makes the directory
		p, _, err := start(binary, seed, r.dir)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(p.ready(), p.stop()); err != nil {
			return nil, err
		}
	}
	return risers, fillQueue(full, queuedEvents)
}

// rise starts the station. It ends as by a power cut, once its memory was read.
func (r *riser) rise(binary, seed string) (began time.Time, end func() error, err error) {
	if r.cold {
		if err := forget(r.dir, binary); err != nil {
			return began, nil, err
		}
	}
	p, began, err := start(binary, seed, r.dir)
	if err != nil {
		return began, nil, err
	}
	return began, func() error {
		w, err := weighProcess(p.cmd.Process.Pid)
		r.peaks, r.own = append(r.peaks, w.peak), append(r.own, w.anon)
		_ = p.cmd.Process.Kill()
		var killed *exec.ExitError
		if wait := p.cmd.Wait(); !errors.As(wait, &killed) {
			return errors.Join(err, fmt.Errorf("killed, and ended with %v: %s", wait, tail(p.log.Bytes())))
		}
		return err
	}, nil
}

// forget has the kernel drop what it holds of the files in memory.
func forget(dir, binary string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := []string{binary}
	for _, e := range entries {
		names = append(names, filepath.Join(dir, e.Name()))
	}
	var errs []error
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		errs = append(errs, f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
	}
	return errors.Join(errs...)
}

func queuedReport(risers []*riser, reads []time.Duration) (*section, error) {
	s := &section{
		title: "A start with a full outbox",
		about: fmt.Sprintf("From exec to BootNotification after a power cut, %d starts of each, in turn. Cold: nothing of the state directory and of the\n"+
			"binary is in the kernel's memory. Memory is read when BootNotification has arrived. RSS has pages of the database in it, which\n"+
			"stand in the kernel's memory anyway and which it maps by as many as it likes, up to 2 MB at once; own memory has not.", queuedStarts),
		head: []string{"outbox", "min", "median", "p90", "own memory MB", "peak RSS MB"},
	}
	f := &figures{rig: "start"}
	var boots []time.Duration
	var own []float64
	for i, r := range risers {
		all := r.times(func(x birth) time.Duration { return x.boot })
		boots, own = append(boots, median(all)), append(own, middle(r.own))
		peak := middle(r.peaks) / 1e6
		s.row(r.name, ms(percentile(all, 0)), ms(boots[i]), ms(percentile(all, 90)), fmt.Sprintf("%.2f", own[i]/1e6), fmt.Sprintf("%.2f", peak))
		name := []string{"empty", "full", "full-cold"}[i]
		f.add(name+"-boot", float64(boots[i].Microseconds())/1e3, "ms", "exec to BootNotification, median: %s", r.name)
		f.add(name+"-own", own[i]/1e6, "MB", "memory that is no page of a file, at BootNotification, median: %s", r.name)
		f.add(name+"-peak", peak, "MB", "peak RSS at BootNotification, median: %s", r.name)
	}
	s.row("cold, its database read once", ms(percentile(reads, 0)), ms(median(reads)), ms(percentile(reads, 90)), "", "")
	more := own[1] - own[0]
	f.add("extra", more/1e6, "MB", "own memory more than with an empty outbox")
	s.goal(boots[1] <= goalQueuedBoot, fmt.Sprintf("start with %d events", queuedEvents), "<= "+ms(goalQueuedBoot), "%s", ms(boots[1]))
	s.goal(more <= goalQueuedRSS, fmt.Sprintf("start with %d events, extra memory", queuedEvents), fmt.Sprintf("<= %.2f MB", float64(goalQueuedRSS)/1e6), "%.2f MB", more/1e6)
	return s, f.write()
}
