package parts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
)

const (
	allLines = int32(hal.LineL1 | hal.LineL2 | hal.LineL3 | hal.LineN)
	firstOne = int32(hal.LineL1 | hal.LineN)
	others   = int32(hal.LineL2 | hal.LineL3)
)

func pair(w hal.Wiring) []hal.Part {
	return []hal.Part{out(hal.RoleMainDrive, "K1", int32(w), firstOne), out(hal.RoleExtraDrive, "K2", 0, others)}
}

// TestContactorDrives drives every wiring with every number of lines: which coils are driven, in which order.
func TestContactorDrives(t *testing.T) {
	for _, test := range []struct {
		wiring        hal.Wiring
		phases        uint8
		closes, opens string
	}{
		{hal.WiringSingle, 1, "+K1", "-K1"},
		{hal.WiringSingle, 3, "+K1", "-K1"},
		{hal.WiringSerial, 1, "-K2 +K1", "-K2 -K1"},
		{hal.WiringSerial, 3, "+K1 +K2", "-K2 -K1"},
		{hal.WiringSimultaneous, 1, "+K1 +K2", "-K2 -K1"},
		{hal.WiringSimultaneous, 3, "+K1 +K2", "-K2 -K1"},
		{hal.WiringMutual, 1, "-K1 +K2", "-K2 -K1"},
		{hal.WiringMutual, 3, "-K2 +K1", "-K2 -K1"},
	} {
		t.Run(fmt.Sprintf("%v of %d", test.wiring, test.phases), func(t *testing.T) {
			m := newMemory()
			ps := pair(test.wiring)
			if test.wiring == hal.WiringSingle {
				ps = ps[:1]
			}
			c := open[hal.Contactor](t, m, ps...)
			m.told = []string{}
			if err := c.Set(true, test.phases); err != nil {
				t.Fatal(err)
			}
			m.pass(closeLimit) // without a sense the second of a serial pair waits for so long
			if closed, err := c.Closed(); !closed || err != nil {
				t.Errorf("closed %v, %v", closed, err)
			}
			if got := strings.Join(m.told, " "); got != test.closes {
				t.Errorf("closing told %q, want %q", got, test.closes)
			}
			m.told = []string{}
			if err := c.Set(false, 0); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(m.told, " "); got != test.opens || m.opens != 1 {
				t.Errorf("opening told %q, want %q; %d openings", got, test.opens, m.opens)
			}
			if closed, err := c.Closed(); closed || err != nil {
				t.Errorf("closed %v, %v after opening", closed, err)
			}
		})
	}
}

// TestContactorSenses reads one sense of every polarity.
func TestContactorSenses(t *testing.T) {
	for _, test := range []struct {
		flags  hal.PartFlags
		active bool
		closed bool
	}{
		{0, false, false}, {0, true, true},
		{hal.PartNormallyClosed, true, false}, {hal.PartNormallyClosed, false, true},
	} {
		m := newMemory()
		c := open[hal.Contactor](t, m, out(hal.RoleMainDrive, "K1"), flagged(in(hal.RoleMainSense, "S1", 10_000), test.flags|hal.PartActiveLow|hal.PartPullUp))
		m.line("S1").on = test.active
		if closed, err := c.Closed(); closed != test.closed || err != nil {
			t.Errorf("flags %#x, active %v: closed %v, %v", test.flags, test.active, closed, err)
		}
		if s := m.specs["S1"]; !s.ActiveLow || s.Bias != 1 || s.Debounce != 10*time.Millisecond {
			t.Errorf("%+v", s)
		}
	}
}

// sensed is a pair with two senses, of which those of lines may be several.
func sensed(t *testing.T, w hal.Wiring) (*memory, hal.Contactor, func(string)) {
	t.Helper()
	m := newMemory()
	c := open[hal.Contactor](t, m, append(pair(w), in(hal.RoleMainSense, "S1"), in(hal.RoleExtraSense, "S2"), in(hal.RoleExtraSense, "S3", 0, int32(hal.LineL3)))...)
	return m, c, func(closed string) {
		for _, s := range []string{"S1", "S2", "S3"} {
			m.line(s).on = strings.Contains(closed, s)
		}
	}
}

