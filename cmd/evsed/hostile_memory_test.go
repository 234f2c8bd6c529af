package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory is what a process takes, in kB.
type memory struct {
	own      int // heap, stacks, whatever else no file stands behind
	resident int // with the pages of the binary and of mapped files, which the kernel takes back when it likes
}

// watchEvery is how often memory is looked at. The runtime gives memory back slowly, far more slowly than that.
const watchEvery = 2 * time.Millisecond

// watch looks at the memory of the process again and again, until the function that it returns is called and tells the
// most that was seen.
func (s *siege) watch() func() memory {
	statm, quit, result := s.proc("statm"), make(chan struct{}), make(chan memory)
	go func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		var most memory
		for {
			now := readMemory(statm)
			most.own, most.resident = max(most.own, now.own), max(most.resident, now.resident)
			select {
			case <-ticker.C: // the station has its own time
			case <-quit:
				result <- most
				return
			}
		}
	}()
	return func() memory { close(quit); return <-result }
}

// readMemory reads /proc/PID/statm: pages in all, resident, of these with a file behind them.
func readMemory(statm string) memory {
	b, _ := os.ReadFile(statm)
	f := strings.Fields(string(b))
	if len(f) < 3 {
		return memory{}
	}
	page := os.Getpagesize() / 1024
	resident, _ := strconv.Atoi(f[1])
	shared, _ := strconv.Atoi(f[2])
	return memory{(resident - shared) * page, resident * page}
}

// underRace tells that the detector's own memory is measured with that of the station.
var underRace bool

// summary is what was worst over all attacks.
type summary struct {
	attacks         int
	own, list       int // kB above rest: of what is not a list, of lists that are streamed
	ownOf           string
	resident, wrote int
	logged          int // bytes
	after           figures
}

func (u *summary) add(name string, own, resident, wrote, logged int, after figures) {
	if strings.HasPrefix(name, "SendLocalList") {
		u.list = max(u.list, own)
	} else if own > u.own {
		u.own, u.ownOf = own, name
	}
	u.resident, u.wrote, u.logged, u.after = max(u.resident, resident), max(u.wrote, wrote), max(u.logged, logged), after
}

// write leaves the figures of a rig where EVSED_FIGURES asks for them: name, value, unit, what it means.
func (s *siege) write(rig string, u summary) {
	dir := os.Getenv("EVSED_FIGURES")
	if dir == "" {
		return
	}
	var b strings.Builder
	row := func(name string, value int, unit, means string) {
		fmt.Fprintf(&b, "%s\t%d\t%s\t%s\n", name, value, unit, means)
	}
	row("attacks", u.attacks, "", "attacks by a hostile CSMS on one station while a car charges; it charges on, and after each the station beats its heart and tells all that is asked for")
	row("rest", s.rest.own, "kB", "memory of the process itself at rest, a car charging, at most")
	row("above rest", u.own, "kB", fmt.Sprintf("at most above that in any attack but long lists, wanted %d (%s)", s.most(), u.ownOf))
	if u.list > 0 {
		row("above rest, long lists", u.list, "kB", "the same while lists of 100,000 and more tokens are streamed to flash")
	}
	row("resident above rest", u.resident, "kB", "the same with pages of the binary that were not in use at rest and that the kernel takes back when it likes")
	row("live left", (int(u.after.Heap)-int(s.before.Heap))/1024, "kB", "live objects after all attacks above those before")
	row("goroutines left", u.after.Goroutines-s.before.Goroutines, "", "goroutines after all attacks above those before")
	row("descriptors left", u.after.files-s.before.files, "", "open files after all attacks above those before")
	row("logged", u.logged, "B", "at most of log in one attack")
	row("written", u.wrote/1024, "kB", "at most written to the device in one attack, long lists among them")
	if err := os.WriteFile(filepath.Join(dir, rig+".tsv"), []byte(b.String()), 0o644); err != nil {
		s.t.Error(err)
	}
}
