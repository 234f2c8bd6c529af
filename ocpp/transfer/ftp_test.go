package transfer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// server is a small FTP server with one folder, "logs", and what files it was given. Its fields are set before it serves.
type server struct {
	t        *testing.T
	password string
	tls      *tls.Config
	implicit bool
	files    map[string][]byte
	date     string         // of each file; "": it tells none
	cut      int            // bytes after which a file is cut; 0: never
	refuse   map[string]int // the reply to a command that it does not know
	wrong    int            // what it adds to a size

	mu   sync.Mutex
	said []string // commands
	wg   sync.WaitGroup
}

// serve serves on loopback until the test ends, and returns where.
func (s *server) serve() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close(); s.wg.Wait() })
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.talk(c) })
		}
	})
	return l.Addr().String()
}

// commands returns what was said that begins with one of names.
func (s *server) commands(names ...string) (got []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.said {
		for _, n := range names {
			if strings.HasPrefix(line, n) {
				got = append(got, line)
			}
		}
	}
	return got
}

// talk is one session.
func (s *server) talk(c net.Conn) {
	defer func() { c.Close() }()
	if s.implicit {
		c = tls.Server(c, s.tls)
	}
	in := bufio.NewReader(c)
	reply := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	reply("220 ready")
	var data net.Listener
	var offset int
	var in2 bool // in the folder
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.mu.Lock()
		s.said = append(s.said, line)
		s.mu.Unlock()
		verb, arg, _ := strings.Cut(line, " ")
		if code := s.refuse[verb]; code != 0 {
			reply("%d you said %s", code, line)
			continue
		}
		if in2 && !strings.HasPrefix(arg, "/") && verb == "STOR" {
			arg = path.Join("logs", arg)
		}
		file, there := s.files[arg]
		switch verb {
		case "AUTH":
			reply("234 go on")
			c = tls.Server(c, s.tls)
			in = bufio.NewReader(c)
		case "USER":
			reply("331 and the password")
		case "PASS":
			if arg != s.password {
				reply("530 not with %s", arg)
				continue
			}
			reply("230 in")
		case "FEAT":
			reply("211-Features\r\n SIZE\r\n MDTM\r\n REST STREAM\r\n211 End")
		case "TYPE", "PBSZ", "PROT", "OPTS":
			reply("200 yes")
		case "SIZE":
			if !there {
				reply("550 no %s", arg)
				continue
			}
			reply("213 %d", len(file)+s.wrong)
		case "MDTM":
			if s.date == "" || !there {
				reply("550 no")
				continue
			}
			reply("213 %s", s.date)
		case "CWD":
			if arg != "logs" {
				reply("550 no %s", arg)
				continue
			}
			in2 = true
			reply("250 there")
		case "EPSV":
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			reply("229 here (|||%d|)", data.Addr().(*net.TCPAddr).Port)
		case "REST":
			offset, _ = strconv.Atoi(arg)
			reply("350 from there")
		case "RETR":
			if !there || offset > len(file) {
				reply("550 no %s", arg)
				continue
			}
			reply("150 comes")
			ended := s.send(data, file[offset:])
			offset = 0
			if ended {
				reply("226 that was all")
			} else {
				reply("426 cut")
			}
		case "STOR":
			if d := path.Dir(arg); d != "." && d != "logs" {
				reply("553 no folder %s", d)
				continue
			}
			reply("150 give")
			if d, err := s.accept(data); err == nil {
				got, _ := io.ReadAll(d)
				d.Close()
				s.mu.Lock()
				s.files[arg] = got
				s.mu.Unlock()
			}
			reply("226 kept")
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("502 what")
		}
	}
}

func (s *server) accept(l net.Listener) (net.Conn, error) {
	c, err := l.Accept()
	if err == nil && s.tls != nil {
		c = tls.Server(c, s.tls)
	}
	return c, err
}

// send sends a file, and says whether it was all.
func (s *server) send(l net.Listener, file []byte) bool {
	d, err := s.accept(l)
	if err != nil {
		return false
	}
	defer d.Close()
	n := len(file)
	if s.cut > 0 {
		n = min(n, s.cut)
	}
	_, _ = d.Write(file[:n])
	return n == len(file)
}

// authority makes a certificate for loopback and the pool that knows it.
func authority(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	cert, key := certificate(t)
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}, pool
}

// certificate makes one for loopback that vouches for itself.
func certificate(t *testing.T) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "files"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"files.test"}, IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestResumeByFTP(t *testing.T) {
	file := content(1000)
	for cut := 1; cut < len(file); cut += 111 {
		s := &server{t: t, password: "anonymous", files: map[string][]byte{"fw/one.bin": file}, date: "20260304050607", cut: cut}
		address := "ftp://" + s.serve() + "/fw/one.bin"
		var m memory
		for n := cut; ; n += cut {
			err := new(Client).Get(t.Context(), address, &m)
			if n < len(file) && (!errors.Is(err, ErrCut) || !bytes.Equal(m.data, file[:n])) || n >= len(file) && (err != nil || !bytes.Equal(m.data, file)) {
				t.Fatalf("%d: %d bytes are held: %v", n, len(m.data), err)
			}
			if err == nil {
				break
			}
		}
		if got := s.commands("REST"); len(got) != (len(file)-1)/cut {
			t.Errorf("cut after %d: %d times gone on", cut, len(got))
		}
	}
}

