package slot

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/slot/image"
)

func TestRefusedImages(t *testing.T) {
	m, stranger := newMaker(t), newMaker(t)
	good := m.image(t, 3, nil)
	for _, test := range []struct {
		name string
		file []byte
		want error
	}{
		{"older", m.image(t, 1, func(m *Manifest) { m.Security = 9 }), image.ErrOlder},
		{"lower security version", m.image(t, 3, func(m *Manifest) { m.Security = 1 }), image.ErrOlder},
		{"other hardware", m.image(t, 3, func(m *Manifest) { m.Hardware[0].ID = "cc7" }), image.ErrHardware},
		{"another processor", m.image(t, 3, func(m *Manifest) { m.Target = "linux/s390x" }), image.ErrTarget},
		{"another maker", stranger.image(t, 3, nil), image.ErrKey},
		{"nothing", nil, ErrNothing},
		{"cut in the header", good[:100], image.ErrTruncated},
		{"cut in the payload", good[:len(good)-1], image.ErrTruncated},
		{"more behind it", append(slices.Clone(good), 1), image.ErrDigest},
		{"no image", bytes.Repeat([]byte("#!/bin/sh\n"), 5000), image.ErrFormat},
		{"another payload", append(slices.Clone(good[:len(good)-1]), '!'), image.ErrDigest},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := device{faultfs.New()}
			m.update(t, f, 2)
			a, _ := m.boot(t, f)
			if err := stage(a, test.file); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Check(); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if err := a.Activate(); err == nil {
				t.Error("activated all the same")
			}
			if _, c := m.boot(t, f); c.Boot != (Boot{Slot: A, Version: "0.2.0"}) {
				t.Errorf("afterwards: %+v", c.Boot)
			}
			m.update(t, f, 3) // what was refused is not in the way
		})
	}
}

// TestSwappedAfterCheck changes a slot at the moments between its checks.
func TestSwappedAfterCheck(t *testing.T) {
	m := newMaker(t)
	otherImage := m.image(t, 4, nil)
	h, err := image.ReadHeader(bytes.NewReader(otherImage))
	if err != nil {
		t.Fatal(err)
	}
	head := h.Append(nil)
	flip := func(t *testing.T, f device) {
		if err := f.Damage(payloadName(B), func(b []byte) { b[77] ^= 1 }); err != nil {
			t.Fatal(err)
		}
	}
	exchange := func(t *testing.T, f device) { // for another image of the same maker
		for name, with := range map[string][]byte{headName(B): head, payloadName(B): otherImage[len(head):]} {
			if err := errors.Join(f.Remove(name), write(f, name, with), f.SyncDir()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		change func(*testing.T, device)
	}{{"a bit", flip}, {"all of it", exchange}} {
		t.Run("before Activate, "+test.name, func(t *testing.T) {
			f := device{faultfs.New()}
			m.update(t, f, 2)
			a, _ := m.boot(t, f)
			if err := stage(a, m.image(t, 3, nil)); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Check(); err != nil {
				t.Fatal(err)
			}
			test.change(t, f)
			err := a.Activate()
			_, c := m.boot(t, f)
			if test.name == "a bit" && (!errors.Is(err, image.ErrDigest) || c.Boot.Trial) {
				t.Errorf("%v, then %+v", err, c.Boot)
			}
			if test.name != "a bit" && err == nil && c.Boot.Version != "0.4.0" { // it is right in itself: then it is what runs
				t.Errorf("checked 0.4.0, runs %+v", c.Boot)
			}
		})
		t.Run("after Activate, "+test.name, func(t *testing.T) {
			f := device{faultfs.New()}
			m.update(t, f, 2)
			a, _ := m.boot(t, f)
			install(t, a, m.image(t, 3, nil))
			test.change(t, f)
			_, c := m.boot(t, f)
			if c.Boot.Slot != A || c.Boot.Trial || c.Boot.ReturnedFrom != "0.3.0" || !strings.Contains(c.Boot.Why, image.ErrDigest.Error()) {
				t.Errorf("%+v", c.Boot)
			}
		})
		t.Run("after Good, "+test.name, func(t *testing.T) {
			f := device{faultfs.New()}
			m.update(t, f, 2)
			a, _ := m.boot(t, f)
			install(t, a, m.image(t, 3, func(m *Manifest) { m.Security = 2 }))
			a, _ = m.boot(t, f)
			if err := a.Good(); err != nil {
				t.Fatal(err)
			}
			test.change(t, f)
			a, c := m.boot(t, f)
			if c.Boot.Slot != A || c.Boot.Version != "0.2.0" || c.Boot.ReturnedFrom != "0.3.0" {
				t.Errorf("%+v", c.Boot)
			}
			install(t, a, m.image(t, 5, nil)) // into the bad one
			if a, c = m.boot(t, f); c.Boot.Slot != B || !c.Boot.Trial {
				t.Errorf("%+v", c.Boot)
			}
			if err := a.Good(); err != nil {
				t.Error(err)
			}
		})
	}
}

func write(f device, name string, b []byte) error {
	h, err := f.Open(name)
	if err != nil {
		return err
	}
	_, err = h.WriteAt(b, 0)
	return errors.Join(err, h.SyncData())
}
