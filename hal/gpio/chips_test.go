package gpio

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// fake is a chip in memory. A request leaves the reading end of a pipe as the line's descriptor.
type fake struct {
	chip   string
	names  []string
	busy   map[int]string // held by
	until  int            // so many requests are refused as busy
	noIRQ  bool
	noPull bool
	last   uapi.LineRequest
	pipe   [2]int
	closed bool
}

func (f *fake) name() string        { return f.chip }
func (f *fake) lines() (int, error) { return len(f.names), nil }
func (f *fake) close()              { f.closed = true }

func (f *fake) info(i int) (uapi.LineInfoV2, error) {
	info := uapi.LineInfoV2{Offset: uint32(i)}
	copy(info.Name[:], f.names[i])
	copy(info.Consumer[:], f.busy[i])
	return info, nil
}

func (f *fake) request(r *uapi.LineRequest) error {
	if _, held := f.busy[int(r.Offsets[0])]; held || f.until > 0 {
		f.until--
		return unix.EBUSY
	}
	debounced := r.Config.NumAttrs > 0 && r.Config.Attrs[0].Attr.ID == uapi.LineAttributeIDDebounce
	if f.noIRQ && (debounced || r.Config.Flags&uapi.LineFlagV2EdgeBoth != 0) {
		return unix.ENXIO
	}
	if f.noPull && r.Config.Flags&uapi.LineFlagV2BiasMask != 0 {
		return errNotSupported
	}
	if err := unix.Pipe2(f.pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	f.last = *r
	r.Fd = int32(f.pipe[0])
	return nil
}

func chipsOf(t *testing.T, fakes ...*fake) *Chips {
	t.Helper()
	c := &Chips{open: func(string) (all []chip, err error) {
		for _, f := range fakes {
			all = append(all, f)
		}
		return all, nil
	}}
	t.Cleanup(c.Close)
	return c
}

func board() (*fake, *fake) {
	return &fake{chip: "gpiochip0", names: []string{"", "RELAY_1_ENABLE", "RELAY_1_SENSE", "TWICE"}},
		&fake{chip: "gpiochip1", names: []string{"TWICE", "LOCK_A", "HELD", "OURS"}, busy: map[int]string{2: "leds", 3: "evsed"}}
}

// TestRequests: what the kernel is asked for.
func TestRequests(t *testing.T) {
	const output, input = uapi.LineFlagV2Output, uapi.LineFlagV2Input
	for _, test := range []struct {
		spec  Spec
		out   bool
		flags uapi.LineFlagV2
		attr  uapi.LineAttribute
	}{
		{Spec{Name: "LOCK_A"}, true, output, uapi.OutputValues(0).Encode()},
		{Spec{Name: "LOCK_A", ActiveLow: true, Initial: true}, true, output | uapi.LineFlagV2ActiveLow, uapi.OutputValues(1).Encode()},
		{Spec{Name: "LOCK_A"}, false, input, uapi.LineAttribute{}},
		{Spec{Name: "LOCK_A", Bias: BiasUp, Edges: true}, false, input | uapi.LineFlagV2BiasPullUp | uapi.LineFlagV2EdgeBoth, uapi.LineAttribute{}},
		{Spec{Name: "LOCK_A", Bias: BiasDown, ActiveLow: true}, false, input | uapi.LineFlagV2BiasPullDown | uapi.LineFlagV2ActiveLow, uapi.LineAttribute{}},
		{Spec{Name: "LOCK_A", Bias: BiasNone, Debounce: 10 * time.Millisecond}, false, input | uapi.LineFlagV2BiasDisabled,
			uapi.DebouncePeriod(10 * time.Millisecond).Encode()},
	} {
		a, b := board()
		c := chipsOf(t, a, b)
		var err error
		if test.out {
			_, err = c.Output(test.spec)
		} else {
			_, err = c.Input(test.spec)
		}
		r := &b.last
		if err != nil || r.Offsets[0] != 1 || r.Lines != 1 || r.Config.Flags != test.flags || text(r.Consumer[:]) != consumer || r.Config.Attrs[0].Attr != test.attr {
			t.Errorf("%+v: %v, offset %d, flags %#x, attribute %+v", test.spec, err, r.Offsets[0], r.Config.Flags, r.Config.Attrs[0].Attr)
		}
	}
}

// TestRequestsThatFail: each with a word of why, and of the cure.
func TestRequestsThatFail(t *testing.T) {
	a, b := board()
	a.noIRQ, a.noPull = true, true
	c := chipsOf(t, a, b)
	for _, test := range []struct {
		spec Spec
		out  bool
		says string
	}{
		{Spec{Name: "RELAY_1_ENABEL"}, true, `line "RELAY_1_ENABEL": no chip of 2 has it, but "RELAY_1_ENABLE"`},
		{Spec{Name: "SOMETHING_ELSE"}, false, "no chip of 2 has it among 6 names"},
		{Spec{Name: "TWICE"}, false, "2 lines have this name (gpiochip0 line 3, gpiochip1 line 0)"},
		{Spec{Name: "HELD"}, true, `line "HELD" (gpiochip1 line 2): device or resource busy: "leds" holds it`},
		{Spec{Name: "OURS"}, true, "another evsed holds it"},
		{Spec{Name: "LOCK_A", Edges: true}, true, "are for inputs"},
		{Spec{Name: "LOCK_A", Initial: true}, false, "initial level true"},
		{Spec{Name: "LOCK_A", Debounce: time.Minute}, false, "want 0 to 1s"},
		{Spec{Name: "RELAY_1_SENSE", Debounce: time.Millisecond}, false, "without debounce on this line"},
		{Spec{Name: "RELAY_1_SENSE", Bias: BiasUp}, false, "without bias on it"},
	} {
		var err error
		if test.out {
			_, err = c.Output(test.spec)
		} else {
			_, err = c.Input(test.spec)
		}
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %q", test.spec, err, test.says)
		}
	}
	empty := &Chips{Dir: t.TempDir()}
	if _, err := empty.Output(Spec{Name: "X"}); err == nil || !strings.Contains(err.Error(), "is the driver of the board's chip loaded?") {
		t.Errorf("%v", err)
	}
}

