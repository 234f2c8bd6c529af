//go:build sftp

package transfer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// shell is an SFTP server of this test's; it counts the passwords that it was shown.
type shell struct {
	mu    sync.Mutex
	shown int
	key   string // fingerprint
	at    string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{key: ssh.FingerprintSHA256(signer.PublicKey())}
	config := &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shown++
		if c.User() != "user" || string(password) != "secret" {
			return nil, errors.New("no")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.at = l.Addr().String()
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serveShell(c, config) })
		}
	})
	return s
}

func serveShell(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		channel, requests, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		server, err := sftp.NewServer(channel)
		if err != nil {
			return
		}
		_ = server.Serve()
	}
}

func TestSFTP(t *testing.T) {
	s := newShell(t)
	dir := t.TempDir()
	file := content(200_000)
	name := filepath.Join(dir, "fw.bin")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	address := "sftp://user:secret@" + s.at
	c := &Client{HostKeys: []string{"127.0.0.1 " + s.key}}
	m := memory{full: 100_000}
	if err := c.Get(t.Context(), address+name, &m); !errors.Is(err, ErrSink) || m.Offset() == 0 {
		t.Fatalf("%d bytes: %v", m.Offset(), err)
	}
	rest := resumed{memory: memory{data: m.data, tag: m.tag}}
	if err := c.Get(t.Context(), address+name, &rest); err != nil || !bytes.Equal(rest.data, file) || rest.began {
		t.Errorf("%d bytes, begun anew %v: %v", rest.Offset(), rest.began, err)
	}
	m = memory{data: content(10), tag: "1 1"}
	if err := c.Get(t.Context(), address+name, &m); err != nil || !bytes.Equal(m.data, file) {
		t.Errorf("another file: %d bytes: %v", m.Offset(), err)
	}
	if err := c.Get(t.Context(), address+dir+"/none", &m); !errors.Is(err, ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
	if err := c.Put(t.Context(), address+dir+"/", log); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, log.Name)); !bytes.Equal(got, log.Data) {
		t.Errorf("the log arrived as %q: %v", got, err)
	}
	err := c.Get(t.Context(), "sftp://user:other-secret@"+s.at+name, &m)
	if !errors.Is(err, ErrPermission) {
		t.Errorf("another password: %v", err)
	}
	quiet(t, err)
	if err := (&Client{MaxSize: 1000, HostKeys: c.HostKeys}).Get(t.Context(), address+name, &memory{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// No password goes to a server whose key nobody vouches for.
func TestHostKeys(t *testing.T) {
	s, other := newShell(t), newShell(t)
	for name, keys := range map[string][]string{
		"none": nil, "of another": {"127.0.0.1 " + other.key}, "of another host": {"files.test " + s.key}, "of another port": {other.at + " " + s.key}, "no host": {s.key},
	} {
		var m memory
		if err := (&Client{HostKeys: keys}).Get(t.Context(), "sftp://user:secret@"+s.at+"/x", &m); !errors.Is(err, ErrTrust) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.shown > 0 {
		t.Errorf("%d passwords were shown", s.shown)
	}
	var m memory
	if err := (&Client{HostKeys: []string{s.at + " " + s.key}}).Get(t.Context(), "sftp://user:secret@"+s.at+"/none", &m); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
