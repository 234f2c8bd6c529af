package transfer

import (
	"bufio"
	"context"
	"errors"
	"io"
	stdlog "log"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

var quietLog = stdlog.New(io.Discard, "", 0)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

// corpus is what a CSMS may name, and where a transfer goes for it; "" is nowhere. W30.
var corpus = []struct{ address, to string }{
	{"http://files.test/fw.bin", "files.test:80"},
	{"https://files.test/fw.bin", "files.test:443"},
	{"HTTP://FILES.TEST/fw.bin", "FILES.TEST:80"},
	{"http://files.test:8080", "files.test:8080"},
	{"http://files.test?x=1", "files.test:80"},
	{"http://files.test/#part", "files.test:80"},
	{"http://user:secret@files.test/", "files.test:80"},
	{"http://files.test@other.test/", "other.test:80"},
	{"http://other.test:80@files.test/", "files.test:80"},
	{"http://user@files.test/", "files.test:80"},
	{"http://[2001:db8::1]/", "[2001:db8::1]:80"},
	{"http://[2001:db8::1]:81/", "[2001:db8::1]:81"},
	{"http://[fe80::1%25eth0]/", "[fe80::1%eth0]:80"},
	{"http://192.0.2.1/", "192.0.2.1:80"},
	{"http://files.test/../../etc/passwd", "files.test:80"},
	{"http://files.test/%2e%2e/%2e%2e/etc/passwd", "files.test:80"},
	{"http://files.test/a%00b", ""},
	{"http://files.test/a%0d%0aHost:x", ""},
	{"http://files.test/\r\nHost: other.test", ""},
	{"http://files.test\r\n/", ""},
	{"http://files.test\\@other.test/", ""},
	{"http://files.test\t/", ""},
	{"http://files test/", ""},
	{" http://files.test/", ""},
	{"http:/files.test/", ""},
	{"http:files.test", ""},
	{"http://", ""},
	{"http:///etc/passwd", ""},
	{"http://:80/", ""},
	{"http://files.test:/", ""},
	{"http://files.test:0/", ""},
	{"http://files.test:65536/", ""},
	{"http://files.test:-1/", ""},
	{"http://files.test:port/", ""},
	{"http://[::1/", ""},
	{"http://[]/", ""},
	{"http://]", ""},
	{"http://%zz/", ""},
	{"http://files%00.test/", ""},
	{"//files.test/fw.bin", ""},
	{"files.test/fw.bin", ""},
	{"/etc/passwd", ""},
	{"", ""},
	{"file:///etc/passwd", ""},
	{"file://files.test/etc/passwd", ""},
	{"gopher://files.test/", ""},
	{"data:text/plain,x", ""},
	{"javascript:alert(1)", ""},
	{"jar:http://files.test!/", ""},
	{"unix:///run/dbus/system_bus_socket", ""},
	{"http+unix://%2Frun%2Fdocker.sock/", ""},
	{"ws://files.test/", ""},
	{"dict://files.test/", ""},
	{"ldap://files.test/", ""},
	{"smb://files.test/share", ""},
	{"tftp://files.test/fw.bin", ""},
	{"scp://files.test/fw.bin", ""},
	{"user:secret@files.test/", ""},
	{"ftp://files.test/fw.bin", "files.test:21"},
	{"ftps://files.test/fw.bin", "files.test:990"},
	{"ftps://files.test:2121/fw.bin", "files.test:2121"},
	{"ftp://user:p%40ss@files.test/fw.bin", "files.test:21"},
	{"ftp://files.test/a%0d%0aDELE%20b", ""},
	{"ftp://us%0d%0aer:secret@files.test/", ""},
	{"ftp://user:sec%0aret@files.test/", ""},
	{"http://files.test/" + strings.Repeat("x", maxAddress), ""},
	{"http://0/", "0:80"},
	{"http://0x7f000001/", "0x7f000001:80"},
	{"http://2130706433/", "2130706433:80"},
	{"http://127.1/", "127.1:80"},
	{"http://0.0.0.0/", ""},
	{"http://[::]/", ""},
	{"http://[::ffff:0.0.0.0]/", ""},
	{"http://224.0.0.1/", ""},
	{"http://255.255.255.255/", ""},
	{"http://[ff02::1]/", ""},
}

// covers: N01.FR.25
func TestCorpusOfAddresses(t *testing.T) {
	nobody := errors.New("nobody listens")
	for _, row := range corpus {
		t.Run(row.address[:min(len(row.address), 60)], func(t *testing.T) {
			var to string
			c := &Client{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				to = address
				return nil, nobody
			}}
			var m memory
			for what, transfer := range map[string]func() error{
				"get": func() error { return c.Get(t.Context(), row.address, &m) },
				"put": func() error { return c.Put(t.Context(), row.address, log) },
			} {
				to = ""
				err := transfer()
				if to != row.to || err == nil || (row.to == "") != (errors.Is(err, ErrAddress) || errors.Is(err, ErrHost)) {
					t.Errorf("%s went to %q: %v", what, to, err)
				}
				if row.to == "" || !strings.Contains(row.to, "secret") {
					for _, word := range []string{"secret", "p%40ss", "p@ss", "passwd"} {
						if strings.Contains(err.Error(), word) {
							t.Errorf("%s: the error tells too much: %v", what, err)
						}
					}
				}
			}
		})
	}
}