// TestWithoutInterrupt: a chip that cannot wake anybody still can be read.
func TestWithoutInterrupt(t *testing.T) {
	a, _ := board()
	a.noIRQ = true
	c := chipsOf(t, a)
	in, err := c.Input(Spec{Name: "RELAY_1_SENSE", Edges: true})
	if err != nil || a.last.Config.Flags&uapi.LineFlagV2EdgeBoth != 0 || len(c.Sources()) != 0 {
		t.Errorf("%v, %v, %d sources", in, err, len(c.Sources()))
	}
}

// TestSharedInputs: the same Spec is the same line, another Spec of the line is not.
func TestSharedInputs(t *testing.T) {
	a, _ := board()
	c := chipsOf(t, a)
	s := Spec{Name: "RELAY_1_SENSE", Edges: true}
	first, err := c.Input(s)
	if err != nil {
		t.Fatal(err)
	}
	a.busy = map[int]string{2: consumer}
	if again, err := c.Input(s); again != first || err != nil {
		t.Errorf("%v, %v", again, err)
	}
	if _, err := c.Input(Spec{Name: "RELAY_1_SENSE", ActiveLow: true}); !errors.Is(err, unix.EBUSY) {
		t.Errorf("%v", err)
	}
	if len(c.Sources()) != 1 {
		t.Errorf("%d sources", len(c.Sources()))
	}
}

// TestPatience: a line that its holder gives up is ours in the end, and one that he does not is an error.
func TestPatience(t *testing.T) {
	_, b := board()
	b.until = 3
	left := 4 * time.Millisecond
	c := chipsOf(t, b)
	c.Patience = func() time.Duration { left -= time.Microsecond; return left }
	if _, err := c.Output(Spec{Name: "LOCK_A"}); err != nil {
		t.Errorf("%v", err)
	}
	left = 3 * time.Microsecond
	if _, err := c.Output(Spec{Name: "HELD"}); !errors.Is(err, unix.EBUSY) {
		t.Errorf("%v", err)
	}
}

