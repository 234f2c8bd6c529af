package transfer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a sink in memory; full is how many bytes fit, if that is not 0.
type memory struct {
	data []byte
	tag  string
	full int
	most int // that it ever held
}

func (m *memory) Offset() int64 { return int64(len(m.data)) }

func (m *memory) Write(p []byte) (int, error) {
	if m.full > 0 && len(m.data)+len(p) > m.full {
		return 0, &net.OpError{Op: "write", Err: syscall.ENOSPC}
	}
	m.data = append(m.data, p...)
	m.most = max(m.most, len(m.data))
	return len(p), nil
}

func (m *memory) Truncate(n int64) error {
	m.data = m.data[:n]
	return nil
}

func (m *memory) Tag() string { return m.tag }

func (m *memory) SetTag(s string) error {
	if len(s) > MaxTag {
		return errors.New("too long")
	}
	m.tag = s
	return nil
}

// errAny is a failure that may pass: no reason of this package.
var errAny = errors.New("any")

// tagless is a sink that keeps no tag.
type tagless struct{ m *memory }

func (t tagless) Offset() int64               { return t.m.Offset() }
func (t tagless) Write(p []byte) (int, error) { return t.m.Write(p) }
func (t tagless) Truncate(n int64) error      { return t.m.Truncate(n) }

var changed = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// content is a file in which every place is told from its neighbours.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

// cutting lets an answer's body end without an end after left bytes.
type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; n < len(p) || err != nil {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// Every place at which a download may be cut: the next attempt asks for the rest, and the file is whole.
func TestResumeAtEachOffset(t *testing.T) {
	file := content(1000)
	var asked string
	cut := 0
	for kind, header := range map[string]http.Header{"etag": {"Etag": {`"one"`}}, "date": {}} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for k, v := range header {
				w.Header()[k] = v
			}
			if asked = r.Header.Get("Range"); asked == "" {
				w = &cutting{w, cut}
			}
			http.ServeContent(w, r, "", changed, bytes.NewReader(file))
		}))
		for cut = 1; cut < len(file); cut += 13 {
			var m memory
			err := new(Client).Get(t.Context(), s.URL, &m)
			if !errors.Is(err, ErrCut) || !bytes.Equal(m.data, file[:cut]) {
				t.Fatalf("%s: cut at %d: %d bytes are held: %v", kind, cut, len(m.data), err)
			}
			err = new(Client).Get(t.Context(), s.URL, &m)
			if err != nil || !bytes.Equal(m.data, file) || asked != fmt.Sprintf("bytes=%d-", cut) {
				t.Fatalf("%s: gone on with %q: %d bytes: %v", kind, asked, len(m.data), err)
			}
		}
		s.Close()
	}
}

