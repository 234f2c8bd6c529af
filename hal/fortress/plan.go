package fortress

import (
	"fmt"
	"strings"
)

// Filter is which system calls are left.
type Filter int

// The filters.
const (
	Agent Filter = iota // all but those that no station needs
	Guard               // a short list
)

// Plan is what a process keeps.
type Plan struct {
	Filter  Filter
	Write   []string // folders: everything below them may be read, written, made and removed
	Read    []string // files or folders; one that does not exist is left out
	Execute []string // programs; none: no program can be started
	Device  []string // device nodes and files, or folders of them: listed, read, written and controlled; a guard that has some may open them again
	Bind    []uint16 // TCP ports at which it may still begin to listen; 0 is one that the kernel chooses
	Offline bool     // no TCP connection may be made; where not, any address: whom a CSMS names is not known ahead
	Alone   bool     // no signal to, and no abstract socket of, a process that is not confined with it
	Pass    []uint   // capabilities left to programs that it starts, as far as it has them; it does not use them itself
	Keep    []uint   // capabilities that it goes on to use, as far as it has them
}

// Report says which layers hold.
type Report struct {
	Landlock     int      // version of the kernel's landlock interface; 0: none
	Seccomp      bool     // the filter of system calls
	NoPrivileges bool     // no new privileges, by whatever program is started
	Capabilities bool     // dropped but for those to keep
	NoNewCode    bool     // memory that can be written can never become code
	Refused      []string // layers that do not hold, and why
}

// String is the Report in one line for logs.
func (r Report) String() string {
	var held []string
	if r.Landlock > 0 {
		held = append(held, fmt.Sprintf("landlock abi %d", r.Landlock))
	}
	for _, layer := range []struct {
		holds bool
		name  string
	}{{r.Seccomp, "seccomp"}, {r.NoPrivileges, "no new privileges"}, {r.Capabilities, "capabilities dropped"}, {r.NoNewCode, "no new code"}} {
		if layer.holds {
			held = append(held, layer.name)
		}
	}
	if len(held) == 0 {
		held = append(held, "nothing")
	}
	return strings.Join(held, ", ")
}

// Whole tells what is missing of a whole sandbox; nil: nothing. MDWE is asked for but not missed: it is younger than the
// kernels of most boards.
func (r Report) Whole() error {
	if r.Landlock > 0 && r.Seccomp && r.NoPrivileges && r.Capabilities {
		return nil
	}
	return fmt.Errorf("the sandbox is not whole: only %s hold (%s)", r, strings.Join(r.Refused, "; "))
}

// Confine takes away all that the plan does not keep. It goes as far as it can; the report tells how far.
func (p Plan) Confine() Report {
	var r Report
	for _, layer := range []struct {
		name string
		hold func(*Report) error
	}{
		{"core files", func(*Report) error { return noCores() }},
		{"bounding set", p.bound},
		{"no new privileges", noNewPrivileges},
		{"landlock", p.lockLand},
		{"capabilities", p.drop},
		{"no new code", noNewCode},
		{"seccomp", p.filterCalls},
	} {
		if err := layer.hold(&r); err != nil {
			r.Refused = append(r.Refused, fmt.Sprintf("%s: %v", layer.name, err))
		}
	}
	return r
}
