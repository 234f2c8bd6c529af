package slot

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/slot/image"
)

// device is a directory of slots whose calls go wrong.
type device struct{ *faultfs.FS }

func (d device) Read(name string) (File, error) {
	names, err := d.List()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return d.Open(name)
}

func (d device) Seal(string) error { return nil }

// maker signs images.
type maker struct {
	key   ed25519.PrivateKey
	trust *image.Trust
}

func newMaker(t testing.TB) *maker {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := image.EncodePublic(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := image.ParseTrust(pub)
	if err != nil {
		t.Fatal(err)
	}
	return &maker{key, trust}
}

const payloadSize = 20_000

// image makes an image of version 0.minor.0; change may make it another.
func (m *maker) image(t testing.TB, minor uint32, change func(*Manifest)) []byte {
	t.Helper()
	payload := bytes.Repeat([]byte(fmt.Sprintf("evsed 0.%d.0 ", minor)), payloadSize/12)
	mf := Manifest{Product: image.Product, Version: image.Version{Minor: minor}, Security: minor, Target: "linux/test", Length: int64(len(payload)),
		Hardware: []image.Hardware{{ID: "cc1", Max: 9}}, Released: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), SHA256: sha256.Sum256(payload)}
	if change != nil {
		change(&mf)
	}
	h, err := image.NewHeader(mf)
	if err != nil {
		t.Fatal(err)
	}
	if h, err = h.Sign(m.key, nil); err != nil {
		t.Fatal(err)
	}
	return append(h.Append(nil), payload...)
}

func (m *maker) options(f Files) Options {
	return Options{Files: f, Trust: m.trust, Machine: image.Machine{Target: "linux/test", Hardware: "cc1", Revision: 2, Agent: image.Version{Minor: 1}}}
}

