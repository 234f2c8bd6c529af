package transfer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of one transfer.
const (
	// MaxTime is how long it may take from the first packet to the answer: a log of half a megabyte at 10 kbit/s.
	MaxTime = 10 * time.Minute
	// MaxSilence is how long the peer may take nothing and say nothing.
	MaxSilence = time.Minute

	maxHeader = 64 << 10 // bytes of an answer's header
	chunk     = 16 << 10 // bytes after which the peer has been heard: what it does not take stays in the socket
	maxAnswer = 64 << 10 // bytes of an answer's body that are read so that the peer sees its end
)

// File is what is to be put.
type File struct {
	Name string
	Data []byte
}

// Dial opens a connection, as net.Dialer does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Client puts files. The zero value dials TCP.
type Client struct {
	Dial Dial
}

// Reasons why a transfer failed, to be told apart with errors.Is. Another error may pass, and another attempt succeed.
var (
	ErrAddress    = errors.New("not an address of HTTP")
	ErrRedirect   = errors.New("the server redirects")
	ErrPermission = errors.New("the server does not permit it")
	ErrMethod     = errors.New("the server takes no files")
	ErrMessage    = errors.New("the server does not understand it")
)

// errSilence and errTime end a transfer.
var (
	errSilence = fmt.Errorf("nothing moved for %v", MaxSilence)
	errTime    = fmt.Errorf("not done after %v", MaxTime)
)

// Put puts f at an address. It ends early with ctx. No error says more of the address than its host.
func (c *Client) Put(ctx context.Context, address string, f File) error {
	u, err := parse(address, f.Name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, MaxTime, errTime)
	defer cancel()
	transport := c.transport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	err = put(ctx, client, http.MethodPut, u, f)
	if errors.Is(err, ErrMethod) {
		err = put(ctx, client, http.MethodPost, u, f)
	}
	return err
}

// parse returns the address of a file.
func parse(address, name string) (*url.URL, error) {
	if strings.HasSuffix(address, "/") {
		address += url.PathEscape(name)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrAddress // what was wrong with it may be its password
	}
	return u, nil
}

func (c *Client) transport() *http.Transport {
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
}

// put makes one request.
func put(ctx context.Context, client *http.Client, method string, u *url.URL, f File) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(MaxSilence, func() { cancel(errSilence) })
	defer silence.Stop()
	moved := func() { silence.Reset(MaxSilence) }

	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return ErrAddress
	}
	r.ContentLength = int64(len(f.Data))
	r.Body = &body{Reader: bytes.NewReader(f.Data), moved: moved}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	r.Header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	r.Header.Set("User-Agent", "evsed")
	response, err := client.Do(r)
	if err != nil {
		return reason(ctx, u, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	return judge(response.StatusCode)
}

// body tells of each part that the peer takes.
type body struct {
	*bytes.Reader
	moved func()
}

// Read reads little at a time, so that it is seen to move.
func (b *body) Read(p []byte) (int, error) {
	b.moved()
	return b.Reader.Read(p[:min(len(p), chunk)])
}

// WriteTo hides that of bytes.Reader, which would hand over everything at once.
func (b *body) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{b}) }

// Close has nothing to close.
func (b *body) Close() error { return nil }

// reason says why there was no answer. An error of net/http shows the address, whose query and user are no one's business.
func reason(ctx context.Context, u *url.URL, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var shown *url.Error
	if errors.As(err, &shown) {
		err = shown.Err
	}
	return fmt.Errorf("put to %s: %w", u.Host, err)
}

// judge makes an error of a status.
func judge(status int) error {
	kind := error(nil)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		kind = ErrRedirect
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		kind = ErrPermission
	case status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		kind = ErrMethod
	case status == http.StatusBadRequest, status == http.StatusLengthRequired, status == http.StatusRequestEntityTooLarge,
		status == http.StatusRequestURITooLong, status == http.StatusUnsupportedMediaType:
		kind = ErrMessage
	default:
		return fmt.Errorf("the server answers %d", status)
	}
	return fmt.Errorf("%w: status %d", kind, status)
}