// What an attempt finds at the server after one that was cut in the middle of file one.
func TestSecondAttempt(t *testing.T) {
	one, two := content(400), bytes.Repeat([]byte("two"), 100)
	const half = 200
	serve := func(w http.ResponseWriter, r *http.Request, etag string, file []byte) {
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", changed, bytes.NewReader(file))
	}
	// part answers whoever asks for a part, and gives the whole to who does not.
	part := func(contentRange, etag string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", etag)
			if r.Header.Get("Range") == "" {
				_, _ = w.Write(one)
				return
			}
			w.Header().Set("Content-Range", contentRange)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(body)
		}
	}
	for _, row := range []struct {
		name     string
		handler  http.HandlerFunc
		requests int
		want     []byte
		err      error
	}{
		{"same file", func(w http.ResponseWriter, r *http.Request) { serve(w, r, `"one"`, one) }, 1, one, nil},
		{"another file", func(w http.ResponseWriter, r *http.Request) { serve(w, r, `"two"`, two) }, 1, two, nil},
		{"a server without ranges", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(one) }, 1, one, nil},
		{"a server that ignores If-Range", part("bytes 200-299/300", `"two"`, two[half:]), 2, one, nil},
		{"a part that begins before", part("bytes 100-399/400", `"one"`, one[100:]), 2, one, nil},
		{"a part that begins behind", part("bytes 201-399/400", `"one"`, one[201:]), 2, one, nil},
		{"a part of a larger file", part("bytes 200-399/401", `"one"`, one[half:]), 2, one, nil},
		{"a part without its place", part("", `"one"`, one[half:]), 2, one, nil},
		{"a part of other units", part("lines 200-399/400", `"one"`, one[half:]), 2, one, nil},
		{"a part that is longer than its place", part("bytes 200-299/400", `"one"`, one[half:]), 2, one, nil},
		{"several parts", part("multipart", `"one"`, one[half:]), 2, one, nil},
		{"a part of the part", part("bytes 200-299/400", `"one"`, one[half:300]), 1, one[:300], ErrCut},
		{"a total that is not known", part("bytes 200-399/*", `"one"`, one[half:]), 1, one, nil},
		{"a place out of range", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Range", "bytes */100")
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			_, _ = w.Write(two)
		}, 2, two, nil},
		{"never in range", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}, 2, nil, errAny},
		{"gone", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotFound) }, 1, one[:half], ErrNotFound},
		{"out of order", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 1, one[:half], errAny},
	} {
		t.Run(row.name, func(t *testing.T) {
			requests := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				row.handler(w, r)
			}))
			defer s.Close()
			m := memory{data: bytes.Clone(one[:half]), tag: `400 "one"`}
			err := new(Client).Get(t.Context(), s.URL, &m)
			if !bytes.Equal(m.data, row.want) || requests != row.requests || (err == nil) != (row.err == nil) || row.err != errAny && !errors.Is(err, row.err) {
				t.Errorf("%d bytes after %d requests: %v", len(m.data), requests, err)
			}
		})
	}
}

// A sink that holds what it cannot name begins anew.
func TestNothingToGoOnWith(t *testing.T) {
	file := content(300)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			t.Errorf("asked for %s", r.Header.Get("Range"))
		}
		w.Header().Set("ETag", `W/"weak"`) // tells no byte from another
		_, _ = w.Write(file)
	}))
	defer s.Close()
	for name, sink := range map[string]func(m *memory) Sink{
		"no tag":                   func(m *memory) Sink { return m },
		"a tag that is none":       func(m *memory) Sink { m.tag = "x"; return m },
		"a tag without a name":     func(m *memory) Sink { m.tag = "300 "; return m },
		"more than the file had":   func(m *memory) Sink { m.tag = `50 "one"`; return m },
		"a sink that keeps no tag": func(m *memory) Sink { return tagless{m} },
	} {
		m := &memory{data: make([]byte, 100)}
		if err := new(Client).Get(t.Context(), s.URL, sink(m)); err != nil || !bytes.Equal(m.data, file) || m.tag != "" {
			t.Errorf("%s: %d bytes, tag %q: %v", name, len(m.data), m.tag, err)
		}
	}
}

// A whole file that is asked for again is not sent again.
func TestNothingIsMissing(t *testing.T) {
	file, sent := content(300), 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		count := &counting{ResponseWriter: w}
		http.ServeContent(count, r, "", changed, bytes.NewReader(file))
		sent = count.n
	}))
	defer s.Close()
	var m memory
	for range 2 {
		if err := new(Client).Get(t.Context(), s.URL, &m); err != nil || !bytes.Equal(m.data, file) {
			t.Fatalf("%d bytes: %v", len(m.data), err)
		}
	}
	if sent >= len(file) {
		t.Errorf("the second attempt got %d bytes", sent)
	}
}

type counting struct {
	http.ResponseWriter
	n int
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.ResponseWriter.Write(p)
}

// raw is a peer that takes one request and then says what say does.
func raw(say func(net.Conn)) *Client {
	return &Client{Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			if _, err := http.ReadRequest(newReader(theirs)); err == nil {
				say(theirs)
			}
		}()
		return ours, nil
	}}
}

