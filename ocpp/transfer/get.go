package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// get makes one attempt.
func (c *Client) get(ctx context.Context, address string, s Sink) error {
	u, err := parse(address)
	if err != nil {
		return err
	}
	w, end := begin(ctx, MaxFetch)
	defer end()
	in := intake{w: w, sink: s, max: c.MaxSize}
	if in.max <= 0 {
		in.max = MaxSize
	}
	switch u.Scheme {
	case "ftp", "ftps":
		return c.getFTP(w, u, &in)
	case "sftp":
		return c.getSFTP(w, u, &in)
	}
	client, idle := c.http(u)
	defer idle()
	err = getHTTP(w, client, u, &in)
	if errors.Is(err, errAnew) {
		err = getHTTP(w, client, u, &in)
	}
	return err
}

// errAnew is why the sink was emptied: it held what the server's file does not begin with, or the server cannot go on there.
var errAnew = errors.New("the download begins anew")

// getHTTP makes one request, for what is missing.
func getHTTP(w *watch, client *http.Client, u *url.URL, in *intake) error {
	held, err := in.held()
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(w.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return ErrAddress
	}
	r.Header.Set("User-Agent", "evsed")
	r.Header.Set("Accept-Encoding", "identity")
	if held.size > 0 {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(held.size, 10)+"-")
		r.Header.Set("If-Range", held.tag.validator)
	}
	response, err := client.Do(r)
	if err != nil {
		return w.reason("get from", u, err)
	}
	defer response.Body.Close()
	w.moved()
	if e := response.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return fmt.Errorf("%w: it is packed", ErrAnswer)
	}
	switch {
	case response.StatusCode == http.StatusOK:
		return in.whole(u, response)
	case response.StatusCode == http.StatusPartialContent && held.size > 0:
		return in.rest(u, response, held)
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable && held.size > 0:
		part, ok := parseContentRange(response.Header.Get("Content-Range"))
		if ok && !part.any && part.total == held.size && held.tag.size == held.size {
			return nil // nothing was missing
		}
		return in.anew()
	}
	if err := judge(response.StatusCode); err != nil {
		return err
	}
	return fmt.Errorf("%w: status %d", ErrAnswer, response.StatusCode)
}

// whole takes a file from its beginning.
func (in *intake) whole(u *url.URL, response *http.Response) error {
	if err := in.start(tag{size: response.ContentLength, validator: validator(response.Header)}); err != nil {
		return err
	}
	return in.take(u, response.Body, response.ContentLength)
}

// rest takes the part of a file that was missing. An answer that is not that part is none.
func (in *intake) rest(u *url.URL, response *http.Response, held held) error {
	part, ok := parseContentRange(response.Header.Get("Content-Range"))
	length := part.last - part.first + 1
	switch {
	case !ok, !part.any, part.first != held.size, part.total >= 0 && held.tag.size >= 0 && part.total != held.tag.size,
		response.ContentLength >= 0 && response.ContentLength != length:
		return in.anew()
	}
	// If-Range spares us a part of another file, unless the server does not know it.
	if v := validator(response.Header); v != "" && v != held.tag.validator {
		return in.anew()
	}
	total := part.total
	if total < 0 {
		total = held.tag.size
	}
	if err := in.fits(max(total, part.last+1)); err != nil {
		return err
	}
	if err := in.take(u, io.LimitReader(response.Body, length+1), part.last+1); err != nil {
		return err
	}
	if total > part.last+1 {
		return fmt.Errorf("get from %s: %w", u.Host, ErrCut)
	}
	return nil
}

// validator is what tells a server's file from another of the same name: a strong ETag, or else a date that is older than the
// answer by so much that no second change can hide behind it (RFC 9110, 8.8.2.2). "" if neither was told.
func validator(h http.Header) string {
	etag := h.Get("ETag")
	if len(etag) >= 2 && len(etag) <= MaxTag/2 && etag[0] == '"' && etag[len(etag)-1] == '"' {
		return etag
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil {
		return ""
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil || now.Sub(modified) < time.Second {
		return ""
	}
	return h.Get("Last-Modified")
}
