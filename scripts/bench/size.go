package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Goals of size, in MB = 10^6 bytes.
const (
	goalARMv7 = 10.0
	goalARM64 = 9.0
	goalXZ    = 3.2
)

// sizeSection builds the binary for every target and weighs it.
func sizeSection(o options) (*section, error) {
	s := &section{
		title: "Size of the binary",
		about: "As make build makes it (stripped, without cgo, HTTP/2 and copies of functions in cold packages), in MB = 10^6 bytes.",
		head:  []string{"target", "MB", "xz -9 MB"},
	}
	_, err := exec.LookPath("xz")
	hasXZ := err == nil
	for _, t := range []struct{ name, goarch, goarm string }{
		{"armv6", "arm", "6"}, {"armv7", "arm", "7"}, {"arm64", "arm64", ""}, {"riscv64", "riscv64", ""}, {"amd64", "amd64", ""}} {
		path, err := buildStation(o, t.goarch, t.goarm)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		size, packed := float64(info.Size()), "-"
		var small float64
		if hasXZ {
			if small, err = xzSize(path); err != nil {
				return nil, err
			}
			packed = fmt.Sprintf("%.2f", small/1e6)
		}
		s.row("linux/"+t.name, fmt.Sprintf("%.2f", size/1e6), packed)
		switch t.name {
		case "armv7":
			s.goal(size <= goalARMv7*1e6, "binary, armv7", fmt.Sprintf("<= %.0f MB", goalARMv7), "%.2f MB", size/1e6)
		case "arm64":
			s.goal(size <= goalARM64*1e6, "binary, arm64", fmt.Sprintf("<= %.0f MB", goalARM64), "%.2f MB", size/1e6)
			if hasXZ {
				s.goal(small <= goalXZ*1e6, "binary, arm64, xz", fmt.Sprintf("<= %.1f MB", goalXZ), "%.2f MB", small/1e6)
			}
		}
	}
	if !hasXZ {
		s.note("Compressed sizes were not measured: there is no xz.")
	}
	return s, nil
}

// xzSize returns the bytes of a file behind xz.
func xzSize(path string) (float64, error) {
	packed := path + ".xz"
	if out, err := exec.Command("xz", "-9", "--keep", "--force", path).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("xz %s: %w: %s", filepath.Base(path), err, strings.TrimSpace(string(out)))
	}
	info, err := os.Stat(packed)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), os.Remove(packed)
}
