package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var log = File{Name: "CP 1.txt", Data: []byte("line\n")}

// covers: N01.FR.21 N01.FR.25 N01.FR.29
func TestPut(t *testing.T) {
	for _, row := range []struct{ name, path, want string }{
		{"folder", "/logs/", "/logs/CP%201.txt"},
		{"file", "/logs/name", "/logs/name"},
		{"query", "/logs?signature=a%2Fb", "/logs?signature=a%2Fb"},
		{"nothing", "", "/"},
		{"root", "/", "/CP%201.txt"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got, _ := io.ReadAll(r.Body)
				user, password, _ := r.BasicAuth()
				if r.Method != "PUT" || r.RequestURI != row.want || !bytes.Equal(got, log.Data) || user != "user" || password != "p@ss" || r.ContentLength != int64(len(log.Data)) {
					t.Errorf("%s %s from %q %q: %q", r.Method, r.RequestURI, user, password, got)
				}
				w.WriteHeader(http.StatusCreated)
			}))
			defer s.Close()
			if err := new(Client).Put(t.Context(), strings.Replace(s.URL, "://", "://user:p%40ss@", 1)+row.path, log); err != nil {
				t.Error(err)
			}
		})
	}
}

// covers: N01.FR.18 N01.FR.19
func TestPostWherePutIsUnknown(t *testing.T) {
	var methods []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method)
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		got, _ := io.ReadAll(r.Body)
		if d := r.Header.Get("Content-Disposition"); !bytes.Equal(got, log.Data) || d != `attachment; filename="CP 1.txt"` || r.Header.Get("Content-Type") == "" {
			t.Errorf("%q: %q", d, got)
		}
	}))
	defer s.Close()
	if err := new(Client).Put(t.Context(), s.URL, log); err != nil || len(methods) != 2 {
		t.Error(methods, err)
	}
}

func TestStatus(t *testing.T) {
	for status, want := range map[int]error{
		301: ErrRedirect, 307: ErrRedirect, 401: ErrPermission, 403: ErrPermission, 405: ErrMethod, 501: ErrMethod, 400: ErrMessage, 413: ErrMessage, 404: nil, 500: nil, 503: nil,
	} {
		elsewhere := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				elsewhere++
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		err := new(Client).Put(t.Context(), strings.Replace(s.URL, "://", "://user:secret@", 1)+"/?key=secret", log)
		s.Close()
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", status, err, want)
		}
		for _, e := range []error{ErrRedirect, ErrPermission, ErrMethod, ErrMessage, ErrAddress} {
			if want == nil && errors.Is(err, e) {
				t.Errorf("%d: %v, which would not pass", status, err)
			}
		}
		if elsewhere > 0 {
			t.Errorf("%d: the redirect was followed", status)
		}
		quiet(t, err)
	}
}

// quiet holds an error against what may not stand in it.
func quiet(t *testing.T, err error) {
	t.Helper()
	for _, word := range []string{"user", "secret"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("the error tells the credentials: %v", err)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{"", "x", "http://", "http:///secret", "http://user:sec%zzret@x/", "http://user:secret@x:port/", "http://\x00secret/", "://"} {
		err := new(Client).Put(t.Context(), address, log)
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", address, err)
			continue
		}
		quiet(t, err)
	}
}

func TestNobodyListens(t *testing.T) {
	c := &Client{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }}
	err := c.Put(t.Context(), "http://user:secret@logs.test/?k=secret", log)
	if err == nil || errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), "logs.test") {
		t.Error(err)
	}
	quiet(t, err)
}

// silent is a peer that takes n bytes and then nothing more.
func silent(n int) *Client {
	return &Client{Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.CopyN(io.Discard, theirs, int64(n)) }()
		return ours, nil
	}}
}

func TestSilence(t *testing.T) {
	for name, n := range map[string]int{"of one that takes nothing": 0, "in the midst": 100_000, "of one that does not answer": 300_200} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := silent(n).Put(t.Context(), "http://logs.test/", File{"f", make([]byte, 300_000)})
				if !errors.Is(err, errSilence) || time.Since(began) != MaxSilence {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

func TestSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				for {
					time.Sleep(MaxSilence / 2)
					if _, err := io.CopyN(io.Discard, theirs, chunk); err != nil {
						return
					}
				}
			}()
			return ours, nil
		}}
		began := time.Now()
		err := c.Put(t.Context(), "http://logs.test/", File{"f", make([]byte, 1<<20)})
		if !strings.Contains(err.Error(), "not done") || time.Since(began) != MaxTime {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		time.Sleep(MaxSilence) // the peer sees that we have gone
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		if err := silent(0).Put(ctx, "http://logs.test/", log); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestUntrustedCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the log went to a server that nobody vouches for") }))
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	if err := new(Client).Put(t.Context(), s.URL, log); err == nil {
		t.Error("taken")
	}
}