// What an attempt finds at a server of FTP after one that was cut in the middle.
func TestSecondAttemptByFTP(t *testing.T) {
	one := content(400)
	const half, date = 200, "20260304050607"
	for _, row := range []struct {
		name string
		set  func(*server)
		held memory
		want error
		end  []byte
		rest int // times that it went on
	}{
		{"same file", func(*server) {}, memory{data: one[:half], tag: "400 " + date}, nil, one, 1},
		{"another date", func(*server) {}, memory{data: one[:half], tag: "400 20250304050607"}, nil, one, 0},
		{"another size", func(*server) {}, memory{data: one[:half], tag: "401 " + date}, nil, one, 0},
		{"no date", func(s *server) { s.date = "" }, memory{data: one[:half], tag: "400 " + date}, nil, one, 0},
		{"no REST", func(s *server) { s.refuse = map[string]int{"REST": 502} }, memory{data: one[:half], tag: "400 " + date}, nil, one, 1},
		{"no SIZE", func(s *server) { s.refuse = map[string]int{"SIZE": 502} }, memory{data: one[:half], tag: "400 " + date}, nil, one, 0},
		{"nothing missing", func(*server) {}, memory{data: one, tag: "400 " + date}, nil, one, 0},
		{"gone", func(s *server) { s.files = nil }, memory{data: one[:half], tag: "400 " + date}, ErrNotFound, one[:half], 0},
		{"less than it said", func(s *server) { s.wrong = 1 }, memory{}, ErrCut, one, 0},
		{"more than it said", func(s *server) { s.wrong = -1 }, memory{}, ErrAnswer, nil, 0},
		{"too large", func(s *server) { s.wrong = 1000 }, memory{}, ErrTooLarge, nil, 0},
		{"too large and silent", func(s *server) {
			s.refuse = map[string]int{"SIZE": 502}
			s.files = map[string][]byte{"one.bin": content(1001)}
		}, memory{}, ErrTooLarge, nil, 0},
		{"cut and silent", func(s *server) { s.cut, s.refuse = 100, map[string]int{"SIZE": 502} }, memory{}, ErrCut, one[:100], 0},
		{"not for us", func(s *server) { s.refuse = map[string]int{"RETR": 553} }, memory{}, ErrPermission, nil, 0},
		{"no account", func(s *server) { s.refuse = map[string]int{"USER": 530} }, memory{}, ErrPermission, nil, 0},
		{"another password", func(s *server) { s.password = "other" }, memory{}, ErrPermission, nil, 0},
		{"busy", func(s *server) { s.refuse = map[string]int{"USER": 421} }, memory{}, errAny, nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &server{t: t, password: "secret", files: map[string][]byte{"one.bin": one}, date: date}
			row.set(s)
			m := row.held
			m.data = bytes.Clone(m.data)
			c := &Client{MaxSize: 1000}
			err := c.Get(t.Context(), "ftp://user:secret@"+s.serve()+"/one.bin", &m)
			if (err == nil) != (row.want == nil) || row.want != errAny && !errors.Is(err, row.want) || !bytes.Equal(m.data, row.end) || len(s.commands("REST")) != row.rest {
				t.Errorf("%d bytes, gone on with %v: %v", len(m.data), s.commands("REST"), err)
			}
			if err != nil {
				quiet(t, err)
			}
		})
	}
}

// Where the path of an address of FTP begins, and what becomes of what looks like a way out.
func TestPathByFTP(t *testing.T) {
	for address, want := range map[string]string{
		"/one": "one", "/a/b": "a/b", "/%2Fa/b": "/a/b", "/../../etc/passwd": "../../etc/passwd", "/a%20b": "a b", "/a?b": "a",
	} {
		s := &server{t: t, password: "anonymous", files: map[string][]byte{}}
		var m memory
		if err := new(Client).Get(t.Context(), "ftp://"+s.serve()+address, &m); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", address, err)
		}
		if got := s.commands("SIZE"); len(got) != 1 || got[0] != "SIZE "+want {
			t.Errorf("%s: %q", address, got)
		}
	}
}

