package storage

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/evsed/evsed/station"
)

// childEnv makes the test binary the process that is killed.
const childEnv = "EVSED_STORAGE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := childLife(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	// bbolt syncs: in memory that costs nothing, and nothing here asks a real device.
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() && os.Getenv("TMPDIR") == "" {
		_ = os.Setenv("TMPDIR", "/dev/shm")
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800) // the rigs throw whole disks away
	}
	// A closed database stays in its page pool for two collections more; without a limit the heap grows with each.
	debug.SetMemoryLimit(1 << 30)
	os.Exit(m.Run())
}

// childLife commits without end: a counter, one outbox entry each, an acknowledgement for every second one. It says a
// number when it is durable.
func childLife(dir string) error {
	s, rep, err := Open(dir, Options{CheckpointRecords: 64})
	if err != nil {
		return err
	}
	if rep.Damaged() {
		return fmt.Errorf("damage: %v", rep.Findings)
	}
	n := uint64(0)
	if v, found, err := s.Get(station.BucketMeta, "n"); err != nil {
		return err
	} else if found {
		if n, err = strconv.ParseUint(string(v), 10, 64); err != nil {
			return err
		}
	}
	w := s.Start()
	numbers := map[uint64]uint64{}
	for said := n; ; {
		for i := 0; i < 3; i++ {
			n++
			batch := []station.Record{set(station.BucketMeta, "n", fmt.Sprint(n)), set(station.BucketVariable, fmt.Sprint(n%50), fmt.Sprint(n)), event(n, station.PhaseUpdated, "t", int(n))}
			if n%2 == 0 {
				batch = append(batch, del(station.BucketOutbox, station.ReportID(n/2).Key()))
			}
			at, err := w.Append(batch, true)
			if err != nil {
				return err
			}
			numbers[at] = n
		}
		for done := <-w.Durable(); ; done-- {
			if v, ok := numbers[done]; ok {
				said = v
				break
			}
		}
		fmt.Println(said)
	}
}

// TestKill kills a process that writes, at random moments, and looks at what it left.
func TestKill(t *testing.T) {
	rounds := 20
	if os.Getenv("EVSED_SOAK") != "" {
		rounds = 500
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(9, 9))
	for round := 0; round < rounds; round++ {
		said := runAndKill(t, dir, 1+rng.IntN(120))
		s, rep, err := Open(dir, Options{})
		must(t, err)
		if len(rep.Findings) > 0 {
			t.Fatalf("round %d: %v", round, rep.Findings)
		}
		v, _, err := s.Get(station.BucketMeta, "n")
		must(t, err)
		n, err := strconv.ParseUint(string(v), 10, 64)
		must(t, err)
		if n < said {
			t.Fatalf("round %d: %d was durable, found %d", round, said, n)
		}
		if got, want := s.OutboxLen(), int(n-n/2); got != want || s.OutboxLast() != station.ReportID(n).Key() {
			t.Fatalf("round %d: %d entries up to %s, want %d up to %d", round, got, s.OutboxLast(), want, n)
		}
		if head, err := s.Head("", 1); err != nil || head[0].Key != station.ReportID(n/2+1).Key() {
			t.Fatalf("round %d: head %v, %v", round, head, err)
		}
		s.Abandon()
	}
}

// runAndKill starts the child, reads that many numbers, kills it, and returns the last number it said.
func runAndKill(t *testing.T, dir string, lines int) (said uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	scan := bufio.NewScanner(out)
	for i := 0; scan.Scan(); i++ {
		if i == lines {
			must(t, cmd.Process.Kill())
		}
		n, err := strconv.ParseUint(scan.Text(), 10, 64)
		if err != nil {
			t.Fatalf("child: %s", scan.Text())
		}
		said = n
	}
	if err := cmd.Wait(); err == nil || said == 0 {
		t.Fatalf("child ended by itself: %v after %d", err, said)
	}
	return said
}
