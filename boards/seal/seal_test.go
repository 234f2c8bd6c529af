//go:build !arm

package seal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bringup"
	"github.com/evsed/evsed/storage/keys"
)

const board = "../ac-socket-imx6ull.yaml"

// factory is a state directory with a bring-up of a board.
type factory struct {
	t     *testing.T
	state string
	b     *boards.Board
	v     *bringup.Virtual
	o     bringup.Options
}

func newFactory(t *testing.T) *factory {
	t.Helper()
	b, _, err := boards.Load(board)
	if err != nil {
		t.Fatal(err)
	}
	f := &factory{t: t, state: t.TempDir(), b: b}
	if f.v, err = bringup.NewVirtual(b, io.Discard); err != nil {
		t.Fatal(err)
	}
	f.o = bringup.Options{Board: b, Paths: []string{board}, Dir: filepath.Join(f.state, Folder), Rig: f.v, Person: f.v, Program: "test"}
	return f
}

// bringUp makes the whole bring-up.
func (f *factory) bringUp() {
	f.t.Helper()
	if _, err := bringup.Start(f.t.Context(), f.o); !errors.Is(err, bringup.ErrPower) {
		f.t.Fatal(err)
	}
	f.resume()
}

func (f *factory) resume() {
	f.t.Helper()
	if err := f.v.Cycle(); err != nil {
		f.t.Fatal(err)
	}
	if _, err := bringup.Resume(f.t.Context(), f.o); err != nil {
		f.t.Fatal(err)
	}
}

func (f *factory) seal(paths ...string) (*Seal, error) {
	f.t.Helper()
	store, err := Open(f.state, "file")
	if err != nil {
		f.t.Fatal(err)
	}
	defer store.Close()
	return Make(f.state, store, f.b, paths, "test", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// TestSeal: a board that was brought up is sealed, and then runs with these files alone.
func TestSeal(t *testing.T) {
	f := newFactory(t)
	if err := Check(f.state, []string{board}); err != nil {
		t.Errorf("factory mode: %v", err)
	}
	_, err := f.seal(board)
	wantCode(t, err, CodeNotReady)
	f.bringUp()
	s, err := f.seal(board)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Worst) != 1 || s.Worst[0].Millis <= 0 || s.Worst[0].Millis > exitMost {
		t.Errorf("worst cases %+v", s.Worst)
	}
	if err := Check(f.state, []string{board}); err != nil {
		t.Error(err)
	}
	for _, other := range [][]string{{"../ac-wallbox-cm4.yaml"}, {board, "../product-11kw.yaml"}} {
		wantCode(t, Check(f.state, other), CodeOther)
	}
}

// TestSealNeedsAPassedBringUp: of exactly these files, without a skipped step.
func TestSealNeedsAPassedBringUp(t *testing.T) {
	f := newFactory(t)
	f.v.Answer = map[string]string{"frequency@1": "skip"}
	f.bringUp()
	_, err := f.seal(board)
	wantCode(t, err, CodeNotReady)
	f.v.Answer = nil
	f.resume()
	_, err = f.seal("../ac-wallbox-cm4.yaml")
	wantCode(t, err, CodeNotReady)
	if _, err := f.seal(board); err != nil {
		t.Error(err)
	}
}

// TestWorstCaseIsNeeded: what the agent owns has to have been measured.
func TestWorstCaseIsNeeded(t *testing.T) {
	f := newFactory(t)
	f.bringUp()
	r, err := bringup.Read(f.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Steps {
		if r.Steps[i].ID == bringup.StepExit {
			r.Steps[i].Values = nil
		}
	}
	if err := r.Write(f.o.Dir); err != nil {
		t.Fatal(err)
	}
	_, err = f.seal(board)
	wantCode(t, err, CodeNotReady)
}

// TestBrokenSeal: one that was changed, cut short, signed by another key or without its key is none, and nothing runs.
func TestBrokenSeal(t *testing.T) {
	f := newFactory(t)
	f.bringUp()
	if _, err := f.seal(board); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.state, Folder, file)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"changed": bytes.Replace(whole, []byte("AC22-S"), []byte("AC22-T"), 1),
		"short":   whole[:len(whole)/2],
		"empty":   {},
		"large":   append(whole, make([]byte, maxSeal)...),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		wantCode(t, Check(f.state, []string{board}), CodeBroken)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(f.state, Folder, keys.Folder)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, Check(f.state, []string{board}), CodeBroken)
}
