package link

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// names is a name server: every name has the addresses that are set.
type names struct {
	addresses atomic.Pointer[[]string] // IPv4; none: there is no such name
	asked     atomic.Int64
}

// dial lets a resolver ask over a pipe, in the framing of TCP.
func (n *names) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		for {
			var size [2]byte
			if _, err := io.ReadFull(far, size[:]); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(far, question); err != nil {
				return
			}
			n.asked.Add(1)
			a := n.answer(question)
			if _, err := far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
				return
			}
		}
	}()
	return near, nil
}

// answer makes a message of RFC 1035, section 4: the header, the question, and an address record for each address.
func (n *names) answer(question []byte) []byte {
	const header, typeA, nameError, answered = 12, 1, 3, 0x8180
	end := header
	for question[end] != 0 {
		end += 1 + int(question[end])
	}
	end += 5 // the root, type and class
	kind := binary.BigEndian.Uint16(question[end-4:])
	var all []string
	if p := n.addresses.Load(); p != nil {
		all = *p
	}
	flags := uint16(answered)
	if len(all) == 0 {
		flags |= nameError
	}
	if kind != typeA {
		all = nil
	}
	a := append([]byte{}, question[:2]...)
	for _, v := range []uint16{flags, 1, uint16(len(all)), 0, 0} {
		a = binary.BigEndian.AppendUint16(a, v)
	}
	a = append(a, question[header:end]...)
	for _, address := range all {
		a = append(a, 0xc0, header, 0, typeA, 0, 1, 0, 0, 14, 16, 0, 4) // the name again, class IN, an hour to live
		a = append(a, net.ParseIP(address).To4()...)
	}
	return a
}

// TestNameIsResolvedForEachAttempt: a name that is not known yet, gets an address, moves to another one and has several of
// which some are dead is found by the next attempt each time.
func TestNameIsResolvedForEachAttempt(t *testing.T) {
	n := &names{}
	old := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, StrictErrors: true, Dial: n.dial}
	defer func() { net.DefaultResolver = old }()
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, port, _ := net.SplitHostPort(first.Addr().String())
	second, err := net.Listen("tcp4", "127.0.0.2:"+port)
	if err != nil {
		t.Skipf("this machine has no second loopback address: %v", err)
	}
	defer second.Close()
	for _, test := range []struct {
		addresses []string
		want      string // "": none
	}{
		{nil, ""}, {[]string{"127.0.0.1"}, "127.0.0.1"}, {[]string{"127.0.0.2"}, "127.0.0.2"}, {[]string{"127.0.0.3"}, ""},
		{[]string{"127.0.0.3", "127.0.0.2"}, "127.0.0.2"}, {nil, ""}, {[]string{"127.0.0.1"}, "127.0.0.1"},
	} {
		n.addresses.Store(&test.addresses)
		before := n.asked.Load()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := dialTCP(ctx, "tcp", "csms.test.:"+port)
		cancel()
		got := ""
		if err == nil {
			got, _, _ = net.SplitHostPort(c.RemoteAddr().String())
			c.Close()
		}
		if got != test.want {
			t.Errorf("addresses %v: connected to %q, %v; want %q", test.addresses, got, err, test.want)
		}
		if n.asked.Load() == before {
			t.Errorf("addresses %v: nobody asked", test.addresses)
		}
	}
}
