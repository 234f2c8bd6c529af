package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCounterOnStreams(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   string
	}{
		{"passing package shows its line alone", `
{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			"ok  \tp\t0.1s\nPASS: 1 packages (0 failed), 1 tests passed, 0 failed, 0 skipped in 1s\n"},
		{"failing test shows what it said", `
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: got 1\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			"    a_test.go:1: got 1\nFAIL\tp\t0.1s\nFAIL: 1 packages (1 failed), 0 tests passed, 1 failed, 0 skipped in 1s\n"},
		{"skipped test is named with its reason", `
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: peer: not installed\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`,
			"skipped p TestA: peer: not installed\nPASS: 1 packages (0 failed), 0 tests passed, 0 failed, 1 skipped in 1s\n"},
		{"panic under a running test", `
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: no\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			"panic: no\nFAIL\tp\t0.1s\nFAIL: 1 packages (1 failed), 0 tests passed, 1 failed, 0 skipped in 1s\n"},
		{"package that does not build", `
{"Action":"build-output","ImportPath":"p","Output":"p/a.go:1: syntax error\n"}
{"Action":"build-fail","ImportPath":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p"}`,
			"p/a.go:1: syntax error\nFAIL\tp [build failed]\nFAIL: 1 packages (1 failed), 0 tests passed, 0 failed, 0 skipped in 1s\n"},
		{"nothing was run", `no packages to test`,
			"no packages to testFAIL: 0 packages (0 failed), 0 tests passed, 0 failed, 0 skipped in 1s\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			c := newCounter(&got)
			if err := c.read(strings.NewReader(strings.TrimPrefix(tt.stream, "\n"))); err != nil {
				t.Fatal(err)
			}
			c.summary(time.Second)
			if got.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), tt.want)
			}
		})
	}
}

func TestCounterKeepsTheLastLines(t *testing.T) {
	var got strings.Builder
	c := newCounter(&got)
	for range maxKept {
		c.take(event{Action: "output", Package: "p", Test: "T", Output: "early\n"})
	}
	c.take(event{Action: "output", Package: "p", Test: "T", Output: "last\n"})
	c.take(event{Action: "fail", Package: "p", Test: "T"})
	if n := strings.Count(got.String(), "\n"); n != maxKept || !strings.HasSuffix(got.String(), "last\n") {
		t.Errorf("got %d lines, want %d that end with the last", n, maxKept)
	}
}

// The real go test decides what the stream looks like: a module with one test
// of each kind and a package that does not build.
func TestCommandOnARealModule(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n\ngo 1.26\n")
	write("good/a_test.go", "package good\nimport \"testing\"\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) { t.Skip(\"no meter\") }\n")
	write("bad/a_test.go", "package bad\nimport \"testing\"\nfunc TestA(t *testing.T) { t.Error(\"wrong volts\") }\n")
	write("broken/a_test.go", "package broken\nfunc\n")

	binary := filepath.Join(dir, "testcount")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	run := func(pkgs ...string) (string, error) {
		cmd := exec.Command(binary, pkgs...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}

	out, err := run("./good")
	if err != nil {
		t.Errorf("good package: %v: %s", err, out)
	}
	for _, want := range []string{"ok  \tm/good", "skipped m/good TestB: no meter", "PASS: 1 packages (0 failed), 1 tests passed, 0 failed, 1 skipped"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %q, want %q in it", out, want)
		}
	}
	out, err = run("./...")
	if err == nil {
		t.Error("a failing test: exit 0, want 1")
	}
	for _, want := range []string{"wrong volts", "FAIL\tm/bad", "m/broken [setup failed]", "FAIL: 3 packages (2 failed)"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %q, want %q in it", out, want)
		}
	}
}
