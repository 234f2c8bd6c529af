package transfer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/jlaffaye/ftp"
)

// maxControl is how much a server may say beside the file, in bytes: a greeting, some features, and the replies to a dozen
// commands. The lines of FTP have no bound of their own.
const maxControl = 64 << 10

var errTalk = fmt.Errorf("the server says more than %d bytes", maxControl)

// session is one login at an FTP server. ftps goes as the port says: at 990 TLS begins with the connection, at another by AUTH.
// Where the address says no port, 990 is tried, and 21 if nobody listens there. Data connections are always passive, to the host
// of the first: a server behind NAT names an address that no one can reach, and a bad one an address that it cannot reach itself.
type session struct {
	c    *Client
	w    *watch
	u    *url.URL
	tls  *tls.Config // nil: none
	to   string      // the server's address, once it is known
	conn *ftp.ServerConn
}

// login connects and logs in. The caller calls end.
func (c *Client) login(w *watch, u *url.URL) (s *session, err error) {
	s = &session{c: c, w: w, u: u}
	if u.Scheme == "ftps" {
		s.tls = c.tls(u.Hostname())
		s.tls.ClientSessionCache = tls.NewLRUClientSessionCache(1) // servers ask that data connections resume the first one's session
	}
	var unheard *net.OpError
	err = s.open(place(u))
	if errors.As(err, &unheard) && unheard.Op == "dial" && u.Scheme == "ftps" && u.Port() == "" {
		err = s.open(net.JoinHostPort(u.Hostname(), ports["ftp"]))
	}
	if err != nil {
		return nil, s.reason("connect to", err)
	}
	user, password := "anonymous", "anonymous"
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	if err := s.conn.Login(user, password); err != nil {
		if err = s.reason("log in at", err); errors.Is(err, ErrAnswer) {
			err = fmt.Errorf("log in at %s: %w", u.Host, ErrPermission) // a refused name is told in words alone
		}
		s.end()
		return nil, err
	}
	return s, nil
}

// open makes the first connection.
func (s *session) open(address string) (err error) {
	_, port, _ := net.SplitHostPort(address)
	implicit := port == ports["ftps"]
	options := []ftp.DialOption{ftp.DialWithDialFunc(func(network, at string) (net.Conn, error) {
		if s.to == "" {
			return s.first(network, at, implicit)
		}
		return s.data(network, at)
	})}
	if s.tls != nil && implicit {
		options = append(options, ftp.DialWithTLS(s.tls))
	} else if s.tls != nil {
		options = append(options, ftp.DialWithExplicitTLS(s.tls))
	}
	s.conn, err = ftp.Dial(address, options...)
	return err
}

// first is the connection of commands, where what the server says is bounded.
func (s *session) first(network, address string, implicit bool) (net.Conn, error) {
	c, err := s.c.dial(s.w.ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.to, _, _ = net.SplitHostPort(address)
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		s.to = a.IP.String()
	}
	l := s.watched(c)
	l.left = maxControl
	if s.tls != nil && implicit {
		return tlsConn{tls.Client(l, s.tls)}, nil
	}
	return l, nil
}

// data is a connection for a file: to the same host, whatever the server says.
func (s *session) data(network, at string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		return nil, err
	}
	c, err := s.c.dial(s.w.ctx, network, net.JoinHostPort(s.to, port))
	if err != nil {
		return nil, err
	}
	l := s.watched(c)
	l.left = -1
	if s.tls != nil {
		return tls.Client(l, s.tls), nil
	}
	return l, nil
}

func (s *session) watched(c net.Conn) *watched {
	return &watched{Conn: c, w: s.w, stop: context.AfterFunc(s.w.ctx, func() { _ = c.Close() })}
}

// end says good-bye.
func (s *session) end() { _ = s.conn.Quit() }