// Answers that are wrong, each with the reason that is told and the most that was ever held.
func TestWrongAnswers(t *testing.T) {
	text := func(s string) func(net.Conn) {
		return func(c net.Conn) { _, _ = io.WriteString(c, s) }
	}
	const ok = "HTTP/1.1 200 OK\r\n"
	endless := func(c net.Conn) {
		_, _ = io.WriteString(c, ok+"\r\n")
		for {
			if _, err := c.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}
	for _, row := range []struct {
		name string
		say  func(net.Conn)
		want error
		most int
	}{
		{"too large by its own word", text(ok + "Content-Length: 100001\r\n\r\n" + strings.Repeat("x", 50)), ErrTooLarge, 0},
		{"endless", endless, ErrTooLarge, 100_000},
		{"shorter than it said", text(ok + "Content-Length: 100\r\n\r\nhalf"), ErrCut, 4},
		{"a length below nothing", text(ok + "Content-Length: -5\r\n\r\nhalf"), nil, 0},
		{"two lengths", text(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhalf"), nil, 0},
		{"a chunk without an end", text(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), ErrCut, 5},
		{"a chunk that lies", text(ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n"), ErrCut, 7},
		{"packed", text(ok + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf"), ErrAnswer, 0},
		{"a part that nobody asked for", text("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/4\r\nContent-Length: 4\r\n\r\nhalf"), ErrAnswer, 0},
		{"nothing", text("HTTP/1.1 204 No Content\r\n\r\n"), ErrAnswer, 0},
		{"an endless header", func(c net.Conn) {
			_, _ = io.WriteString(c, ok+"X: ")
			for range 100 {
				if _, err := c.Write(bytes.Repeat([]byte("x"), 1000)); err != nil {
					return
				}
			}
		}, nil, 0},
		{"not HTTP", text("220 ready\r\n"), nil, 0},
		{"nothing at all", text(""), nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := raw(row.say)
			c.MaxSize = 100_000
			var m memory
			err := c.Get(t.Context(), "http://user:secret@files.test/?k=secret", &m)
			if err == nil || row.want != nil && !errors.Is(err, row.want) || m.most > row.most {
				t.Fatalf("%v; held %d", err, m.most)
			}
			quiet(t, err)
		})
	}
}

func TestStatusOfGet(t *testing.T) {
	for status, want := range map[int]error{
		301: ErrRedirect, 302: ErrRedirect, 307: ErrRedirect, 308: ErrRedirect, 304: ErrRedirect, 401: ErrPermission, 403: ErrPermission, 407: ErrPermission,
		404: ErrNotFound, 410: ErrNotFound, 400: ErrMessage, 405: ErrMethod, 416: nil, 500: nil, 503: nil, 202: ErrAnswer,
	} {
		requests := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests++
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "not a file")
		}))
		var m memory
		err := new(Client).Get(t.Context(), s.URL, &m)
		s.Close()
		if Final(err) == (status >= 500 || status == 416 || status == 202) {
			t.Errorf("%d: final %v", status, Final(err))
		}
		if err == nil || want != nil && !errors.Is(err, want) || requests != 1 || m.most > 0 {
			t.Errorf("%d: %v after %d requests, %d bytes held", status, err, requests, m.most)
		}
	}
}

// The disk is full: the reason says so, and what fitted stays.
func TestFullSink(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content(100_000)) }))
	defer s.Close()
	m := memory{full: 50_000}
	err := new(Client).Get(t.Context(), s.URL, &m)
	if !errors.Is(err, ErrSink) || !errors.Is(err, syscall.ENOSPC) || m.most == 0 {
		t.Errorf("%d bytes: %v", m.most, err)
	}
}

func TestGetFromTheSilent(t *testing.T) {
	for name, say := range map[string]string{"of one that does not answer": "", "in a header": "HTTP/1.1 200", "in the midst": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				c := raw(func(c net.Conn) {
					_, _ = io.WriteString(c, say)
					_, _ = c.Read(make([]byte, 1))
				})
				var m memory
				if err := c.Get(t.Context(), "http://files.test/", &m); !errors.Is(err, errSilence) || time.Since(began) != MaxSilence {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				synctest.Wait()
			})
		})
	}
}