// boot does what launcher and station do at a start.
func (m *maker) boot(t testing.TB, f Files) (*AB, Choice) {
	t.Helper()
	a, c, err := m.tryBoot(f)
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

func (m *maker) tryBoot(f Files) (*AB, Choice, error) {
	o := m.options(f)
	c, _ := Choose(o)
	o.Boot = c.Boot
	if c.File != nil {
		o.Machine.Agent, _ = image.ParseVersion(c.Boot.Version)
	}
	a, err := Open(o)
	if err != nil {
		return nil, c, err
	}
	a.every, a.room = 4096, 1000
	return a, c, nil
}

// stage writes an image in parts, from where an earlier attempt has come.
func stage(a *AB, file []byte) error { return stageOn(a, file, false) }

// stageOn stages on a device that may lie: then the beginning may be wrong, and Check finds it.
func stageOn(a *AB, file []byte, lies bool) error {
	w, err := a.Stage(context.Background(), int64(len(file)))
	if err != nil {
		return err
	}
	tag := fmt.Sprintf("%x", sha256.Sum256(file))
	if w.Tag() != tag { // as transfer does
		if err := errors.Join(w.Truncate(0), w.SetTag(tag)); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	if o := w.Offset(); o > 0 {
		if sum := sha256.Sum256(file[:min(o, int64(len(file)))]); !lies && !bytes.Equal(sum[:], w.Sum()) {
			return errors.New("what is there is not the beginning of the file")
		}
	}
	for o := w.Offset(); o < int64(len(file)); o = w.Offset() {
		if _, err := w.Write(file[o:min(o+3000, int64(len(file)))]); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	if sum := sha256.Sum256(file); !lies && !bytes.Equal(sum[:], w.Sum()) {
		return errors.New("sum of what was written is wrong")
	}
	return w.Close()
}

func install(t testing.TB, a *AB, file []byte) {
	t.Helper()
	if err := tryInstall(a, file); err != nil {
		t.Fatal(err)
	}
}

func tryInstall(a *AB, file []byte) error { return tryInstallOn(a, file, false) }

func tryInstallOn(a *AB, file []byte, lies bool) error {
	if err := stageOn(a, file, lies); err != nil {
		return err
	}
	if _, err := a.Check(); err != nil {
		return err
	}
	return a.Activate()
}

// update installs, starts and confirms an image.
func (m *maker) update(t testing.TB, f Files, minor uint32) *AB {
	t.Helper()
	a, before := m.boot(t, f)
	defer leave(before)
	install(t, a, m.image(t, minor, nil))
	a, c := m.boot(t, f)
	defer leave(c)
	if !c.Boot.Trial || c.Boot.Version != fmt.Sprintf("0.%d.0", minor) {
		t.Fatalf("after Activate: %+v", c.Boot)
	}
	if err := a.Good(); err != nil {
		t.Fatal(err)
	}
	return a
}

// leave lets go of what was started.
func leave(c Choice) {
	if c.File != nil {
		_ = c.File.Close()
	}
}

func content(t testing.TB, f File) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestUpdates goes from the factory's binary through both slots and back to the first.
func TestUpdates(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	if _, c := m.boot(t, f); c.Boot != (Boot{Slot: Factory}) || c.File != nil {
		t.Fatalf("empty slots: %+v", c)
	}
	for i, want := range []Name{A, B, A} {
		minor := uint32(2 + i)
		m.update(t, f, minor)
		a, c := m.boot(t, f)
		if c.Boot != (Boot{Slot: want, Version: fmt.Sprintf("0.%d.0", minor)}) || !strings.HasPrefix(content(t, c.File), fmt.Sprintf("evsed 0.%d.0", minor)) {
			t.Errorf("%+v, want 0.%d.0 in %s", c.Boot, minor, want)
		}
		if st := a.Status(); st.Highest != minor || st.Next != want || st.Trial {
			t.Errorf("%+v", st)
		}
	}
}

func TestTrialFails(t *testing.T) {
	m := newMaker(t)
	for _, test := range []struct {
		name   string
		fail   func(*AB, int) error // at each start
		starts int
		code   string
		why    string
	}{
		{"it never gets far", func(*AB, int) error { return nil }, Tries, CodeStarts, "did not prove itself in 3 starts"},
		{"it returns by itself", func(a *AB, _ int) error { return a.Return(CodeCSMS, "the CSMS has not accepted it") }, 1, CodeCSMS, "the CSMS has not accepted it"},
		{"rolled back at its second start", func(a *AB, n int) error {
			if n == 2 {
				return a.Rollback()
			}
			return nil
		}, 2, CodeRollback, "rolled back"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := device{faultfs.New()}
			m.update(t, f, 2)
			a, _ := m.boot(t, f)
			install(t, a, m.image(t, 3, nil))
			for n := 1; ; n++ {
				a, c := m.boot(t, f)
				if !c.Boot.Trial {
					if want := (Boot{Slot: A, Version: "0.2.0", ReturnedFrom: "0.3.0"}); n != test.starts+1 || c.Boot.ReturnedFrom != want.ReturnedFrom || c.Boot.Slot != A || c.Boot.Code != test.code || !strings.Contains(c.Boot.Why, test.why) {
						t.Errorf("start %d: %+v, want %+v because of %q", n, c.Boot, want, test.why)
					}
					if st := a.Status(); st.Highest != 2 || st.Next != A {
						t.Errorf("%+v", st)
					}
					break
				}
				if _, err := a.Stage(t.Context(), -1); !errors.Is(err, ErrTrial) {
					t.Errorf("stage during a trial: %v", err)
				}
				if err := test.fail(a, n); err != nil {
					t.Fatal(err)
				}
				if _, err := a.Stage(t.Context(), -1); !errors.Is(err, ErrTrial) {
					t.Errorf("stage after a trial, before the restart: %v", err)
				}
			}
			m.update(t, f, 4) // the next one is not kept from trying
		})
	}
}

// TestAloneMayAskForTheStatus: whoever says whether there is a CSMS may look at the slots for it.
func TestAloneMayAskForTheStatus(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	var a *AB
	o := m.options(f)
	o.Boot, o.Alone = Boot{Slot: Factory}, func() bool { return !a.Status().Running.Trial }
	var err error
	if a, err = Open(o); err != nil {
		t.Fatal(err)
	}
	install(t, a, m.image(t, 2, nil))
	if _, c := m.boot(t, f); !c.Boot.Trial || !c.Boot.Alone {
		t.Errorf("%+v", c.Boot)
	}
}

func TestActivateIsTakenBack(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	m.update(t, f, 2)
	a, _ := m.boot(t, f)
	install(t, a, m.image(t, 3, nil))
	if err := a.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, c := m.boot(t, f); c.Boot != (Boot{Slot: A, Version: "0.2.0"}) {
		t.Errorf("%+v", c.Boot)
	}
}

// TestOlderSlotIsNoWayBack: behind a raised security version the other slot does not start any more.
func TestOlderSlotIsNoWayBack(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	m.update(t, f, 2)
	m.update(t, f, 3)
	if err := f.Damage(payloadName(B), func(b []byte) { b[0] ^= 1 }); err != nil {
		t.Fatal(err)
	}
	if _, c := m.boot(t, f); c.Boot.Slot != Factory || c.File != nil || c.Boot.ReturnedFrom != "0.3.0" {
		t.Errorf("%+v", c.Boot)
	}
}

// TestStateLost damages both copies of the state: what is newest and right goes on trial.
func TestStateLost(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	m.update(t, f, 2)
	m.update(t, f, 3)
	for _, name := range []string{"state-0", "state-1"} {
		if err := f.Damage(name, func(b []byte) { b[100] ^= 1 }); err != nil {
			t.Fatal(err)
		}
	}
	a, c := m.boot(t, f)
	if c.Boot != (Boot{Slot: B, Trial: true, Alone: true, Version: "0.3.0"}) {
		t.Errorf("%+v", c.Boot)
	}
	if err := a.Good(); err != nil {
		t.Fatal(err)
	}
	if _, c := m.boot(t, f); c.Boot != (Boot{Slot: B, Version: "0.3.0"}) {
		t.Errorf("%+v", c.Boot)
	}
}

// TestDiskFull: there is room for the image or it is not begun; what others need stays free.
func TestDiskFull(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	m.update(t, f, 2)
	file := m.image(t, 3, nil)
	for _, test := range []struct {
		name string
		size int64
	}{{"size known", int64(len(file))}, {"size unknown", -1}} {
		a, _ := m.boot(t, f)
		f.Room(int64(payloadSize) + 2*payloadSize/2)
		w, err := a.Stage(t.Context(), test.size)
		if err == nil {
			_, err = w.Write(file)
			_ = w.Close()
		}
		if !errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", test.name, err)
		}
		f.Room(-1)
		if _, c := m.boot(t, f); c.Boot.Version != "0.2.0" {
			t.Errorf("%s: then %+v", test.name, c.Boot)
		}
	}
	m.update(t, f, 3)
}

func TestHuge(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	a, _ := m.boot(t, f)
	if _, err := a.Stage(t.Context(), int64(image.MaxImage)+1); !errors.Is(err, image.ErrSize) {
		t.Errorf("announced: %v", err)
	}
	w, err := a.Stage(t.Context(), -1)
	if err != nil {
		t.Fatal(err)
	}
	chunk, n := make([]byte, 1<<20), 0
	for ; err == nil; n++ {
		_, err = w.Write(chunk)
	}
	if !errors.Is(err, image.ErrSize) || n > image.MaxImage>>20+1 {
		t.Errorf("after %d MiB: %v", n, err)
	}
	if names, _ := f.List(); slices.Contains(names, payloadName(A)) {
		t.Error("what is no image was kept")
	}
}

// TestTry is counted before the trial starts: where it cannot be kept, nothing is tried.
func TestTryThatCannotBeCounted(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	m.update(t, f, 2)
	a, _ := m.boot(t, f)
	install(t, a, m.image(t, 3, nil))
	readOnly := errors.New("read-only")
	f.Always(readOnly)
	for range 5 {
		c, err := Choose(m.options(f))
		if c.Boot.Slot != A || c.Boot.Trial || !errors.Is(err, readOnly) {
			t.Fatalf("%+v, %v", c.Boot, err)
		}
	}
	f.Always(nil)
	if _, c := m.boot(t, f); !c.Boot.Trial || c.Boot.Version != "0.3.0" {
		t.Errorf("when the disk is well again: %+v", c.Boot)
	}
}

// outside is a counter as a TPM would keep it.
type outside struct{ v uint32 }

func (c *outside) Value() (uint32, error) { return c.v, nil }
func (c *outside) Raise(to uint32) error  { c.v = max(c.v, to); return nil }

func TestCounterOutside(t *testing.T) {
	m, f, counter := newMaker(t), device{faultfs.New()}, &outside{}
	o := m.options(f)
	o.Counter = counter
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	install(t, a, m.image(t, 5, nil))
	o.Boot = Boot{Slot: A, Trial: true, Version: "0.5.0"}
	if a, err = Open(o); err != nil {
		t.Fatal(err)
	}
	if err := a.Good(); err != nil || counter.v != 5 {
		t.Errorf("%v, counter %d", err, counter.v)
	}
	fresh := device{faultfs.New()} // somebody has exchanged the flash
	o.Files, o.Boot = fresh, Boot{Slot: Factory}
	if a, err = Open(o); err != nil {
		t.Fatal(err)
	}
	if err := stage(a, m.image(t, 4, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Check(); !errors.Is(err, image.ErrOlder) {
		t.Errorf("%v", err)
	}
}

// TestResume: what was staged before a restart is gone on with, and what a tag says goes with it.
func TestResume(t *testing.T) {
	m, f := newMaker(t), device{faultfs.New()}
	file := m.image(t, 2, nil)
	a, _ := m.boot(t, f)
	w, err := a.Stage(t.Context(), -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetTag(`"etag"`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(file[:9000]); err != nil {
		t.Fatal(err)
	}
	f = device{f.Reboot(func() bool { return false })} // a power cut, without Close
	a, _ = m.boot(t, f)
	if w, err = a.Stage(t.Context(), -1); err != nil || w.Offset() != 9000 || w.Tag() != `"etag"` {
		t.Fatalf("%v, offset %d, tag %q", err, w.Offset(), w.Tag())
	}
	if err := w.Truncate(5000); err != nil || w.Offset() != 5000 {
		t.Errorf("%v, offset %d", err, w.Offset())
	}
	if _, err := w.Write(file[5000:6000]); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.Check(); !errors.Is(err, image.ErrTruncated) {
		t.Errorf("%v", err)
	}
	install(t, a, file)
	if w, err = a.Stage(t.Context(), -1); err != nil || w.Offset() != 0 {
		t.Errorf("stage over what was activated: %v, offset %d", err, w.Offset())
	}
}