// covers: N01.FR.21
func TestPutByFTP(t *testing.T) {
	for _, row := range []struct {
		path, want string
		err        error
	}{
		{"", "CP 1.txt", nil}, {"/", "CP 1.txt", nil}, {"/logs/", "logs/CP 1.txt", nil}, {"/logs", "logs/CP 1.txt", nil},
		{"/logs/name", "logs/name", nil}, {"/name", "name", nil}, {"/nowhere/", "", ErrPermission}, {"/nowhere/name", "", ErrPermission},
	} {
		s := &server{t: t, password: "p@ss", files: map[string][]byte{}}
		err := new(Client).Put(t.Context(), "ftp://user:p%40ss@"+s.serve()+row.path, log)
		if !errors.Is(err, row.err) {
			t.Errorf("%q: %v", row.path, err)
		}
		s.mu.Lock()
		if got, ok := s.files[row.want]; ok != (row.err == nil) || !bytes.Equal(got, log.Data) && ok || len(s.files) > 1 {
			t.Errorf("%q: %v", row.path, s.files)
		}
		s.mu.Unlock()
	}
}

// covers: N01.FR.15
func TestFTPS(t *testing.T) {
	config, pool := authority(t)
	file := content(100_000)
	for _, implicit := range []bool{false, true} {
		for _, trusted := range []bool{true, false} {
			t.Run(fmt.Sprintf("implicit %v, trusted %v", implicit, trusted), func(t *testing.T) {
				s := &server{t: t, password: "secret", tls: config, implicit: implicit, date: "20260304050607", files: map[string][]byte{"one.bin": file}}
				at := s.serve()
				c := &Client{Roots: func() *x509.CertPool { return x509.NewCertPool() }}
				if trusted {
					c.Roots = func() *x509.CertPool { return pool }
				}
				address := "ftps://user:secret@" + at
				if implicit { // the port says so; the server has another
					address = "ftps://user:secret@127.0.0.1:990"
					c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
						if strings.HasSuffix(address, ":990") {
							address = at
						}
						return new(net.Dialer).DialContext(ctx, network, address)
					}
				}
				var m memory
				got, put := c.Get(t.Context(), address+"/one.bin", &m), c.Put(t.Context(), address+"/logs/", log)
				if trusted && (got != nil || put != nil || !bytes.Equal(m.data, file)) {
					t.Errorf("%d bytes: %v; %v", len(m.data), got, put)
				}
				if !trusted && (!errors.Is(got, ErrTrust) || !errors.Is(put, ErrTrust) || len(s.commands("USER", "PASS")) > 0) {
					t.Errorf("%v; %v; said %v", got, put, s.commands("USER", "PASS"))
				}
			})
		}
	}
}

// Without a port, a server that nobody hears at 990 is asked at 21.
func TestPortOfFTPS(t *testing.T) {
	var to []string
	c := &Client{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		to = append(to, address)
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}}
	for address, want := range map[string]string{"ftps://files.test/x": "files.test:990 files.test:21", "ftps://files.test:990/x": "files.test:990", "ftp://files.test/x": "files.test:21"} {
		to = nil
		var m memory
		if err := c.Get(t.Context(), address, &m); err == nil || strings.Join(to, " ") != want {
			t.Errorf("%s: %v: %v", address, to, err)
		}
	}
}

// A server that talks without an end is left.
func TestTalkativeFTP(t *testing.T) {
	for name, say := range map[string]string{"a line": "220-", "lines": "220-x\r\n"} {
		said := 0
		c := &Client{Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				for {
					n, err := io.WriteString(theirs, strings.Repeat(say, 100))
					if said += n; err != nil {
						return
					}
				}
			}()
			return ours, nil
		}}
		var m memory
		if err := c.Get(t.Context(), "ftp://user:secret@files.test/x", &m); !errors.Is(err, errTalk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSilentFTP(t *testing.T) {
	for name, say := range map[string]string{"no greeting": "", "half of one": "220 rea", "no answer": "220 ready\r\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &Client{Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						_, _ = io.WriteString(theirs, say)
						_, _ = io.Copy(io.Discard, theirs)
					}()
					return ours, nil
				}}
				began := time.Now()
				var m memory
				if err := c.Get(t.Context(), "ftp://files.test/x", &m); !errors.Is(err, errSilence) || time.Since(began) != MaxSilence {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				synctest.Wait()
			})
		})
	}
}

// A server that names another host for its files is not followed there.
func TestDataGoesToTheSameHost(t *testing.T) {
	var to []string
	c := &Client{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		to = append(to, address)
		if len(to) > 1 {
			return nil, errors.New("refused")
		}
		ours, theirs := net.Pipe()
		go func() {
			in := bufio.NewReader(theirs)
			fmt.Fprint(theirs, "220 ready\r\n")
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
				reply := map[string]string{"USER": "230 in", "FEAT": "500 no", "TYPE": "200 yes", "SIZE": "213 5", "PASV": "227 there (10,0,0,1,0,22)", "QUIT": "221 bye"}[verb]
				if reply == "" {
					reply = "502 no"
				}
				fmt.Fprint(theirs, reply+"\r\n")
			}
		}()
		return at{ours, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 21}}, nil
	}}
	var m memory
	if err := c.Get(t.Context(), "ftp://files.test/x", &m); err == nil || strings.Join(to, " ") != "files.test:21 192.0.2.9:22" {
		t.Errorf("%v: %v", to, err)
	}
}
