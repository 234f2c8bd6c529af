package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/fortress"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/local/seed"
	"github.com/evsed/evsed/storage/keys"
)

// Words of --sandbox.
const (
	sandboxOff     = "off"
	sandboxOn      = "on"      // as far as the kernel goes, and the log says how far
	sandboxRequire = "require" // whole, or the process ends
)

func checkSandbox(word string) error {
	switch word {
	case sandboxOff, sandboxOn, sandboxRequire:
		return nil
	}
	return usagef("--sandbox: %q: want %s, %s or %s", word, sandboxOn, sandboxRequire, sandboxOff)
}

// readable is what a Go program reads to find names, times and roots of trust. Folders, for their files are replaced when
// the network or an authority changes.
var readable = []string{"/proc", "/etc", "/usr/share/zoneinfo", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"}

// resolver is where the addresses of name servers are; a link, mostly.
const resolver = "/etc/resolv.conf"

// agentPlan is what an agent keeps: its state, the way to its CSMS and to files, and the start of its guard.
func agentPlan(o runOptions, s *seed.Seed, b *boards.Board, listens net.Addr) (fortress.Plan, error) {
	p := fortress.Plan{Write: []string{o.state}, Read: readable, Device: []string{os.DevNull}}
	if path, err := filepath.EvalSymlinks(resolver); err == nil && !strings.HasPrefix(path, "/etc/") {
		p.Read = append(p.Read, filepath.Dir(path))
	}
	p.Read = append(p.Read, s.Security.Places()...)
	device, file, err := keys.Places(o.keys)
	if err != nil {
		return p, err
	}
	p.Device, p.Read = appendSome(p.Device, device), appendSome(p.Read, file)
	if o.launched != nil {
		p.Write = append(p.Write, o.launched.Slots) // what lies there is started by the launcher, which is not confined
	}
	p.Device = appendSome(p.Device, o.lines)
	p.Device = append(p.Device, boardPlaces(b)...)
	if o.guard == guardChild {
		p.Execute = []string{"/proc/self/exe"} // this very file, whatever lies at its path after an update
		p.Pass = realtime.Capabilities         // a guard that is started later needs them as well
	}
	if a, ok := listens.(*net.TCPAddr); ok {
		p.Bind = append(p.Bind, uint16(a.Port))
	}
	for _, c := range s.Profiles {
		if c.Listen == "" {
			continue
		}
		port, err := portOf(c.Listen)
		if err != nil {
			return p, fmt.Errorf("soapListen %s: %w", c.Listen, err)
		}
		p.Bind = append(p.Bind, port)
	}
	return p, nil
}

// appendSome appends a path unless it is "".
func appendSome(paths []string, path string) []string {
	if path == "" {
		return paths
	}
	return append(paths, path)
}

func portOf(address string) (uint16, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	n, err := net.LookupPort("tcp", port)
	return uint16(n), err
}

// confine gives up what the agent will not need any more, once everything is open that is opened from outside its state.
func (a *agent) confine(o runOptions) error {
	if o.sandbox == sandboxOff {
		a.log.Warn("sandbox", "holds", "nothing: it is off")
		return nil
	}
	var listens net.Addr
	if a.server != nil {
		listens = a.server.Addr()
	}
	p, err := agentPlan(o, a.seed, a.board, listens)
	if err != nil {
		return err
	}
	r := p.Confine()
	a.log.Info("sandbox", "holds", r.String(), "user", unix.Geteuid())
	if len(r.Refused) > 0 {
		a.log.Warn("sandbox", "missing", strings.Join(r.Refused, "; "))
	}
	if o.sandbox == sandboxRequire {
		return r.Whole()
	}
	return nil
}

// confineGuard returns what a guard does to itself once its lines are in the safe state; nil: nothing. It keeps its memory
// locked, what it will still need included. again are folders of devices that may be unplugged and come back.
func confineGuard(word string, again []string, errs io.Writer) func() error {
	if word == sandboxOff {
		return nil
	}
	return func() error {
		r := fortress.Plan{Filter: fortress.Guard, Device: again, Offline: true, Alone: true, Keep: []uint{unix.CAP_IPC_LOCK}}.Confine()
		if len(r.Refused) > 0 {
			fmt.Fprintf(errs, "guard: sandbox: %s hold, and not %s\n", r, strings.Join(r.Refused, "; "))
		}
		if word == sandboxRequire {
			return r.Whole()
		}
		return nil
	}
}