// One that says a byte now and then is never silent, and ends with the time.
func TestGetFromTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := raw(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 100000\r\n\r\n")
			for {
				time.Sleep(MaxSilence / 2)
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		})
		began := time.Now()
		var m memory
		err := c.Get(t.Context(), "http://files.test/", &m)
		if err == nil || !strings.Contains(err.Error(), "not done") || time.Since(began) != MaxFetch || m.Offset() < 100 {
			t.Errorf("after %v with %d bytes: %v", time.Since(began), m.Offset(), err)
		}
		time.Sleep(MaxSilence) // the peer sees that we have gone
	})
}

// A sink that takes its time is not the peer's silence.
func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := raw(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf") })
		var m memory
		if err := c.Get(t.Context(), "http://files.test/", &slow{&m}); err != nil || string(m.data) != "half" {
			t.Errorf("%q: %v", m.data, err)
		}
	})
}

type slow struct{ *memory }

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(2 * MaxSilence)
	return s.memory.Write(p)
}

// An attempt ends at once when nobody wants it any longer, wherever it is.
func TestCancelGet(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	whole := head + strings.Repeat("x", 900)
	for n := 0; n <= len(whole); n += 97 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			c := raw(func(c net.Conn) {
				_, _ = io.WriteString(c, whole[:n])
				_, _ = c.Read(make([]byte, 1))
			})
			began := time.Now()
			var m memory
			if err := c.Get(ctx, "http://files.test/", &m); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second || m.most != max(0, n-len(head)) {
				t.Errorf("%d: after %v with %d bytes: %v", n, time.Since(began), m.most, err)
			}
			synctest.Wait()
		})
	}
}

// covers: N01.FR.15
func TestTrustOfGet(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "file") }))
	s.Config.ErrorLog = quietLog
	s.StartTLS()
	defer s.Close()
	known, none := x509.NewCertPool(), x509.NewCertPool()
	known.AddCert(s.Certificate())
	for _, row := range []struct {
		name  string
		roots func() *x509.CertPool
		host  string
		want  error
	}{
		{"of the system", nil, "127.0.0.1", ErrTrust},
		{"none", func() *x509.CertPool { return none }, "127.0.0.1", ErrTrust},
		{"its own", func() *x509.CertPool { return known }, "127.0.0.1", nil},
		{"its own, under another name", func() *x509.CertPool { return known }, "localhost", ErrTrust},
	} {
		port := s.Listener.Addr().(*net.TCPAddr).Port
		var m memory
		err := (&Client{Roots: row.roots}).Get(t.Context(), "https://"+net.JoinHostPort(row.host, strconv.Itoa(port)), &m)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
		if (err == nil) != (string(m.data) == "file") {
			t.Errorf("%s: held %q", row.name, m.data)
		}
	}
	for name, at := range map[string]time.Time{"before": s.Certificate().NotBefore.Add(-time.Second), "after": s.Certificate().NotAfter.Add(time.Second)} {
		c := &Client{Roots: func() *x509.CertPool { return known }, Now: func() time.Time { return at }}
		var m memory
		if err := c.Get(t.Context(), s.URL, &m); !errors.Is(err, ErrTrust) {
			t.Errorf("%s its time: %v", name, err)
		}
	}
}

// covers: A00.FR.313
func TestOldTLS(t *testing.T) {
	for name, c := range map[string]*tls.Config{
		"TLS 1.1":            {MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
		"no forward secrecy": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
		"SHA-1":              {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
	} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s: asked", name) }))
		s.Config.ErrorLog = quietLog
		s.TLS = c
		s.StartTLS()
		known := x509.NewCertPool()
		known.AddCert(s.Certificate())
		var m memory
		if err := (&Client{Roots: func() *x509.CertPool { return known }}).Get(t.Context(), s.URL, &m); err == nil {
			t.Errorf("%s: spoken", name)
		}
		s.Close()
	}
}
