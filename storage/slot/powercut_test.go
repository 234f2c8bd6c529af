package slot

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/slot/image"
)

// story is an update from 0.2.0 to 0.3.0 on a device whose power goes.
type story struct {
	m    *maker
	new  []byte
	lies bool // the device does
}

func newStory(t testing.TB) *story {
	m := newMaker(t)
	return &story{m: m, new: m.image(t, 3, nil)}
}

// device is one on which 0.2.0 is good, or which is empty.
func (s *story) device(t testing.TB, empty bool) device {
	f := device{faultfs.New()}
	if !empty {
		s.m.update(t, f, 2)
	}
	return f
}

// live goes one step through lives until 0.3.0 is good: each ends by itself, or with the power.
func (s *story) live(f Files) (done bool, err error) {
	a, c, err := s.m.tryBoot(f)
	if err != nil {
		return false, err
	}
	switch {
	case c.Boot.Version == "0.3.0" && c.Boot.Trial:
		return false, a.Good()
	case c.Boot.Version == "0.3.0":
		return true, nil
	}
	return false, tryInstallOn(a, s.new, s.lies)
}

// sound checks what a start behind a power cut would run. It changes nothing that lasts.
func (s *story) sound(t *testing.T, f device, empty bool, what string) {
	t.Helper()
	f = device{f.Reboot(func() bool { return true })}
	c, _ := Choose(s.m.options(f))
	if c.File == nil {
		if !empty && !s.lies || c.Boot.Slot != Factory { // a device that lies may have lost both
			t.Fatalf("%s: the factory's binary starts: %+v", what, c.Boot)
		}
		return
	}
	if text := content(t, c.File); !strings.HasPrefix(text, "evsed "+c.Boot.Version) || strings.Count(text, "evsed "+c.Boot.Version+" ") != payloadSize/12 {
		t.Fatalf("%s: %+v starts something else", what, c.Boot)
	}
}

// TestPowerCutAtEveryStep cuts the power at each write, sync, rename and removal of an update, its trial and its end; what was
// not synced is lost, kept, or partly one and partly the other. Each time the old or the whole new binary starts, and the
// update comes to its end.
func TestPowerCutAtEveryStep(t *testing.T) {
	s := newStory(t)
	for _, empty := range []bool{false, true} {
		cuts := 0
		for n := 1; ; n++ {
			random := rand.New(rand.NewPCG(uint64(n), 7))
			hit := false
			for i, keep := range []func() bool{func() bool { return false }, func() bool { return true }, func() bool { return random.Uint64()%2 == 0 }} {
				f := s.device(t, empty)
				f.Plan(f.Calls()+n, faultfs.Cut, nil)
				hit = s.finish(t, f, keep, empty, fmt.Sprintf("cut %d, variant %d", n, i)) || hit
				cuts++
			}
			if !hit {
				break
			}
		}
		t.Logf("%d updates with a cut (empty %v)", cuts, empty)
		if cuts < 60 {
			t.Errorf("only %d cuts", cuts)
		}
	}
}

// finish lives until the update is done, through the cut that is planned; it tells whether the power went.
func (s *story) finish(t *testing.T, f device, keep func() bool, empty bool, what string) (cut bool) {
	t.Helper()
	for range 8 {
		done, err := s.live(f)
		switch {
		case f.Off():
			f, cut = device{f.Reboot(keep)}, true
			s.sound(t, f, empty, what)
		case err != nil:
			t.Fatalf("%s: %v", what, err)
		case done:
			return cut
		}
	}
	t.Fatalf("%s: the update never comes to its end", what)
	return
}

// TestFaultAtEveryStep: a call that fails, and a write that is torn. The error is told, and the next start goes on.
func TestFaultAtEveryStep(t *testing.T) {
	s := newStory(t)
	broken := errors.New("input/output error")
	for _, kind := range []faultfs.Kind{faultfs.Fail, faultfs.Short, faultfs.Torn} {
		for n := 1; ; n++ {
			f := s.device(t, false)
			before := f.Calls()
			f.Plan(before+n, kind, broken)
			failed, done := 0, false
			for range 8 {
				var err error
				if done, err = s.live(f); done {
					break
				}
				if err != nil {
					failed++
				}
				s.sound(t, f, false, fmt.Sprintf("fault %d of kind %d", n, kind))
			}
			if !done {
				t.Fatalf("fault %d of kind %d: the update never comes to its end", n, kind)
			}
			if f.Calls() < before+n {
				break
			}
		}
	}
}

// TestInterruptedUpdates cuts the power again and again at random steps, and lets the device lie now and then: 300 times, and
// 10,000 in a soak.
func TestInterruptedUpdates(t *testing.T) {
	updates := 300
	if os.Getenv("EVSED_SOAK") != "" {
		updates = 10_000
	}
	s := newStory(t)
	cuts := 0
	for i := range updates {
		random := rand.New(rand.NewPCG(uint64(i), 11))
		empty := i%4 == 0
		s.lies = i%5 == 0
		f := s.device(t, empty)
		for lives := 0; ; lives++ {
			if lives < 20 { // then the power stays
				f.Plan(f.Calls()+1+random.IntN(40), faultfs.Cut, nil)
			}
			if lives == 3 && s.lies {
				f.Plan(f.Calls()+1+random.IntN(10), faultfs.Lost, nil)
			}
			done, err := s.live(f)
			if f.Off() {
				cuts++
				f = device{f.Reboot(func() bool { return random.Uint64()%2 == 0 })}
				s.sound(t, f, empty, fmt.Sprintf("update %d, life %d", i, lives))
				continue
			}
			if done {
				break
			}
			if err != nil && !image.Refuses(err) { // a lost write shows when the image is checked
				t.Fatalf("update %d, life %d: %v", i, lives, err)
			}
			if lives > 40 {
				t.Fatalf("update %d never comes to its end", i)
			}
		}
	}
	t.Logf("%d updates, %d power cuts", updates, cuts)
	if cuts < updates {
		t.Errorf("only %d cuts", cuts)
	}
}

// FuzzState: no text in the state, and no damage to its copy, makes a start impossible or starts what is not there.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"active":"a","a":{"version":"0.2.0","good":true},"b":{},"highest":2}`), uint16(0), byte(0))
	f.Add([]byte(`{"active":"b","trial":"a","tries":3}`), uint16(30), byte(1))
	f.Add([]byte("{}"), uint16(4), byte(255))
	m := newMaker(f)
	f.Fuzz(func(t *testing.T, text []byte, at uint16, flip byte) {
		text = text[:min(len(text), maxText)]
		whole := appendCopy(nil, 1, text)
		whole[int(at)%len(whole)] ^= flip
		if _, got, ok := parseCopy(whole); ok != (flip == 0) || ok && string(got) != string(text) {
			t.Errorf("copy with byte %d changed by %d: whole %v", at, flip, ok)
		}
		d := device{faultfs.New()}
		if err := write(d, "state-1", whole); err != nil {
			t.Fatal(err)
		}
		if c, _ := Choose(m.options(d)); c.Boot.Slot != Factory || c.Boot.Trial || c.File != nil {
			t.Errorf("empty slots start %+v", c.Boot)
		}
		if s, err := parseState(text); err == nil && s.check() != nil {
			t.Errorf("state %+v", s)
		}
	})
}
