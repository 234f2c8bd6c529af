package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// TestScripts plays testdata/*.txt, each with a station of its own, and compares what follows each call:
//
//	> METHOD path body      a call; below it
//	! text                  what it made the runner or the station do
//	< code body             its answer
//	= advance 10s           time passes; also off, on, hung, full
//
// Lines with # are comments. The test writes the answers with -update.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	tried := map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			old, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, newBench(t), string(old), tried)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(old) {
				t.Errorf("%s differs, see with -update:\n%s", file, firstDifference(string(old), got))
			}
		})
	}
	for _, rt := range routes {
		if !tried[rt.method+" "+rt.path] {
			t.Errorf("no script tries %s %s", rt.method, rt.path)
		}
	}
}

// play runs a script and returns it with the answers of today.
func play(t *testing.T, b *bench, script string, tried map[string]bool) string {
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(script, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "< "), strings.HasPrefix(line, "! "), strings.HasPrefix(line, "  "):
			continue // written anew
		}
		fmt.Fprintln(&out, line)
		if rest, ok := strings.CutPrefix(line, "= "); ok {
			do(t, b, rest)
		}
		if rest, ok := strings.CutPrefix(line, "> "); ok {
			method, rest, _ := strings.Cut(rest, " ")
			path, body, _ := strings.Cut(rest, " ")
			if rt, _, _, _ := find(method, base+strings.Split(path, "?")[0]); rt != nil {
				tried[rt.method+" "+rt.path] = true
			}
			code, answer := b.call(method, base+path, body)
			for _, n := range b.taken() {
				fmt.Fprintf(&out, "! %s\n", n)
			}
			fmt.Fprintf(&out, "< %d %s\n", code, indented(t, answer))
		}
	}
	return out.String()
}

// do changes what the calls meet.
func do(t *testing.T, b *bench, what string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	word, arg, _ := strings.Cut(what, " ")
	switch word {
	case "advance":
		d, err := time.ParseDuration(arg)
		if err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(d)
	case "off", "on":
		b.off, b.facts.Powered = word == "off", word == "on"
	default:
		t.Fatalf("script: unknown %q", what)
	}
}

// indented spreads a long answer over lines.
func indented(t *testing.T, answer string) string {
	t.Helper()
	if !json.Valid([]byte(answer)) {
		t.Errorf("answer is not JSON: %s", answer)
	}
	if len(answer) <= 200 {
		return answer
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(answer), "  ", " "); err != nil {
		t.Error(err)
	}
	return b.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