// reason makes an error of what a server said: by its code alone, for its words may repeat what it was told.
func (s *session) reason(what string, err error) error {
	var said *textproto.Error
	if !errors.As(err, &said) || context.Cause(s.w.ctx) != nil {
		return s.w.reason(what, s.u, plain(err))
	}
	kind := error(nil)
	switch said.Code {
	case ftp.StatusNotLoggedIn, ftp.StatusStorNeedAccount, ftp.StatusBadFileName:
		kind = ErrPermission
	case ftp.StatusFileUnavailable:
		kind = ErrNotFound
	case ftp.StatusExceededStorage:
		kind = ErrMessage
	case ftp.StatusBadCommand, ftp.StatusBadArguments, ftp.StatusNotImplemented, ftp.StatusNotImplementedParameter:
		kind = ErrMethod
	default:
		return fmt.Errorf("%s %s: the server answers %d", what, s.u.Host, said.Code)
	}
	return fmt.Errorf("%s %s: %w: reply %d", what, s.u.Host, kind, said.Code)
}

// plain leaves of an error of FTP's client what cannot hold the server's words: failed connections, TLS and our own reasons.
func plain(err error) error {
	var network net.Error
	var untrusted *tls.CertificateVerificationError
	for _, e := range []error{ErrHost, ErrAddress, errTalk, ErrSink, ErrCut} {
		if errors.Is(err, e) {
			return err
		}
	}
	if errors.As(err, &untrusted) || errors.As(err, &network) {
		return err
	}
	return ErrAnswer
}

// path is the file's name at the server: below where the login begins, or from the root with %2F (RFC 1738, 3.2.2).
func (s *session) path() string { return strings.TrimPrefix(s.u.Path, "/") }

// getFTP fetches a file. What the server has is told from another file by its size and date.
func (c *Client) getFTP(w *watch, u *url.URL, in *intake) error {
	s, err := c.login(w, u)
	if err != nil {
		return err
	}
	defer s.end()
	t, err := s.tag()
	if err != nil {
		return err
	}
	held, err := in.held()
	if err != nil {
		return err
	}
	switch {
	case held.size > 0 && t == held.tag && held.size == t.size:
		return nil // nothing was missing
	case held.size == 0 || t != held.tag:
		if err := in.start(t); err != nil {
			return err
		}
		held.size = 0
	}
	from, err := s.conn.RetrFrom(s.path(), uint64(held.size))
	if held.size > 0 && errors.As(err, new(*textproto.Error)) { // a server that begins files at their beginning only
		if err := in.start(t); err != nil {
			return err
		}
		from, err = s.conn.Retr(s.path())
	}
	if err != nil {
		return s.reason("get from", err)
	}
	if err := in.take(u, from, t.size); err != nil {
		return err
	}
	if err := from.Close(); err != nil && t.size < 0 { // who does not say how much there is, says at its end whether that was all
		return s.w.reason("get from", u, ErrCut)
	}
	return nil
}

// tag asks what the server has.
func (s *session) tag() (tag, error) {
	size, err := s.conn.FileSize(s.path())
	var said *textproto.Error
	switch {
	case errors.As(err, &said) && said.Code == ftp.StatusFileUnavailable, err != nil && !errors.As(err, &said) && !errors.Is(err, strconv.ErrSyntax) && !errors.Is(err, strconv.ErrRange):
		return tag{}, s.reason("get from", err)
	case err != nil, size < 0:
		return tag{size: -1}, nil
	}
	t := tag{size: size}
	if at, err := s.conn.GetTime(s.path()); err == nil {
		t.validator = at.Format("20060102150405")
	}
	return t, nil
}

// putFTP puts a file at an address, or into it if that is a folder: 1.6 names folders, with and without a slash.
func (c *Client) putFTP(w *watch, u *url.URL, folder bool, f File) error {
	s, err := c.login(w, u)
	if err != nil {
		return err
	}
	defer s.end()
	name := s.path()
	if name == "" {
		name = f.Name
	} else if !folder && s.conn.ChangeDir(name) == nil {
		name = f.Name
	}
	if err := s.conn.Stor(name, bytes.NewReader(f.Data)); err != nil {
		err = s.reason("put to", err)
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("put to %s: %w", u.Host, ErrPermission) // one code says that there is no folder, and that none may write there
		}
		return err
	}
	return nil
}
