package main

import (
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/virtual"
)

// TestHeart: a loop or a guard that has not moved for long is not well; no power is.
func TestHeart(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	on := func(turns uint64, guard int) virtual.Pulse {
		return virtual.Pulse{On: true, Turns: turns, Guard: at(guard)}
	}
	for _, test := range []struct {
		name  string
		steps []virtual.Pulse // ten seconds apart
		want  string          // of each: + well, - not
	}{
		{"idle", []virtual.Pulse{on(1, 0), on(1, 9), on(2, 19), on(2, 29), on(3, 39)}, "+++++"},
		{"loop hangs", []virtual.Pulse{on(5, 0), on(5, 10), on(5, 20), on(5, 30), on(5, 40), on(5, 50)}, "++++--"},
		{"loop hangs and moves again", []virtual.Pulse{on(5, 0), on(5, 10), on(5, 20), on(5, 30), on(5, 40), on(6, 50)}, "++++-+"},
		{"guard hangs", []virtual.Pulse{on(1, 0), on(2, 0), on(3, 0), on(4, 0)}, "++--"},
		{"no guard ever", []virtual.Pulse{{On: true, Turns: 1}}, "-"},
		{"no power", []virtual.Pulse{{}, {}, {}, {}, {}, {}}, "++++++"},
		{"power comes back late", []virtual.Pulse{{}, {}, {}, {}, {}, on(1, 50), on(1, 60)}, "+++++++"},
	} {
		var h heart
		var got strings.Builder
		for i, p := range test.steps {
			word := map[bool]string{true: "+", false: "-"}[h.well(at(10*i), p)]
			got.WriteString(word)
		}
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.String(), test.want)
		}
	}
}

// inbox is the socket of an init system.
type inbox struct {
	mu   sync.Mutex // of said
	said []string
}

func (b *inbox) count(line string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.said {
		if s == line {
			n++
		}
	}
	return n
}

// listen begins to hear what a process tells at path.
func (b *inbox) listen(t *testing.T, path string) {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1024)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			b.mu.Lock()
			b.said = append(b.said, strings.Split(string(buf[:n]), "\n")...)
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
}

// TestInitSystem: the init system hears when the station works, that it goes on working, and that it ends; from within the
// sandbox, whoever guards.
func TestInitSystem(t *testing.T) {
	for _, guard := range []string{guardWithin, guardChild} {
		t.Run(guard, func(t *testing.T) {
			var b inbox
			path := filepath.Join(t.TempDir(), "notify")
			b.listen(t, path)
			t.Setenv("NOTIFY_SOCKET", path)
			t.Setenv("WATCHDOG_USEC", "200000")
			p := newProcess(t, "ws://127.0.0.1:1")
			p.args = []string{"--guard", guard}
			p.boot()
			p.until("it is ready", func() bool { return b.count("READY=1") == 1 })
			p.until("it goes on", func() bool { return b.count("WATCHDOG=1") > 3 })
			p.terminate()
			for end := time.Now().Add(20 * time.Second); b.count("STOPPING=1") == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
			if b.count("STOPPING=1") != 1 || b.count("READY=1") != 1 {
				t.Errorf("told: %q", b.said)
			}
		})
	}
}
