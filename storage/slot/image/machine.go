package image

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Product is what this program is called in a manifest.
const Product = "evsed"

// Machine is where an image is to run.
type Machine struct {
	Target   string // as Target returns it
	Hardware string // id of the board
	Revision uint32
	Agent    Version // evsed that is to install it
	Highest  uint32  // security version that was good
}

// Target is that of the running program: GOOS/GOARCH, with GOARM behind it where there is one.
func Target() string {
	t := runtime.GOOS + "/" + runtime.GOARCH
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "GOARM" && s.Value != "" {
				t += "/" + s.Value[:1] // of 7 or 7,hardfloat
			}
		}
	}
	return t
}

// ParseHardware reads ID:REVISION; without a revision it is 0.
func ParseHardware(s string) (id string, revision uint32, err error) {
	id, rev, there := strings.Cut(s, ":")
	n, err := uint64(0), error(nil)
	if there {
		n, err = strconv.ParseUint(rev, 10, 32)
	}
	if err != nil || !word(id) {
		return "", 0, fmt.Errorf("%.80q: want ID or ID:REVISION, such as cc1:3", s)
	}
	return id, uint32(n), nil
}

// Runs says whether an image of m could run on this machine at all.
func (x Machine) Runs(m Manifest) error {
	if m.Product != Product {
		return fmt.Errorf("%w: it is %s, this is %s", ErrTarget, m.Product, Product)
	}
	if !runsOn(m.Target, x.Target) {
		return fmt.Errorf("%w: it is for %s, this is %s", ErrTarget, m.Target, x.Target)
	}
	for _, h := range m.Hardware {
		if h.ID == x.Hardware && h.Min <= x.Revision && x.Revision <= h.Max {
			return nil
		}
	}
	return fmt.Errorf("%w: this is %s revision %d", ErrHardware, x.Hardware, x.Revision)
}

// runsOn: what is for an older ARM runs on a newer one too.
func runsOn(target, machine string) bool {
	const arm = "linux/arm/"
	if strings.HasPrefix(target, arm) && strings.HasPrefix(machine, arm) {
		return len(target) == len(machine) && target <= machine
	}
	return target == machine
}

// Accepts says whether an image of m may be installed: it runs here, and neither its version nor its security version is
// older than what was good.
func (x Machine) Accepts(m Manifest) error {
	switch {
	case m.Security < x.Highest:
		return fmt.Errorf("%w: security version %d, and %d was good", ErrOlder, m.Security, x.Highest)
	case m.Version.Compare(x.Agent) < 0:
		return fmt.Errorf("%w: version %v, and %v runs", ErrOlder, m.Version, x.Agent)
	case m.MinAgent.Compare(x.Agent) > 0:
		return fmt.Errorf("%w: %v, this is %v", ErrAgent, m.MinAgent, x.Agent)
	}
	return x.Runs(m)
}
