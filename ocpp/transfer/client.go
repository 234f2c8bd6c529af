package transfer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Bounds of one transfer.
const (
	// MaxTime is how long an upload may take from the first packet to the answer: a log of half a megabyte at 10 kbit/s.
	MaxTime = 10 * time.Minute
	// MaxFetch is how long one attempt to fetch may take: the next goes on where it ended.
	MaxFetch = time.Hour
	// MaxSilence is how long the peer may take nothing and say nothing.
	MaxSilence = time.Minute
	// MaxSize is how large a fetched file may be where Client.MaxSize does not say it: a whole image of a small controller.
	MaxSize = 1 << 30

	maxHeader = 64 << 10 // bytes of an answer's header
	chunk     = 16 << 10 // bytes after which the peer has been heard: what it does not take stays in the socket
	maxAnswer = 64 << 10 // bytes of an answer's body that are read so that the peer sees its end
)

// Dial opens a connection, as net.Dialer does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Client transfers files. The zero value dials TCP, goes anywhere and trusts whom the operating system trusts.
type Client struct {
	Dial Dial
	// Roots are the authorities that a server's certificate is held against, asked anew for each transfer. nil, or a nil
	// pool: those of the operating system.
	Roots func() *x509.CertPool
	// Now is the time by which certificates are valid: the station's, which a CSMS sets, and not that of an operating system
	// whose clock nobody may have set. nil: time.Now.
	Now func() time.Time
	// Refuse says why no transfer goes to an address that a host has. It is asked with each connection, before a byte is sent.
	// nil: any.
	Refuse func(host string, to netip.Addr) error
	// MaxSize is how large a fetched file may be, in bytes. 0: MaxSize.
	MaxSize int64
	// HostKeys are the keys of SFTP servers that are trusted: "HOST SHA256:BASE64", as ssh-keygen -l prints a key. No other
	// way is there to trust one.
	HostKeys []string
}

// Reasons why a transfer failed, to be told apart with errors.Is. Another error may pass, and another attempt succeed.
var (
	ErrAddress    = errors.New("not an address that files go to or come from")
	ErrRedirect   = errors.New("the server redirects")
	ErrPermission = errors.New("the server does not permit it")
	ErrMethod     = errors.New("the server takes no files")
	ErrMessage    = errors.New("the server does not understand it")
)

// errSilence ends a transfer.
var errSilence = fmt.Errorf("nothing moved for %v", MaxSilence)

// watch is a transfer under way: its context ends with time, silence and whoever began it.
type watch struct {
	ctx     context.Context
	silence *time.Timer
}

// watch begins one. end releases what it holds.
func begin(ctx context.Context, limit time.Duration) (w *watch, end func()) {
	ctx, stop := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	ctx, cancel := context.WithCancelCause(ctx)
	w = &watch{ctx: ctx, silence: time.AfterFunc(MaxSilence, func() { cancel(errSilence) })}
	return w, func() {
		w.silence.Stop()
		cancel(nil)
		stop()
	}
}

// moved says that the peer was heard, or took something.
func (w *watch) moved() { w.silence.Reset(MaxSilence) }

// pause stops waiting for the peer while it is the station that takes its time; moved goes on.
func (w *watch) pause() { w.silence.Stop() }

// reason says why there was no answer. An error of net/http shows the address, whose query and user are no one's business.
func (w *watch) reason(what string, u *url.URL, err error) error {
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	var shown *url.Error
	if errors.As(err, &shown) {
		err = shown.Err
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return fmt.Errorf("%s %s: %w: %w", what, u.Host, ErrTrust, err)
	}
	return fmt.Errorf("%s %s: %w", what, u.Host, err)
}

// dial connects to a host and hears of no other. The address that it has is looked at before a byte goes there, so that a name
// that means another address now than a moment ago gains nothing.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, ErrAddress
	}
	if to, err := netip.ParseAddr(host); err == nil {
		if err := c.allowed(host, to); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrHost, err)
		}
	}
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if to, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		if err := c.allowed(host, to.AddrPort().Addr()); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("%w: %w", ErrHost, err)
		}
	}
	return conn, nil
}

// suites are those of TLS 1.2, by the rules of A00.FR.319 and A00.FR.320 for a CSMS: forward secrecy and AES-GCM.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

// tls is how TLS is spoken to a host.
func (c *Client) tls(host string) *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: suites, ServerName: host, Time: c.Now}
	if c.Roots != nil {
		t.RootCAs = c.Roots()
	}
	return t
}

// http is a client for one transfer, which follows nothing and unpacks nothing.
func (c *Client) http(u *url.URL) (client *http.Client, end func()) {
	t := &http.Transport{DialContext: c.dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		TLSClientConfig: c.tls(u.Hostname())}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t.CloseIdleConnections
}
