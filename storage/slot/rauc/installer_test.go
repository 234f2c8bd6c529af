package rauc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// box is a system with two slots, its RAUC, and the installer of the boot that runs.
type box struct {
	*Installer
	t       *testing.T
	rauc    *standIn
	address string
	dir     string
	boots   string
	heard   []Progress
}

func newBox(t *testing.T) *box {
	t.Helper()
	address := startBus(t)
	b := &box{t: t, rauc: newStandIn(t, address), address: address, dir: t.TempDir()}
	b.reboot("rootfs.0")
	return b
}

// reboot starts a slot.
func (b *box) reboot(booted string) {
	b.t.Helper()
	b.boots += "x"
	b.rauc.set(func() { b.rauc.booted = booted })
	b.restart(b.t.Context())
	if err := b.Probe(); err != nil {
		b.t.Fatal(err)
	}
}

// restart starts the station again in the same boot.
func (b *box) restart(ctx context.Context) {
	b.t.Helper()
	i, err := Open(ctx, b.address, b.dir, Options{Boot: b.boots, Progress: func(p Progress) { b.heard = append(b.heard, p) }})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Installer = i
}

// stage downloads a bundle.
func (b *box) stage(data []byte) {
	b.t.Helper()
	w, err := b.Stage(b.t.Context(), int64(len(data)))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, err := range []error{w.Truncate(0), w.SetTag("one")} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if _, err := w.Write(data); err != nil {
		b.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// want holds the status against what it should be.
func (b *box) want(running slot.Boot, next slot.Name, trial bool) {
	b.t.Helper()
	if got := b.Status(); got.Running != running || got.Next != next || got.Trial != trial {
		b.t.Errorf("status %+v, want %+v, then %s on trial %v", got, running, next, trial)
	}
}

func (b *box) history() (all []string) {
	for _, e := range b.Status().History {
		all = append(all, e.What+" "+e.Version)
	}
	return all
}

func TestUpdateIsGood(t *testing.T) {
	b := newBox(t)
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0"}, "rootfs.0", false)
	b.stage([]byte("bundle"))
	if m, err := b.Check(); err != nil || m.Product != "box" || m.Version.String() != "2.0.0" || m.Length != 6 {
		t.Fatalf("%+v: %v", m, err)
	}
	if err := b.Activate(); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(b.heard, Progress{20, "Checking bundle", 1}) {
		t.Errorf("progress: %v", b.heard)
	}
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0"}, "rootfs.1", true)
	if left, _ := os.ReadDir(b.dir); len(left) != 1 {
		t.Errorf("what was installed is still there: %v", left)
	}
	b.restart(t.Context()) // a restart is no reboot
	if err := b.Probe(); err != nil {
		t.Fatal(err)
	}
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0"}, "rootfs.1", true)

	b.reboot("rootfs.1")
	b.want(slot.Boot{Slot: "rootfs.1", Trial: true, Version: "2.0.0"}, "rootfs.1", true)
	b.stage([]byte("next"))
	if err := b.Activate(); !errors.Is(err, slot.ErrTrial) {
		t.Errorf("activate on trial: %v", err)
	}
	if err := b.Good(); err != nil {
		t.Fatal(err)
	}
	b.want(slot.Boot{Slot: "rootfs.1", Version: "2.0.0"}, "rootfs.1", false)
	b.reboot("rootfs.1")
	if err := b.Good(); err != nil {
		t.Fatal(err)
	}
	b.want(slot.Boot{Slot: "rootfs.1", Version: "2.0.0"}, "rootfs.1", false)
	if got := strings.Join(b.rauc.marks, ", "); got != "good rootfs.1, good rootfs.1" {
		t.Errorf("marks: %s", got)
	}
	if got := strings.Join(b.history(), ", "); got != "activated 2.0.0, good 2.0.0" {
		t.Errorf("history: %s", got)
	}

	for version, want := range map[string]error{"1.9.9": image.ErrOlder, "2.0.0-rc.1": image.ErrOlder, "2.0.0": nil, "2.0.1": nil, "summer": image.ErrFormat, "2.1": image.ErrFormat, "": image.ErrFormat} {
		b.rauc.set(func() { b.rauc.bundle = version })
		if _, err := b.Check(); !errors.Is(err, want) {
			t.Errorf("after 2.0.0, %s: %v", version, err)
		}
		if want != nil && !errors.Is(b.Activate(), want) {
			t.Errorf("after 2.0.0, %s was activated", version)
		}
	}
}

func TestUpdateReturns(t *testing.T) {
	b := newBox(t)
	b.stage([]byte("bundle"))
	if err := b.Activate(); err != nil {
		t.Fatal(err)
	}
	b.reboot("rootfs.1")
	b.rauc.set(func() { b.rauc.primary = "rootfs.0" }) // the boot loader has given up
	b.reboot("rootfs.0")
	for range 2 {
		b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0", ReturnedFrom: "2.0.0", Code: slot.CodeStarts, Why: "the boot loader went back to rootfs.0"}, "rootfs.0", false)
		b.reboot("rootfs.0")
	}
	if got := strings.Join(b.history(), ", "); got != "activated 2.0.0, returned 2.0.0" {
		t.Errorf("history: %s", got)
	}
	b.stage([]byte("bundle"))
	if err := b.Activate(); err != nil || b.Status().Running.ReturnedFrom != "" {
		t.Errorf("%+v: %v", b.Status().Running, err)
	}
}

func TestRollback(t *testing.T) {
	b := newBox(t)
	if err := b.Rollback(); err != nil || len(b.rauc.marks) > 0 {
		t.Errorf("with nothing to take back: %v: %v", b.rauc.marks, err)
	}
	b.stage([]byte("bundle"))
	if err := b.Activate(); err != nil {
		t.Fatal(err)
	}
	if err := b.Rollback(); err != nil {
		t.Fatal(err)
	}
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0"}, "rootfs.0", false)

	b.stage([]byte("bundle"))
	if err := b.Activate(); err != nil {
		t.Fatal(err)
	}
	b.reboot("rootfs.1")
	if err := b.Return(slot.CodeGuard, "the guard is gone"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.rauc.marks, ", "); got != "active rootfs.0, active rootfs.0, bad rootfs.1" {
		t.Errorf("marks: %s", got)
	}
	b.reboot("rootfs.0")
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0", ReturnedFrom: "2.0.0", Code: slot.CodeGuard, Why: "the guard is gone"}, "rootfs.0", false)
}

func TestRefusals(t *testing.T) {
	b := newBox(t)
	if _, err := b.Check(); !errors.Is(err, slot.ErrNothing) {
		t.Errorf("nothing staged: %v", err)
	}
	if err := b.Activate(); !errors.Is(err, slot.ErrNothing) {
		t.Errorf("nothing staged: %v", err)
	}
	if _, err := b.Stage(t.Context(), MaxBundle+1); !errors.Is(err, image.ErrSize) {
		t.Errorf("too large: %v", err)
	}
	b.stage([]byte("bundle"))
	for _, row := range []struct {
		name string
		set  func()
		want error
		says string
	}{
		{"signature", func() { b.rauc.refuse = "signature verification failed" }, ErrRefused, "signature verification failed"},
		{"another system", func() { b.rauc.refuse, b.rauc.compatible = "", "toaster" }, image.ErrHardware, "toaster"},
		{"full flash", func() { b.rauc.compatible, b.rauc.failure = "box", "no space left on device" }, ErrRefused, "no space left"},
	} {
		b.rauc.set(row.set)
		if err := b.Activate(); !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		}
		b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0"}, "rootfs.0", false)
		b.reboot("rootfs.0")
		if b.Status().Running.ReturnedFrom != "" {
			t.Errorf("%s: what never started returned", row.name)
		}
	}
}

// The station ends, or RAUC does, in the midst of an installation.
func TestInstallationIsLeft(t *testing.T) {
	b := newBox(t)
	b.stage([]byte("bundle"))
	b.rauc.set(func() { b.rauc.mute = true })
	ctx, cancel := context.WithCancel(t.Context())
	b.restart(ctx)
	b.progress = func(Progress) { cancel() }
	if err := b.Activate(); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	b.rauc.set(func() { b.rauc.mute, b.rauc.operation = false, "idle" })
	b.reboot("rootfs.0")
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.0.0"}, "rootfs.0", false)
	b.rauc.set(func() { b.rauc.leave = true })
	if err := b.Activate(); !errors.Is(err, ErrService) {
		t.Errorf("RAUC left: %v", err)
	}
}

// A power cut after RAUC ended and before that was noted: what is booted tells.
func TestNoteIsBehind(t *testing.T) {
	b := newBox(t)
	b.stage([]byte("bundle"))
	if err := b.Activate(); err != nil {
		t.Fatal(err)
	}
	if err := b.change(func(n *note) { n.Done = false }); err != nil {
		t.Fatal(err)
	}
	b.reboot("rootfs.1")
	b.want(slot.Boot{Slot: "rootfs.1", Trial: true, Version: "2.0.0"}, "rootfs.1", true)
	if err := os.WriteFile(filepath.Join(b.dir, "rauc.json"), []byte("torn{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.reboot("rootfs.1")
	b.want(slot.Boot{Slot: "rootfs.1", Version: "2.0.0"}, "rootfs.1", false)
}

func TestSpool(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bundle")
	open := func() *spool {
		t.Helper()
		s, err := openSpool(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(s *spool, data []byte, tag string) {
		t.Helper()
		sum := sha256.Sum256(data)
		if s.Offset() != int64(len(data)) || s.Tag() != tag || !bytes.Equal(s.Sum(), sum[:]) {
			t.Fatalf("%d bytes of %q, want %d of %q", s.Offset(), s.Tag(), len(data), tag)
		}
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), (syncBytes+100_000)/16)
	s := open()
	check(s, nil, "")
	if err := s.SetTag("one"); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(data); at += 16 << 10 {
		if _, err := s.Write(data[at:min(len(data), at+16<<10)]); err != nil {
			t.Fatal(err)
		}
	}
	check(s, data, "one")
	durable := s.synced
	s.f.Close() // a power cut: what was not synced may be anything
	if durable < syncBytes || durable == int64(len(data)) {
		t.Fatalf("%d of %d bytes are durable", durable, len(data))
	}
	if err := os.WriteFile(name, append(bytes.Clone(data[:durable]), make([]byte, 50_000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open()
	check(s, data[:durable], "one")
	if err := s.Truncate(1000); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	check(s, append(bytes.Clone(data[:1000]), 'x'), "one")
	if err := errors.Join(s.Truncate(0), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open()
	check(s, nil, "")
	for what, err := range map[string]error{"tag": s.SetTag(strings.Repeat("x", slot.MaxTag+1)), "truncate": s.Truncate(1)} {
		if err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	s.f.Close()
	for _, torn := range []string{"", "x", "-1 one", "5", "999 one", "5 " + strings.Repeat("x", slot.MaxTag+1)} {
		if err := errors.Join(os.WriteFile(name, []byte("four"), 0o600), os.WriteFile(name+".tag", []byte(torn), 0o600)); err != nil {
			t.Fatal(err)
		}
		s = open()
		check(s, nil, "")
		s.f.Close()
	}
}

// A system that RAUC did not install has the version that evsed tells, and that is no bar to a bundle.
func TestVersionOfAnotherInstaller(t *testing.T) {
	b := newBox(t)
	b.rauc.set(func() { b.rauc.versions["rootfs.0"], b.rauc.bundle = "", "0.9.0" })
	i, err := Open(t.Context(), b.address, b.dir, Options{Boot: "x", Version: "1.5.0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := i.Status().Running.Version; got != "1.5.0" {
		t.Errorf("before RAUC was asked: %s", got)
	}
	b.Installer = i
	if err := b.Good(); err != nil {
		t.Fatal(err)
	}
	b.want(slot.Boot{Slot: "rootfs.0", Version: "1.5.0"}, "rootfs.0", false)
	b.stage([]byte("bundle"))
	if _, err := b.Check(); err != nil {
		t.Error(err)
	}
}
