package guard

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// pair returns a guard's link and the station's end of its socket.
func pair(t *testing.T) (*SocketLink, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn := os.NewFile(uintptr(fds[1]), "station")
	t.Cleanup(func() { unix.Close(fds[0]); conn.Close() })
	return NewSocketLink(fds[0], time.Now), conn
}

// await polls the link, as cycles do, until it has a command.
func await(t *testing.T, l *SocketLink, c *Command) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !l.Receive(c); {
		if l.Err() != nil || time.Now().After(end) {
			t.Fatalf("no command: %v", l.Err())
		}
	}
}

func TestSocketLinkCarriesBothWays(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	l, conn := pair(t)
	r := NewRemote([]term.Ref{ref}, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	if r.Permit(term.Permit{Ref: term.Ref{EVSE: 2, Connector: 1}}) || r.Meter(7, MeterSummary{}) {
		t.Error("said something of a connector that is not there")
	}
	r.Permit(term.Permit{Ref: ref, Close: true, Max: 6000}) // before there is a guard
	go func() { ended <- r.Run(ctx, conn) }()
	var c Command
	if await(t, l, &c); c.Kind != CommandPermit || !c.Permit.Close {
		t.Fatalf("got %+v", c)
	}
	r.Meter(1, MeterSummary{Age: time.Second, Phases: 3})
	if await(t, l, &c); c.Kind != CommandMeter || c.Meter.Age < time.Second || c.Meter.Age > 20*time.Second {
		t.Fatalf("got %+v", c)
	}
	r.Heartbeat()
	await(t, l, &c)
	r.Service(ref)
	if await(t, l, &c); c.Kind != CommandService || c.Ref != ref {
		t.Fatalf("got %+v", c)
	}
	at := time.Now().Add(-time.Minute)
	if !l.Send(&iec61851.Status{Ref: ref, At: at, Pilot: term.StateB}) {
		t.Fatal("not sent")
	}
	<-r.Wake()
	if s, ok := r.Status(ref); !ok || s.Pilot != term.StateB || s.At.Sub(at).Abs() > time.Millisecond {
		t.Errorf("status %+v, %v; sent at %v", s, ok, at)
	}
	if n := r.Take(nil); len(n) != 1 || n[0].Kind != iec61851.PilotChanged {
		t.Errorf("notices %+v", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(10 * time.Second); l.Err() == nil && time.Now().Before(end); {
		l.Receive(&c)
	}
	if !errors.Is(l.Err(), ErrClosed) {
		t.Errorf("after the station's end: %v", l.Err())
	}
}

// TestMeterAgesInTheSocket: what waits in the socket while the guard does not look grows old there.
func TestMeterAgesInTheSocket(t *testing.T) {
	l, conn := pair(t)
	var frame [CommandSize]byte
	clock := newInstants(time.Now)
	c := Command{Kind: CommandMeter, Ref: term.Ref{EVSE: 1, Connector: 1}, Meter: MeterSummary{Age: time.Second}}
	encodeCommand(&frame, &c, clock.nano(time.Now().Add(-7*time.Second)))
	if _, err := conn.Write(frame[:]); err != nil {
		t.Fatal(err)
	}
	if await(t, l, &c); c.Meter.Age < 8*time.Second || c.Meter.Age > 20*time.Second {
		t.Errorf("age %v", c.Meter.Age)
	}
}

// TestSocketLinkFull: a station that takes nothing fills the socket; the newest status comes through when it takes again.
func TestSocketLinkFull(t *testing.T) {
	l, conn := pair(t)
	s := iec61851.Status{Ref: term.Ref{EVSE: 1, Connector: 1}, At: time.Now()}
	sent := 0
	for ; l.Send(&s); s.Closings++ {
		if sent++; sent > 1e6 {
			t.Fatal("a socket without end")
		}
	}
	if l.Err() != nil {
		t.Fatalf("a full socket broke the link: %v", l.Err())
	}
	buf := make([]byte, 2*StatusSize)
	for range sent {
		if _, err := conn.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	if !l.Send(&s) {
		t.Fatal("an empty socket takes nothing")
	}
	n, err := conn.Read(buf)
	var got iec61851.Status
	if _, bad := decodeStatus(buf[:n], &got); err != nil || bad != nil || got.Closings != s.Closings {
		t.Errorf("newest is %+v, %v, %v", got, err, bad)
	}
}

func TestSocketLinkEndsAtGarbage(t *testing.T) {
	for name, b := range map[string][]byte{"short": []byte("x"), "long": make([]byte, 4*CommandSize), "zeros": make([]byte, CommandSize)} {
		l, conn := pair(t)
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		var c Command
		if l.Receive(&c) || !errors.Is(l.Err(), ErrFrame) || l.Receive(&c) || l.Send(&iec61851.Status{}) {
			t.Errorf("%s: %v", name, l.Err())
		}
	}
}

// TestRemoteWithoutGuard: a guard that is gone leaves connectors that count as open and faulty, and the next one is told
// every permit again, although its counters begin anew.
func TestRemoteWithoutGuard(t *testing.T) {
	ref := term.Ref{EVSE: 1, Connector: 1}
	r := NewRemote([]term.Ref{ref}, time.Now)
	r.Permit(term.Permit{Ref: ref, Close: true, Max: 6000})
	for life, closings := range []uint32{5, 1} {
		l, conn := pair(t)
		ended := make(chan error, 1)
		go func() { ended <- r.Run(context.Background(), conn) }()
		var c Command
		if await(t, l, &c); !c.Permit.Close {
			t.Fatalf("life %d: %+v", life, c)
		}
		l.Send(&iec61851.Status{Ref: ref, At: time.Now(), Closed: true, Phases: 3, Closings: closings})
		on := r.Take(nil)
		for power(on) == "" { // Wake may still be of what was taken before
			<-r.Wake()
			on = r.Take(on)
		}
		if err := unix.Shutdown(l.fd, unix.SHUT_RDWR); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Fatalf("life %d: %v", life, err)
		}
		if s, _ := r.Status(ref); s.Closed || !s.Faults.Has(term.FaultInternal) {
			t.Errorf("life %d: without a guard: %+v", life, s)
		}
		off := r.Take(nil)
		if power(on) != "+" || power(off) != "-" {
			t.Errorf("life %d: on %+v, off %+v", life, on, off)
		}
	}
}

// power writes the notices of the contactor as signs.
func power(notices []iec61851.Notice) (s string) {
	for _, n := range notices {
		switch {
		case n.Kind == iec61851.PowerChanged && n.Closed:
			s += "+"
		case n.Kind == iec61851.PowerChanged:
			s += "-"
		}
	}
	return s
}

func TestLinkDoesNotAllocate(t *testing.T) {
	l, conn := pair(t)
	var frame [CommandSize]byte
	permit := someCommands()[0]
	encodeCommand(&frame, &permit, 0)
	s := iec61851.Status{Ref: permit.Ref, At: time.Now()}
	buf := make([]byte, StatusSize)
	var c Command
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := conn.Write(frame[:]); err != nil || !l.Receive(&c) || !l.Send(&s) {
			t.Fatal(err, l.Err())
		}
		if _, err := conn.Read(buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}
