package can

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 30 * time.Second // the end of a test that hangs, no figure

// kernel stands for an interface: the test has the far end of each socket that a bus opens.
type kernel struct {
	t    *testing.T
	far  chan *os.File
	gone bool
}

func newKernel(t *testing.T) *kernel { return &kernel{t: t, far: make(chan *os.File, 4)} }

func (k *kernel) open() (Socket, error) {
	if k.gone {
		return nil, unix.ENODEV
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		k.t.Fatal(err)
	}
	k.far <- os.NewFile(uintptr(fds[0]), "far")
	return os.NewFile(uintptr(fds[1]), "near"), nil
}

func start(t *testing.T, k *kernel, observe func(Info)) *Bus {
	t.Helper()
	b, err := Start("fake0", Options{Open: k.open, Observe: observe})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestBusCarriesFrames(t *testing.T) {
	k := newKernel(t)
	b := start(t, k, nil)
	far := <-k.far
	all, err := b.Listen(Filter{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	one, err := b.Listen(Exactly(0x02831122), 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Frame{New(0x123, 1, 2), New(0x02831122, 3)} {
		if err := b.Send(soon(t), f); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64)
		n, err := far.Read(buf)
		if err != nil || n != frameSize {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if _, err := far.Write(buf[:n]); err != nil { // an echo
			t.Fatal(err)
		}
	}
	if f, err := all.Next(soon(t)); err != nil || f != New(0x123, 1, 2) {
		t.Errorf("%v, %v", f, err)
	}
	if f, err := one.Next(soon(t)); err != nil || f != New(0x02831122, 3) {
		t.Errorf("%v, %v", f, err)
	}
	if i := b.Info(); i.State != StateActive || i.Frames != 2 || i.Lost != 0 {
		t.Errorf("%+v", i)
	}
}

// TestBusOff: the controller leaves the bus and comes back; what is sent between is refused at once.
func TestBusOff(t *testing.T) {
	k := newKernel(t)
	states := make(chan Info, 8)
	b := start(t, k, func(i Info) { states <- i })
	far := <-k.far
	say := func(class uint32, control byte) {
		f := errorFrame(class, control)
		if _, err := far.Write(f[:]); err != nil {
			t.Fatal(err)
		}
	}
	want := func(s State) {
		t.Helper()
		select {
		case i := <-states:
			if i.State != s {
				t.Fatalf("%v, want %v", i.State, s)
			}
		case <-time.After(patience):
			t.Fatalf("never %v", s)
		}
	}
	say(classControl, 0x08)
	want(StateWarning)
	say(classBusOff, 0)
	want(StateOff)
	say(classBusOff, 0) // told once
	if err := b.Send(soon(t), New(1)); !errors.Is(err, ErrBusOff) {
		t.Errorf("%v", err)
	}
	say(classRestart, 0)
	want(StateActive)
	if err := b.Send(soon(t), New(1)); err != nil {
		t.Error(err)
	}
	if i := b.Info(); i.BusOffs != 1 || i.Trouble&(TroubleBusOff|TroubleRestart|TroubleWarning) != TroubleBusOff|TroubleRestart|TroubleWarning {
		t.Errorf("%+v", i)
	}
}

// TestInterfaceGone: an interface that goes away is told once and found again.
func TestInterfaceGone(t *testing.T) {
	k := newKernel(t)
	states := make(chan Info, 8)
	b := start(t, k, func(i Info) { states <- i })
	in, err := b.Listen(Filter{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	(<-k.far).Close()
	if i := <-states; i.State != StateDown || i.Err == nil {
		t.Fatalf("%+v", i)
	}
	if err := b.Send(soon(t), New(1)); !errors.Is(err, ErrDown) {
		t.Errorf("%v", err)
	}
	far := <-k.far // the next socket
	if i := <-states; i.State != StateActive || i.Err != nil {
		t.Fatalf("%+v", i)
	}
	f := New(7, 9)
	out := f.encode()
	if _, err := far.Write(out[:]); err != nil {
		t.Fatal(err)
	}
	if got, err := in.Next(soon(t)); err != nil || got != f {
		t.Errorf("%v, %v: a listener outlives the socket", got, err)
	}
}

// TestInboxKeepsTheNewest: a listener that does not fetch loses the oldest and holds nobody up.
func TestInboxKeepsTheNewest(t *testing.T) {
	i := &Inbox{frames: make(chan Frame, 2)}
	for n := range 5 {
		if ok := i.put(New(uint32(n))); ok != (n < 2) {
			t.Errorf("frame %d: %v", n, ok)
		}
	}
	for _, want := range []uint32{3, 4} {
		if f, err := i.Next(context.Background()); err != nil || f.ID != want {
			t.Errorf("%v, %v", f, err)
		}
	}
}

// TestSendHonoursItsDeadline: a queue that nobody empties ends by the caller's deadline, not later.
func TestSendHonoursItsDeadline(t *testing.T) {
	k := newKernel(t)
	b := start(t, k, nil)
	<-k.far // nobody reads
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var err error
	for range 100_000 {
		if err = b.Send(ctx, New(1, 1, 2, 3, 4, 5, 6, 7, 8)); err != nil {
			break
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := b.Send(context.Background(), Frame{ID: MaxStandard + 1}); !errors.Is(err, ErrFrame) {
		t.Errorf("%v", err)
	}
}

func TestCloseEndsListeners(t *testing.T) {
	k := newKernel(t)
	b := start(t, k, nil)
	in, err := b.Listen(Filter{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Next(soon(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if err := b.Send(soon(t), New(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := b.Listen(Filter{}, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

// TestMissingInterface is down, and its error says what is missing.
func TestMissingInterface(t *testing.T) {
	b, err := Open("nocan9")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if i := b.Info(); i.State != StateDown || i.Err == nil {
		t.Errorf("%+v", i)
	}
}

// vcan is the interface of TestVcan.
const vcan = "vcan0"

// TestVcan: two buses on the kernel's own virtual interface, both widths of identifiers, and the kernel's filters.
func TestVcan(t *testing.T) {
	if _, err := net.InterfaceByName(vcan); err != nil {
		t.Skipf("no interface %s: %v", vcan, err)
	}
	a, err := Open(vcan)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := Open(vcan, Filter{ID: 0x02800000, Mask: 0x03C00000, Extended: true}, Exactly(0x123))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	in, err := b.Listen(Filter{ID: 0x02800000, Mask: 0x03C00000, Extended: true}, 8)
	if err != nil {
		t.Fatal(err)
	}
	short, err := b.Listen(Exactly(0x123), 8)
	if err != nil {
		t.Fatal(err)
	}
	if i := b.Info(); i.State != StateActive {
		t.Fatalf("%+v", i)
	}
	for _, f := range []Frame{New(0x124, 1), New(0x123, 2), New(0x02C31122, 3), New(0x02831122, 4, 5), {ID: 0x123, Remote: true, Len: 3}} {
		if err := a.Send(soon(t), f); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := in.Next(soon(t)); err != nil || f != New(0x02831122, 4, 5) {
		t.Errorf("%v, %v", f, err)
	}
	for _, want := range []Frame{New(0x123, 2), {ID: 0x123, Remote: true, Len: 3}} {
		if f, err := short.Next(soon(t)); err != nil || f != want {
			t.Errorf("%v, %v, want %v", f, err, want)
		}
	}
	if i := b.Info(); i.Frames != 3 {
		t.Errorf("%d frames came through the kernel's filters, want 3", i.Frames)
	}
}
