package main

import (
	"bufio"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestNothingListens: a station listens where it was told to, on loopback, and nowhere else: no debug port, no other
// protocol, none of its children.
func TestNothingListens(t *testing.T) {
	_, backend := backend(t, nil)
	p := newProcess(t, backend)
	p.boot()
	p.charge()
	api, err := url.Parse(p.api)
	must(t, err)
	var open []string
	for _, pid := range family(t, p.cmd.Process.Pid) {
		open = append(open, listening(t, pid)...)
	}
	if !slices.Equal(open, []string{"tcp 0100007F:" + api.Port()}) {
		t.Errorf("listens at %q, want the interface at %s alone", open, api.Host)
	}
}

// family returns a process and its children, theirs included.
func family(t *testing.T, pid int) []int {
	t.Helper()
	all := []int{pid}
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	must(t, err)
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		must(t, err)
		for _, child := range strings.Fields(string(text)) {
			n, err := strconv.Atoi(child)
			must(t, err)
			all = append(all, family(t, n)...)
		}
	}
	return all
}

// listening returns the sockets of a process that take what comes over a network: protocol, address in the kernel's way of
// writing it, and port.
func listening(t *testing.T, pid int) (open []string) {
	t.Helper()
	mine := map[string]bool{}
	fds, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	must(t, err)
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil {
			mine[to] = true
		}
	}
	const tcpListens, udpUnconnected = "0A", "07"
	for _, protocol := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "udplite", "icmp"} {
		f, err := os.Open("/proc/net/" + protocol)
		if err != nil {
			continue // this kernel does not know it
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			w := strings.Fields(lines.Text())
			if len(w) < 10 || !mine["socket:["+w[9]+"]"] || w[3] != tcpListens && w[3] != udpUnconnected {
				continue
			}
			address, port, _ := strings.Cut(w[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			must(t, err)
			open = append(open, protocol+" "+address+":"+strconv.FormatUint(n, 10))
		}
	}
	return open
}
