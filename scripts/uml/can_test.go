package uml

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/can"
)

// newCAN makes a virtual CAN bus: one message to the kernel's routing socket.
func newCAN(name string) error {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	attribute := func(kind uint16, data []byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
		b = append(binary.NativeEndian.AppendUint16(b, kind), data...)
		return append(b, make([]byte, -len(b)&3)...)
	}
	body := make([]byte, unix.SizeofIfInfomsg)
	body = append(body, attribute(unix.IFLA_IFNAME, append([]byte(name), 0))...)
	body = append(body, attribute(unix.IFLA_LINKINFO, attribute(unix.IFLA_INFO_KIND, []byte("vcan")))...)
	m := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	m = binary.NativeEndian.AppendUint16(m, unix.RTM_NEWLINK)
	m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_REQUEST|unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	m = append(append(m, make([]byte, 8)...), body...)
	if err := unix.Sendto(s, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(s, answer, 0)
	if err != nil {
		return err
	}
	if n < 20 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("the kernel answers %x", answer[:n])
	}
	if code := int32(binary.NativeEndian.Uint32(answer[16:])); code != 0 {
		return unix.Errno(-code)
	}
	return interfaceUp(name)
}

// checkCAN: two ends of the driver on a bus of the kernel's, a bus that goes down and comes back.
func checkCAN(t *testing.T) {
	if err := newCAN("can0"); err != nil {
		t.Fatalf("make a bus: %v", err)
	}
	a, err := can.Open("can0")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := can.Open("can0", can.Exactly(0x02A4F0F0))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	in, err := b.Listen(can.Exactly(0x02A4F0F0), 8)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	send := func(f can.Frame) error {
		for {
			err := a.Send(ctx, f)
			if err == nil || ctx.Err() != nil {
				return err
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	other, mine := can.New(0x02A4F0F1, 9), can.New(0x02A4F0F0, 1, 2, 3, 4, 5, 6, 7, 8)
	for _, f := range []can.Frame{other, mine} {
		if err := send(f); err != nil {
			t.Fatalf("send %v: %v", f, err)
		}
	}
	if got, err := in.Next(ctx); err != nil || got.String() != mine.String() {
		t.Errorf("got %v, %v, want %v", got, err, mine)
	}
	if err := interfaceSet("can0", false); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(ctx, mine); err == nil {
		t.Error("a frame went over a bus that is down")
	}
	if err := interfaceSet("can0", true); err != nil {
		t.Fatal(err)
	}
	for { // the first frames may come before the other end has come back
		if err := send(mine); err != nil {
			t.Fatalf("behind the bus's return: %v", err)
		}
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		got, err := in.Next(short)
		cancel()
		if err == nil && got.String() == mine.String() {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("behind the bus's return: got %v, %v", got, err)
		}
	}
}
