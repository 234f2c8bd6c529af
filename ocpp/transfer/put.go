package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// File is what is to be put.
type File struct {
	Name string
	Data []byte
}

// Put puts f at an address. It ends early with ctx. No error says more of the address than its host.
func (c *Client) Put(ctx context.Context, address string, f File) error {
	folder := strings.HasSuffix(address, "/")
	if folder {
		address += url.PathEscape(f.Name)
	}
	u, err := parse(address)
	if err != nil {
		return err
	}
	w, end := begin(ctx, MaxTime)
	defer end()
	switch u.Scheme {
	case "ftp", "ftps":
		return c.putFTP(w, u, folder, f)
	case "sftp":
		return c.putSFTP(w, u, f)
	}
	client, idle := c.http(u)
	defer idle()
	err = putHTTP(w, client, http.MethodPut, u, f)
	if errors.Is(err, ErrMethod) {
		w.moved()
		err = putHTTP(w, client, http.MethodPost, u, f)
	}
	return err
}

// putHTTP makes one request.
func putHTTP(w *watch, client *http.Client, method string, u *url.URL, f File) error {
	r, err := http.NewRequestWithContext(w.ctx, method, u.String(), nil)
	if err != nil {
		return ErrAddress
	}
	r.ContentLength = int64(len(f.Data))
	r.Body = &body{Reader: bytes.NewReader(f.Data), moved: w.moved}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	r.Header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	r.Header.Set("User-Agent", "evsed")
	response, err := client.Do(r)
	if err != nil {
		return w.reason("put to", u, err)
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
	case status == http.StatusNotFound, status == http.StatusGone:
		kind = ErrNotFound
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
