package keys

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestTheVeilSurvivesARestart(t *testing.T) {
	stores(t, func(t *testing.T, open func() Store) {
		v := NewVeil(open())
		v.Prepare() // nothing is there: it makes none
		if _, err := v.Open([]byte("x"), nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("before there is a key: %v", err)
		}
		sealed, err := v.Seal([]byte("secret"), []byte("here"))
		if err != nil {
			t.Fatal(err)
		}
		v = NewVeil(open())
		v.Prepare()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if got, err := v.Open(sealed, []byte("here")); err != nil || string(got) != "secret" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		wg.Wait()
		if _, err := v.Open(sealed, []byte("there")); !errors.Is(err, ErrForeign) {
			t.Errorf("in another place: %v", err)
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := v.Open(sealed, []byte("here")); !errors.Is(err, ErrForeign) {
			t.Errorf("changed: %v", err)
		}
	})
}

func TestTheVeilAfterAFactoryReset(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, "file", dir)
	v := NewVeil(s)
	old, err := v.Seal([]byte("old"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wipe(); err != nil {
		t.Fatal(err)
	}
	v.Forget()
	fresh, err := v.Seal([]byte("new"), nil)
	if err != nil {
		t.Fatal(err)
	}
	v = NewVeil(openStore(t, "file", dir))
	if got, err := v.Open(fresh, nil); err != nil || string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := v.Open(old, nil); !errors.Is(err, ErrForeign) {
		t.Errorf("what was sealed before: %v", err)
	}
}

// A key store that is exchanged does not destroy what the other one sealed.
func TestTheVeilOfAnotherStoreStays(t *testing.T) {
	dir := t.TempDir()
	e := startTPM(t)
	var sealed [2][]byte
	specs := []string{"file", e.spec("")}
	for i, spec := range specs {
		var err error
		if sealed[i], err = NewVeil(openStore(t, spec, dir)).Seal([]byte{byte(i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, spec := range specs {
		v := NewVeil(openStore(t, spec, dir))
		if got, err := v.Open(sealed[i], nil); err != nil || got[0] != byte(i) {
			t.Errorf("%s: %v, %v", spec, got, err)
		}
		if _, err := v.Open(sealed[1-i], nil); !errors.Is(err, ErrForeign) {
			t.Errorf("%s opens what the other one sealed: %v", spec, err)
		}
	}
}

func TestTheVeilWithoutItsStore(t *testing.T) {
	s, err := Open("tpm:/nowhere/tpm", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	v := NewVeil(s)
	for range 2 {
		if _, err := v.Seal([]byte("secret"), nil); !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("%v", err)
		}
		if _, err := v.Open([]byte("x"), nil); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
	}
}
