//go:build sftp

package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// SFTP says whether this build speaks it.
const SFTP = true

var errUnknownHost = fmt.Errorf("%w: its host key is not among those that are trusted", ErrTrust)

// hostKey holds a server's key against those that are trusted for its host: "HOST SHA256:BASE64", or "HOST:PORT SHA256:BASE64".
func (c *Client) hostKey(u *url.URL) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, key ssh.PublicKey) error {
		shown := ssh.FingerprintSHA256(key)
		for _, row := range c.HostKeys {
			host, fingerprint, _ := strings.Cut(row, " ")
			if fingerprint == shown && (strings.EqualFold(host, u.Hostname()) || strings.EqualFold(host, place(u))) {
				return nil
			}
		}
		return errUnknownHost
	}
}

// files connects and logs in. Nothing is said to a server before its key is known.
func (c *Client) files(w *watch, u *url.URL) (client *sftp.Client, end func(), err error) {
	if len(c.HostKeys) == 0 {
		return nil, nil, fmt.Errorf("%w: no host key is trusted", errUnknownHost)
	}
	conn, err := c.dial(w.ctx, "tcp", place(u))
	if err != nil {
		return nil, nil, w.reason("connect to", u, err)
	}
	l := &watched{Conn: conn, w: w, left: -1, stop: context.AfterFunc(w.ctx, func() { _ = conn.Close() })}
	password, _ := u.User.Password()
	s, channels, requests, err := ssh.NewClientConn(l, place(u), &ssh.ClientConfig{User: u.User.Username(), Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: c.hostKey(u)})
	if err != nil {
		_ = l.Close()
		return nil, nil, sshReason(w, u, err)
	}
	shell := ssh.NewClient(s, channels, requests)
	client, err = sftp.NewClient(shell, sftp.MaxConcurrentRequestsPerFile(4))
	if err != nil {
		_ = shell.Close()
		return nil, nil, sftpReason(w, "open", u, err)
	}
	return client, func() { _ = shell.Close() }, nil // not the client first, which waits for the server
}

// sshReason makes an error of a handshake that ended. It may hold words of the server: they are not told.
func sshReason(w *watch, u *url.URL, err error) error {
	if context.Cause(w.ctx) == nil && errors.Is(err, ErrTrust) {
		return fmt.Errorf("connect to %s: %w", u.Host, errUnknownHost)
	}
	var network net.Error
	if context.Cause(w.ctx) != nil || errors.As(err, &network) || errors.Is(err, io.EOF) {
		return w.reason("connect to", u, err)
	}
	return fmt.Errorf("log in at %s: %w", u.Host, ErrPermission)
}

// sftpReason makes an error of a server's reply, without its words.
func sftpReason(w *watch, what string, u *url.URL, err error) error {
	var said *sftp.StatusError
	switch {
	case context.Cause(w.ctx) != nil, errors.Is(err, ErrSink), errors.Is(err, ErrCut):
		return w.reason(what, u, err)
	case errors.Is(err, fs.ErrNotExist):
		err = ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		err = ErrPermission
	case errors.As(err, &said):
		err = fmt.Errorf("%w: status %d", ErrMessage, said.Code)
	default:
		err = ErrCut
	}
	return fmt.Errorf("%s %s: %w", what, u.Host, err)
}

// path is the file's name at the server, from the root, or from the login's folder behind /~/ .
func sftpPath(u *url.URL) string {
	if below, ok := strings.CutPrefix(u.Path, "/~/"); ok {
		return below
	}
	return u.Path
}

// getSFTP fetches a file. What the server has is told from another file by its size and date.
func (c *Client) getSFTP(w *watch, u *url.URL, in *intake) error {
	client, end, err := c.files(w, u)
	if err != nil {
		return err
	}
	defer end()
	f, err := client.Open(sftpPath(u))
	if err != nil {
		return sftpReason(w, "get from", u, err)
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		return sftpReason(w, "get from", u, err)
	}
	t := tag{size: about.Size(), validator: strconv.FormatInt(about.ModTime().Unix(), 10)}
	held, err := in.held()
	if err != nil {
		return err
	}
	if held.size == 0 || held.tag != t {
		if err := in.start(t); err != nil {
			return err
		}
		held.size = 0
	}
	if held.size == t.size {
		return nil // nothing is missing
	}
	if _, err := f.Seek(held.size, io.SeekStart); err != nil {
		return sftpReason(w, "get from", u, err)
	}
	return in.take(u, f, t.size)
}

// putSFTP puts a file.
func (c *Client) putSFTP(w *watch, u *url.URL, file File) error {
	client, end, err := c.files(w, u)
	if err != nil {
		return err
	}
	defer end()
	f, err := client.OpenFile(sftpPath(u), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err == nil {
		_, err = io.Copy(f, struct{ io.Reader }{bytes.NewReader(file.Data)})
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return sftpReason(w, "put to", u, err)
	}
	return nil
}
