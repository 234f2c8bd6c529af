package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine describes in one line where the numbers come from: processor, load, kernel, Go. No names and no paths.
func machine() string {
	cpu := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	load := "?"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Fields(string(text))[0]
	}
	kernel := "?"
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(text))
	}
	return fmt.Sprintf("Machine: %s, %d cores, load %s at the start; %s/%s, kernel %s, %s; %s.", cpu, runtime.NumCPU(), load,
		runtime.GOOS, runtime.GOARCH, kernel, runtime.Version(), time.Now().UTC().Format("2006-01-02"))
}