// at is a connection to somewhere.
type at struct {
	net.Conn
	addr net.Addr
}

func (a at) RemoteAddr() net.Addr { return a.addr }

// Who a station does not go to, by whatever name: not a byte is sent.
func TestStationDoesNotGoToItself(t *testing.T) {
	own := func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("192.168.1.7"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("2001:db8::7")}
	}
	for to, want := range map[string]error{
		"127.0.0.1": errItself, "127.9.9.9": errItself, "::1": errItself, "::ffff:127.0.0.1": errItself, "64:ff9b::7f00:1": errItself,
		"169.254.169.254": errItself, "fe80::2": errItself, "192.168.1.7": errItself, "::ffff:192.168.1.7": errItself, "2001:db8::7": errItself,
		"0.0.0.0": errGroup, "::": errGroup, "224.0.0.1": errGroup, "ff02::1": errGroup, "255.255.255.255": errGroup,
		"192.168.1.8": nil, "10.0.0.1": nil, "192.0.2.1": nil, "2001:db8::8": nil, "64:ff9b::c000:201": nil,
	} {
		addr := net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(to), 80))
		for name, host := range map[string]string{"by name": "files.test", "by address": to} {
			ours, theirs := net.Pipe()
			sent := make(chan bool)
			go func() {
				n, _ := theirs.Read(make([]byte, 1))
				theirs.Close()
				sent <- n > 0
			}()
			dials := 0
			c := &Client{Refuse: RefuseItself(own), Dial: func(context.Context, string, string) (net.Conn, error) {
				dials++
				return at{ours, addr}, nil
			}}
			var m memory
			err := c.Get(t.Context(), (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, "80"), Path: "/"}).String(), &m)
			ours.Close()
			heard := <-sent
			if errors.Is(err, ErrHost) != (want != nil) || want != nil && !errors.Is(err, want) || heard != (want == nil) {
				t.Errorf("%s %s: heard %v: %v", to, name, heard, err)
			}
			if want != nil && name == "by address" && dials > 0 {
				t.Errorf("%s %s: dialled", to, name)
			}
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, row := range corpus {
		f.Add(row.address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		u, err := parse(address)
		if err != nil {
			if err != ErrAddress {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		host, port, err := net.SplitHostPort(place(u))
		if err != nil || host == "" || port == "" || port == "0" || strings.ContainsFunc(host, control) || ports[u.Scheme] == "" {
			t.Fatalf("%q goes to %q: %v", address, place(u), err)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-1/2", "bytes 5-9/*", "bytes */10", "bytes */*", "bytes 9223372036854775807-9223372036854775807/*", "bytes 1-0/2", "bytes 0-2/2",
		"lines 0-1/2", "bytes=0-1/2", "bytes -1-1/2", "bytes 0-/2", "", "bytes", "bytes 0-1/+2", "bytes 0x1-2/3", "bytes 00-01/02", "BYTES 0-0/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := parseContentRange(s)
		if !ok {
			return
		}
		if r.any && (r.first < 0 || r.last < r.first || r.last+1 < 0 || r.total >= 0 && r.last >= r.total) || !r.any && r.total < 0 || r.total < -1 {
			t.Fatalf("%q: %+v", s, r)
		}
	})
}

func TestContentRange(t *testing.T) {
	for s, want := range map[string]contentRange{
		"bytes 0-1/2": {true, 0, 1, 2}, "bytes 5-9/*": {true, 5, 9, -1}, "bytes */10": {false, 0, 0, 10}, "Bytes 3-3/4": {true, 3, 3, 4},
	} {
		if got, ok := parseContentRange(s); !ok || got != want {
			t.Errorf("%q: %+v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "bytes", "bytes 0-1", "bytes 1-0/2", "bytes 0-2/2", "bytes */*", "bytes -1-1/2", "bytes 0-/2", "bytes 0-1/+2", "lines 0-1/2",
		"bytes 0-9223372036854775807/*", "bytes 0-1/2,3-4/5", "bytes  0-1/2"} {
		if got, ok := parseContentRange(s); ok {
			t.Errorf("%q: %+v", s, got)
		}
	}
}