// TestChipThatComesLater: a module is loaded after the first look.
func TestChipThatComesLater(t *testing.T) {
	a, b := board()
	c := &Chips{}
	c.open = func(string) ([]chip, error) { return []chip{a}, nil }
	if _, err := c.Output(Spec{Name: "LOCK_A"}); err == nil {
		t.Error("a line of a chip that is not there")
	}
	c.open = func(string) ([]chip, error) { return []chip{a, b}, nil }
	if _, err := c.Output(Spec{Name: "LOCK_A"}); err != nil || !a.closed {
		t.Errorf("%v", err)
	}
	c.Close()
	if !b.closed {
		t.Error("left open")
	}
}

// TestEdges: edges are taken without waiting and without an allocation; gaps are noticed; edges that are near belong together.
func TestEdges(t *testing.T) {
	a, _ := board()
	c := chipsOf(t, a)
	in, err := c.Input(Spec{Name: "RELAY_1_SENSE", Edges: true})
	if err != nil {
		t.Fatal(err)
	}
	s := in.(Source)
	seq := uint32(0)
	edge := func(at time.Duration, skip uint32) {
		t.Helper()
		seq += 1 + skip
		e := uapi.LineEvent{Timestamp: uint64(at), ID: uapi.LineEventRisingEdge, Offset: 2, Seqno: seq, LineSeqno: seq}
		if _, err := unix.Write(a.pipe[1], unsafe.Slice((*byte)(unsafe.Pointer(&e)), unsafe.Sizeof(e))); err != nil {
			t.Fatal(err)
		}
	}
	s.Drain() // there is none
	for i := range 40 {
		edge(time.Second+time.Duration(i)*time.Millisecond, 0)
	}
	s.Drain()
	if e := c.Edges(); e.Count != 40 || e.Lost != 0 || e.First != time.Second || e.Last != time.Second+39*time.Millisecond {
		t.Errorf("%+v", *e)
	}
	edge(2*time.Second, 5)
	s.Drain()
	if e := c.Edges(); e.Count != 41 || e.Lost != 5 || e.First != 2*time.Second {
		t.Errorf("%+v", *e)
	}
	c.Edges().Settle()
	edge(2*time.Second+time.Millisecond, 0)
	s.Drain()
	if e := c.Edges(); e.First != 2*time.Second+time.Millisecond {
		t.Errorf("%+v", *e)
	}
	if n := testing.AllocsPerRun(100, func() { edge(3*time.Second, 0); s.Drain() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s.Descriptor() != a.pipe[0] {
		t.Error("somebody else's descriptor")
	}
}

// TestLinesDoNotAllocate: here the kernel refuses each call, for a pipe is no line; what it costs us is the same.
func TestLinesDoNotAllocate(t *testing.T) {
	a, _ := board()
	c := chipsOf(t, a)
	out, err := c.Output(Spec{Name: "RELAY_1_ENABLE"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Input(Spec{Name: "RELAY_1_SENSE"})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if out.Set(true) == nil {
			t.Error("driven")
		}
		if on, err := in.Get(); on || err == nil {
			t.Error("read")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSecondAttempt: what was requested for a device that could not be made is there for the next attempt, and for it alone.
func TestSecondAttempt(t *testing.T) {
	a, _ := board()
	c := chipsOf(t, a)
	s := Spec{Name: "RELAY_1_ENABLE"}
	first, err := c.Output(s)
	if err != nil {
		t.Fatal(err)
	}
	c.Made(false)
	a.busy = map[int]string{1: consumer} // as the kernel sees it
	if again, _ := c.Output(s); again != first {
		t.Error("another line")
	}
	c.Made(true)
	if _, err := c.Output(s); !errors.Is(err, unix.EBUSY) {
		t.Errorf("two devices drive one line: %v", err)
	}
}
