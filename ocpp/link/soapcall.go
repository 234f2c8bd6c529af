package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
)

const (
	// soapIdle is how long a connection to the CSMS is kept for the next call: shorter than what servers and mobile
	// networks keep one, so that no call is lost on one that only looks open.
	soapIdle = 15 * time.Second

	soapMedia = "application/soap+xml"
	soapType  = soapMedia + "; charset=utf-8"
)

func newSOAPClient(s *security, dial DialFunc) *http.Client {
	// The body of a response that says it is compressed is unpacked while it is read, within the same bound.
	transport := s.transport(dial)
	transport.IdleConnTimeout, transport.MaxIdleConnsPerHost = soapIdle, 1
	return &http.Client{
		Transport: transport,
		// A redirect would send the station, and its password, to an address that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call sends a CALL. The engine sends the next one when it has given the last one up.
func (p *soapPeer) call(f rpc.Frame) {
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
	p.mu.Lock()
	if p.abandon != nil {
		p.abandon()
	}
	p.abandon = cancel
	p.mu.Unlock()
	p.wg.Go(func() {
		defer cancel()
		answer, err := p.ask(ctx, f)
		switch {
		case err == nil:
			p.deliver(answer)
		case errors.Is(ctx.Err(), context.Canceled): // given up, or shut
		default:
			p.fail(fmt.Errorf("%s: %w", f.Action, err))
		}
	})
}

// unprocessedError says that a call came to the CSMS, which did not process it: its status of HTTP tells an error (OCPP-S 1.6
// errata 3.2), or it let the time for an answer pass.
type unprocessedError struct{ error }

// ask sends a CALL and returns its answer as a frame. An error means that there is none.
func (p *soapPeer) ask(ctx context.Context, f rpc.Frame) ([]byte, error) {
	h := soap.Header{Identity: p.identity, MessageID: "urn:evsed:" + f.ID, From: p.from, To: p.url}
	body, err := soap.AppendRequest(nil, p.version, soap.CentralSystem, f.Action, h, f.Payload)
	if err != nil { // a fault of ours: nothing has been sent
		return rpc.AppendCallError(nil, f.ID, rpc.InternalError, describe(err.Error())), nil
	}
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(w httptrace.WroteRequestInfo) { written.Store(w.Err == nil) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range p.header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", soapType+`; action="/`+f.Action+`"`)
	response, err := p.client.Do(r)
	switch {
	case err != nil && written.Load() && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &unprocessedError{err}
	case err != nil:
		return nil, err
	}
	defer response.Body.Close()
	return p.answer(f, response)
}

// answer reads an HTTP response. Only an envelope of SOAP answers: a fault refuses the call, and a status without one says
// nothing about it (OCPP-S 1.6 errata 3.2).
func (p *soapPeer) answer(f rpc.Frame, response *http.Response) ([]byte, error) {
	raw, err := readEnvelope(response.Body, func() error { return nil }) // one call is under way
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	m, err := soap.Parse(raw, soap.CentralSystem)
	switch {
	case response.StatusCode == http.StatusUnauthorized: // with a fault or without: of the call nothing was looked at
		return nil, &RefusedError{response.StatusCode, true}
	case err == nil && m.Fault != nil:
		return rpc.AppendCallError(nil, f.ID, m.Fault.ErrorCode(), describe(m.Fault.Error())), nil
	case response.StatusCode == http.StatusForbidden:
		return nil, &RefusedError{response.StatusCode, true}
	case err != nil && m.Version == 0, response.StatusCode != http.StatusOK:
		err = fmt.Errorf("response %s of type %q is no SOAP answer", response.Status, describe(media))
		if response.StatusCode >= http.StatusBadRequest {
			err = &unprocessedError{err}
		}
		return nil, err
	case err != nil:
		return unreadable(f.ID, err.Error()), nil
	case m.Version != p.version || m.Operation != f.Action || !m.Response:
		return unreadable(f.ID, "answered with another message: "+m.Version.String()+" "+m.Operation), nil
	}
	return rpc.AppendCallResult(nil, f.ID, m.Payload), nil
}

// unreadable returns a CALLRESULT that no message allows: the CSMS has handled the call, and what it says cannot be read.
func unreadable(id, why string) []byte {
	payload := append(rpc.AppendString([]byte(`{"unreadable":`), describe(why)), '}')
	return rpc.AppendCallResult(nil, id, payload)
}
