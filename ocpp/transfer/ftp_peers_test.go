package transfer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A peer is an FTP server that others wrote.
type peer struct {
	name   string
	start  func(t *testing.T, dir string, port int, pem string) *exec.Cmd
	user   string // and password, of an address
	scheme string
}

var peers = []peer{
	{"vsftpd", vsftpd("NO"), "", "ftp"},
	{"vsftpd over TLS", vsftpd("YES"), "", "ftps"},
	{"pyftpdlib", pyftpdlib("FTPHandler"), "user:secret@", "ftp"},
	{"pyftpdlib over TLS", pyftpdlib("TLS_FTPHandler"), "user:secret@", "ftps"},
}

func vsftpd(ssl string) func(t *testing.T, dir string, port int, pem string) *exec.Cmd {
	return func(t *testing.T, dir string, port int, pem string) *exec.Cmd {
		program, err := exec.LookPath("vsftpd")
		if err != nil {
			if program, err = exec.LookPath("/usr/sbin/vsftpd"); err != nil {
				t.Skip("vsftpd is not installed: apt-get install vsftpd")
			}
		}
		config := filepath.Join(t.TempDir(), "vsftpd.conf")
		lines := []string{"listen=YES", "listen_address=127.0.0.1", "listen_port=" + strconv.Itoa(port), "background=NO", "anonymous_enable=YES", "local_enable=NO",
			"write_enable=YES", "anon_upload_enable=YES", "anon_root=" + dir, "allow_writeable_chroot=YES", "run_as_launching_user=YES", "seccomp_sandbox=NO",
			"ssl_enable=" + ssl, "allow_anon_ssl=YES", "force_anon_data_ssl=YES", "force_anon_logins_ssl=YES", "rsa_cert_file=" + pem, "ssl_ciphers=HIGH"}
		write(t, config, strings.Join(lines, "\n")+"\n", 0o600)
		return exec.Command(program, config)
	}
}

func pyftpdlib(handler string) func(t *testing.T, dir string, port int, pem string) *exec.Cmd {
	const script = `
import sys
from pyftpdlib import handlers, authorizers, servers
name, dir, port, pem = sys.argv[1:]
a = authorizers.DummyAuthorizer()
a.add_user("user", "secret", dir, perm="elradfmw")
h = getattr(handlers, name)
h.authorizer = a
if name == "TLS_FTPHandler":
    h.certfile = pem
    h.tls_control_required = h.tls_data_required = True
servers.FTPServer(("127.0.0.1", int(port)), h).serve_forever()
`
	return func(t *testing.T, dir string, port int, pem string) *exec.Cmd {
		for _, python := range []string{"python3", "/usr/bin/python3"} {
			if exec.Command(python, "-c", "from pyftpdlib import handlers; handlers."+handler).Run() == nil {
				return exec.Command(python, "-c", script, handler, dir, strconv.Itoa(port), pem)
			}
		}
		t.Skip("pyftpdlib with TLS is not installed: apt-get install python3-pyftpdlib python3-openssl")
		return nil
	}
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// run starts a peer's server over dir and returns its address.
func (p *peer) run(t *testing.T, dir, pem string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	l.Close()
	cmd := p.start(t, dir, at.Port, pem)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for {
		if c, err := net.Dial("tcp", at.String()); err == nil {
			c.Close()
			return at.String()
		}
		select {
		case <-ended:
			t.Skipf("%s does not run here: %s", p.name, said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Servers that others wrote: a download that was cut goes on, another file begins anew, what is not there is told, logs arrive.
func TestPeersOfFTP(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	cert, key := certificate(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "both.pem")
	write(t, both, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600)
	pool := x509.NewCertPool()
	parsed, _ := x509.ParseCertificate(cert)
	pool.AddCert(parsed)
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			file := content(300_000)
			write(t, filepath.Join(dir, "fw 1.bin"), string(file), 0o644)
			address := p.scheme + "://" + p.user + p.run(t, dir, both)
			c := &Client{Roots: func() *x509.CertPool { return pool }}

			m := memory{full: 100_000}
			if err := c.Get(t.Context(), address+"/fw%201.bin", &m); !errors.Is(err, ErrSink) || m.Offset() == 0 || m.tag == "" {
				t.Fatalf("%d bytes, tag %q: %v", m.Offset(), m.tag, err)
			}
			rest := resumed{memory: memory{data: m.data, tag: m.tag}}
			if err := c.Get(t.Context(), address+"/fw%201.bin", &rest); err != nil || !bytes.Equal(rest.data, file) || rest.began {
				t.Errorf("%d bytes, begun anew: %v: %v", rest.Offset(), rest.began, err)
			}
			m = memory{data: m.data, tag: "1 20200101000000"}
			if err := c.Get(t.Context(), address+"/fw%201.bin", &m); err != nil || !bytes.Equal(m.data, file) {
				t.Errorf("another file: %d bytes: %v", m.Offset(), err)
			}
			if err := c.Get(t.Context(), address+"/none", &m); !errors.Is(err, ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
			if err := c.Put(t.Context(), address+"/", log); err != nil {
				t.Errorf("put: %v", err)
			}
			if got, err := os.ReadFile(filepath.Join(dir, log.Name)); !bytes.Equal(got, log.Data) {
				t.Errorf("the log arrived as %q: %v", got, err)
			}
		})
	}
}

// resumed is a memory that says whether it was emptied.
type resumed struct {
	memory
	began bool
}

func (r *resumed) Truncate(n int64) error {
	r.began = true
	return r.memory.Truncate(n)
}