// TestContactorContradictions: what mirror contacts show, at once and after the time that a contact may take.
func TestContactorContradictions(t *testing.T) {
	for _, test := range []struct {
		name   string
		wiring hal.Wiring
		phases uint8 // 0: told to open
		shows  string
		after  time.Duration
		closed bool
		err    error
	}{
		{"all open", hal.WiringSimultaneous, 0, "", time.Second, false, nil},
		{"one of three welded", hal.WiringSimultaneous, 0, "S3", time.Second, true, nil},
		{"main welded", hal.WiringSimultaneous, 0, "S1", 0, true, nil},
		{"all closed", hal.WiringSimultaneous, 3, "S1 S2 S3", time.Second, true, nil},
		{"one is slower", hal.WiringSimultaneous, 3, "S1 S2", closeLimit, false, nil},
		{"one phase is missing", hal.WiringSimultaneous, 3, "S1 S2", closeLimit + 1, false, errContradicts},
		{"extra does not close", hal.WiringSimultaneous, 3, "S1", closeLimit + 1, false, errContradicts},
		{"nothing closes", hal.WiringSimultaneous, 3, "", closeLimit + 1, false, nil}, // the machine's affair
		{"one line", hal.WiringSerial, 1, "S1", time.Second, true, nil},
		{"one line, and three at first", hal.WiringSerial, 1, "S1 S2 S3", openLimit, true, nil},
		{"one line, and three for good", hal.WiringSerial, 1, "S1 S2 S3", openLimit + 1, false, errContradicts},
		{"the other one of a mutual pair", hal.WiringMutual, 3, "S1 S3", openLimit + 1, false, errContradicts},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, c, shows := sensed(t, test.wiring)
			if test.phases > 0 {
				if err := c.Set(true, test.phases); err != nil {
					t.Fatal(err)
				}
			}
			shows(test.shows)
			m.pass(test.after)
			if closed, err := c.Closed(); closed != test.closed || !errors.Is(err, test.err) {
				t.Errorf("closed %v, %v; want %v, %v", closed, err, test.closed, test.err)
			}
		})
	}
}

// TestSerialPairWaitsForItsFirst: the lines behind the second drive have their neutral before it closes, and the second has its
// own time.
func TestSerialPairWaitsForItsFirst(t *testing.T) {
	m, c, shows := sensed(t, hal.WiringSerial)
	if err := c.Set(true, 3); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		m.pass(20 * time.Millisecond)
		if closed, err := c.Closed(); closed || err != nil || m.line("K2").on {
			t.Fatalf("closed %v, %v, second driven %v", closed, err, m.line("K2").on)
		}
	}
	shows("S1")
	if closed, err := c.Closed(); closed || err != nil || !m.line("K2").on {
		t.Fatalf("closed %v, %v, second driven %v", closed, err, m.line("K2").on)
	}
	m.pass(closeLimit)
	if _, err := c.Closed(); err != nil {
		t.Errorf("the second had no time: %v", err)
	}
	shows("S1 S2 S3")
	if closed, err := c.Closed(); !closed || err != nil {
		t.Errorf("closed %v, %v", closed, err)
	}
}

// TestMutualPairNeverBoth: the one does not close while the other is closed, or may be.
func TestMutualPairNeverBoth(t *testing.T) {
	m, c, shows := sensed(t, hal.WiringMutual)
	if err := c.Set(true, 1); err != nil {
		t.Fatal(err)
	}
	shows("S2 S3")
	if err := c.Set(true, 3); !errors.Is(err, errStillClosed) || m.line("K1").on {
		t.Errorf("%v, main driven %v", err, m.line("K1").on)
	}
	if m.line("K2").on {
		t.Error("the other one was not let go")
	}
	m.pass(openLimit)
	if err := c.Set(true, 3); !errors.Is(err, errStillClosed) {
		t.Errorf("its contacts are closed: %v", err)
	}
	shows("")
	if err := c.Set(true, 3); err != nil || !m.line("K1").on || m.line("K2").on {
		t.Errorf("%v, %v %v", err, m.line("K1").on, m.line("K2").on)
	}
}

// TestContactorFails: a line that cannot be driven or read is an error, and opening is tried whatever was thought before.
func TestContactorFails(t *testing.T) {
	m, c, _ := sensed(t, hal.WiringSimultaneous)
	m.line("K2").err = errPulled
	if err := c.Set(true, 3); !errors.Is(err, errPulled) {
		t.Errorf("%v", err)
	}
	m.told = []string{}
	if err := c.Set(false, 0); !errors.Is(err, errPulled) || strings.Join(m.told, " ") != "-K1" || m.line("K1").on {
		t.Errorf("%v, told %v", err, m.told)
	}
	m.line("S2").err = errPulled
	if _, err := c.Closed(); !errors.Is(err, errPulled) {
		t.Errorf("%v", err)
	}
}

// TestContactorIsSlow: a board that gives its contactor less time is told when it takes more.
func TestContactorIsSlow(t *testing.T) {
	m := newMemory()
	c := open[hal.Contactor](t, m, out(hal.RoleMainDrive, "K1", 0, allLines, 80), in(hal.RoleMainSense, "S1"))
	if err := c.Set(true, 3); err != nil {
		t.Fatal(err)
	}
	m.pass(80 * time.Millisecond)
	if closed, err := c.Closed(); closed || err != nil {
		t.Errorf("%v, %v", closed, err)
	}
	m.pass(time.Millisecond)
	if _, err := c.Closed(); !errors.Is(err, errTooSlow) {
		t.Errorf("%v", err)
	}
}

func TestContactorDoesNotAllocate(t *testing.T) {
	m, c, shows := sensed(t, hal.WiringSerial)
	shows("S1")
	noAllocations(t, func() {
		_ = c.Set(true, 3)
		m.pass(time.Millisecond)
		_, _ = c.Closed()
		_ = c.Set(false, 0)
		_, _ = c.Closed()
	})
}
