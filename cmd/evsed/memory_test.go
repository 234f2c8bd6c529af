package main

import (
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestReadOnlyMapping(t *testing.T) {
	for _, test := range []struct {
		line       string
		from, size uintptr
		ok         bool
	}{
		{"00400000-0083e000 r-xp 00000000 fd:01 12 /usr/bin/evsed", 0x400000, 0x43e000, true},
		{"0083e000-00ce1000 r--p 0043e000 fd:01 12                 /usr/bin/evsed", 0x83e000, 0x4a3000, true},
		{"00ce1000-00d29000 rw-p 008e0000 fd:01 12 /usr/bin/evsed", 0, 0, false}, // written pages would be lost
		{"00400000-0083e000 r-xp 00000000 fd:01 12 /usr/bin/other", 0, 0, false},
		{"c000000000-c000400000 rw-p 00000000 00:00 0", 0, 0, false},
		{"00400000 r-xp 00000000 fd:01 12 /usr/bin/evsed", 0, 0, false},
		{"", 0, 0, false},
	} {
		from, size, ok := readOnly(test.line, "/usr/bin/evsed")
		if ok != test.ok || ok && (from != test.from || size != test.size) {
			t.Errorf("%q: %x, %x, %v", test.line, from, size, ok)
		}
	}
}

// TestStartIsShed compares the file pages of a station before and after it has settled, and that it works on.
func TestStartIsShed(t *testing.T) {
	if b, ok := debug.ReadBuildInfo(); ok && slices.Contains(b.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"}) {
		t.Skip("linked with C, whose pages are not those of the product: CGO_ENABLED=0 go test")
	}
	_, url := backend(t, nil)
	p := newProcess(t, url)
	p.boot()
	file := func() (kB int) {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/smaps_rollup")
		if err != nil {
			t.Skipf("this kernel has no smaps_rollup: %v", err)
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss_File:" {
				kB, _ = strconv.Atoi(f[1])
			}
		}
		return kB
	}
	least, most := 1<<30, 0
	for end := time.Now().Add(3 * settled); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		kB := file()
		least, most = min(least, kB), max(most, kB)
	}
	if most == 0 {
		t.Skip("this kernel does not tell file pages apart")
	}
	if least > most*3/4 {
		t.Errorf("between %d and %d kB of the binary are mapped", least, most)
	}
	p.charge()
	p.terminate()
	t.Logf("%d kB at the start, %d kB later", most, least)
}
