//go:build !arm

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evsed/evsed/boards/bringup"
	"github.com/evsed/evsed/boards/seal"
)

// boards runs a command on board files and returns its exit code and what it says.
func onBoard(args ...string) (int, string) {
	var out, errs strings.Builder
	code := dispatch(append([]string{"board"}, args...), &out, &errs)
	return code, out.String() + errs.String()
}

// TestBringupAndSeal: the way from a new board to a sealed one, on a bench.
func TestBringupAndSeal(t *testing.T) {
	state := t.TempDir()
	if code, text := onBoard("seal", "--state", state, shippedBoard); code != exitFailed || !strings.Contains(text, seal.CodeNotReady) {
		t.Errorf("seal without a bring-up: %d %s", code, text)
	}
	if code, text := onBoard("bringup", "report", shippedBoard, "--state", state); code != exitFailed || !strings.Contains(text, bringup.ErrNone.Error()) {
		t.Errorf("report without a bring-up: %d %s", code, text)
	}
	code, text := onBoard("bringup", "start", shippedBoard, "--state", state, "--virtual")
	if code != exitOK || !strings.Contains(text, "\nPASSED\n") {
		t.Fatalf("start: %d %s", code, text)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > 80 {
			t.Errorf("line of %d characters: %s", len(line), line)
		}
	}
	if code, text := onBoard("bringup", "report", shippedBoard, "--state", state); code != exitOK || !strings.Contains(text, "C to open") {
		t.Errorf("report: %d %s", code, text)
	}
	if code, text := onBoard("bringup", "start", shippedBoard, "--state", state, "--virtual"); code != exitFailed {
		t.Errorf("a second start: %d %s", code, text)
	}
	if code, text := onBoard("seal", shippedBoard, "--state", state); code != exitFailed || !strings.Contains(text, "rehearsal") {
		t.Errorf("seal of a rehearsal: %d %s", code, text)
	}
	if code, text := onBoard("bringup", "resume", shippedBoard, "--state", state); code != exitFailed || !strings.Contains(text, bringup.ErrRehearsal.Error()) {
		t.Errorf("a rehearsal that goes on at a board: %d %s", code, text)
	}
	measured(t, state)
	if code, text := onBoard("seal", shippedBoard, "--state", state); code != exitOK || !strings.Contains(text, "sealed") {
		t.Errorf("seal: %d %s", code, text)
	}
	o := runOptions{state: state, board: []string{shippedBoard}, seed: filepath.Join(t.TempDir(), "seed.json")}
	text = `{"format": "station-seed/1", "station": {"id": "cs", "vendor": "V", "model": "M"}, "csms": [{"slot": 1, "url": "ws://127.0.0.1:9", "ocpp": ["ocpp2.0.1"], "securityProfile": 0}]}`
	if err := os.WriteFile(o.seed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := readSeed(o)
	if err != nil {
		t.Fatalf("first start of a sealed station: %v", err)
	}
	if _, err := o.readBoard(s, io.Discard); err != nil {
		t.Error(err)
	}
	o.board = append(o.board, "../../boards/product-11kw.yaml")
	var refused *seal.Refusal
	if _, err := o.readBoard(s, io.Discard); !errors.As(err, &refused) || refused.Code != seal.CodeOther {
		t.Errorf("other files: %v", err)
	}
}

// measured makes a rehearsal's report one of a board.
func measured(t *testing.T, state string) {
	t.Helper()
	dir := filepath.Join(state, seal.Folder)
	r, err := bringup.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Virtual = false
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
}

// TestBringupWithoutWires: a board whose wires are not here gets no further than their names, and the report says which.
func TestBringupWithoutWires(t *testing.T) {
	state := t.TempDir()
	data, err := os.ReadFile(shippedBoard)
	if err != nil {
		t.Fatal(err)
	}
	board := filepath.Join(t.TempDir(), "board.yaml") // whose lines no machine has
	if err := os.WriteFile(board, []byte(strings.NewReplacer("gpio:!", "gpio:!NOT_HERE_", "gpio:", "gpio:NOT_HERE_").Replace(string(data))), 0o600); err != nil {
		t.Fatal(err)
	}
	code, text := onBoard("bringup", "start", board, "--state", state)
	if code != exitFailed || !strings.Contains(text, bringup.ErrNames.Error()) || strings.Contains(text, "pilot") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := onBoard("bringup", "report", board, "--state", state); code != exitFailed || !strings.Contains(text, "NOT FINISHED") {
		t.Errorf("report: %d %s", code, text)
	}
}

// TestBringupUsage: what cannot be meant is told with what is wanted.
func TestBringupUsage(t *testing.T) {
	for _, args := range [][]string{{"bringup"}, {"bringup", "begin", "--state", "x", shippedBoard}, {"bringup", "start", shippedBoard}, {"bringup", "start", "--state", "x"},
		{"bringup", "start", "--force", "--state", "x", shippedBoard}, {"seal", shippedBoard}, {"seal", "--state", "x"}} {
		if code, text := onBoard(args...); code != exitUsage {
			t.Errorf("%q: %d %s", args, code, text)
		}
	}
}

// TestPersonAtATerminal: an empty line is the given answer, and whoever leaves can come back.
func TestPersonAtATerminal(t *testing.T) {
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out strings.Builder
	p := &person{in: lines(in), out: &out}
	if _, err := w.WriteString("\n 42 \n"); err != nil {
		t.Fatal(err)
	}
	ask := func() (string, error) {
		return p.Ask(t.Context(), bringup.Question{Text: "Frequency in Hz", Given: "skip", Idle: func() {}})
	}
	for _, want := range []string{"skip", "42"} {
		if a, err := ask(); err != nil || a != want {
			t.Errorf("%q, %v, want %q", a, err, want)
		}
	}
	w.Close()
	if _, err := ask(); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the input: %v", err)
	}
	if !strings.HasPrefix(out.String(), "  Frequency in Hz [skip]: ") {
		t.Errorf("asked %q", &out)
	}
}
