package link

import (
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

const (
	// MaxSOAPConnections is how many connections of others are open at once. The CSMS needs one or two.
	MaxSOAPConnections = 8

	soapHeaderTimeout = 10 * time.Second
	soapReadTimeout   = 30 * time.Second // of a whole request
	soapFarewell      = time.Second      // for responses that are being written when the connection is shut
)

// newSOAPServer serves the ChargePointService. There is one request on each connection: what follows it is never looked
// at, so that nothing can be smuggled behind it.
func newSOAPServer(p *soapPeer) *http.Server {
	s := &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		ReadHeaderTimeout: soapHeaderTimeout,
		ReadTimeout:       soapReadTimeout,
		WriteTimeout:      soapReadTimeout + ResponseTimeout + 2*WriteTimeout,
		MaxHeaderBytes:    maxHandshakeHeader,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext:       headOf,
	}
	s.SetKeepAlivesEnabled(false)
	return s
}

// serve answers one HTTP request.
func (p *soapPeer) serve(w http.ResponseWriter, r *http.Request) {
	turn := longTurn{turns: p.long}
	defer turn.free()
	raw, status, why := p.admit(w, r, &turn)
	if status != 0 {
		http.Error(w, why, status)
		return
	}
	m, err := soap.Parse(raw, soap.ChargePoint)
	var fault *soap.Fault
	switch {
	case errors.As(err, &fault):
	case m.Fault != nil || m.Response:
		fault = &soap.Fault{Code: soap.Sender, Subcode: soap.ProtocolError, Reason: "not a request"}
	default:
		fault = p.meant(r, m)
	}
	if fault != nil {
		p.sendFault(w, m, *fault)
		return
	}
	p.ask16(w, r, m)
}

// admit looks at what HTTP says. A status of 0 is a request to be read.
func (p *soapPeer) admit(w http.ResponseWriter, r *http.Request, turn *longTurn) (raw []byte, status int, why string) {
	if err := checkHead(r); err != nil {
		return nil, http.StatusBadRequest, err.Error()
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed, "want POST"
	}
	if !p.knows(r) {
		p.turnAway(&Distrust{station.CsmsFailedToAuthenticate, CausePassword, "a caller shows no credentials, or wrong ones"})
		w.Header().Set("WWW-Authenticate", `Basic realm="ChargePointService"`)
		return nil, http.StatusUnauthorized, "want credentials"
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || media != soapMedia || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, http.StatusUnsupportedMediaType, "want " + soapType
	}
	raw, err = soapBody(w, r, turn)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong) || len(raw) > soap.MaxEnvelope:
		return nil, http.StatusRequestEntityTooLarge, "envelope too long"
	case errors.Is(err, errCrowded):
		return nil, http.StatusServiceUnavailable, err.Error()
	case errors.Is(err, errCoding):
		return nil, http.StatusUnsupportedMediaType, err.Error()
	case err != nil:
		return nil, http.StatusBadRequest, "body cannot be read"
	}
	return raw, 0, ""
}

// knows tells whether the caller has shown the credentials of the configured address, if it has any.
func (p *soapPeer) knows(r *http.Request) bool {
	if p.user == nil {
		return true
	}
	name, password, ok := r.BasicAuth()
	want, _ := p.user.Password()
	same := subtle.ConstantTimeCompare([]byte(name), []byte(p.user.Username())) & subtle.ConstantTimeCompare([]byte(password), []byte(want))
	return ok && same == 1
}

var errCoding = errors.New("want gzip or deflate")

// soapBody reads the body, within the bound before and behind its compression (OCPP-S 1.6, 6.1).
func soapBody(w http.ResponseWriter, r *http.Request, turn *longTurn) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, soap.MaxEnvelope)
	var err error
	switch coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	default:
		err = errCoding
	}
	if err != nil {
		return nil, err
	}
	return readEnvelope(body, turn.take)
}

// meant tells what is wrong with a well-formed request: that it is not for us (OCPP-S 1.6, 3.3), or not what HTTP says.
func (p *soapPeer) meant(r *http.Request, m soap.Message) *soap.Fault {
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	action := params["action"]
	if action == "" {
		action = strings.Trim(r.Header.Get("SOAPAction"), `"`)
	}
	switch {
	case m.Identity == "":
		return &soap.Fault{Code: soap.Sender, Subcode: soap.IdentityMismatch, Reason: "no chargeBoxIdentity"}
	case m.Identity != p.identity:
		return &soap.Fault{Code: soap.Sender, Subcode: soap.IdentityMismatch, Reason: "another charge point is meant"}
	case m.Version != p.version:
		return &soap.Fault{Code: soap.Receiver, Subcode: soap.NotSupported, Reason: "this charge point speaks OCPP " + p.version.String()}
	case action != "" && strings.TrimPrefix(action, "/") != m.Operation:
		return &soap.Fault{Code: soap.Sender, Subcode: soap.ProtocolError, Reason: "SOAP action of another message"}
	}
	return nil
}

// ask16 gives a request to the core as a CALL and answers with what comes back.
func (p *soapPeer) ask16(w http.ResponseWriter, r *http.Request, m soap.Message) {
	id, answer := p.expect()
	defer p.forget(id)
	p.deliver(rpc.AppendCall(nil, id, m.Operation, m.Payload))
	late := time.NewTimer(ResponseTimeout + WriteTimeout) // the engine answers in time, or has been told to keep silent
	defer late.Stop()
	select {
	case f := <-answer:
		p.sendAnswer(w, m, f)
	case <-late.C:
		p.sendFault(w, m, soap.Fault{Code: soap.Receiver, Subcode: soap.InternalError, Reason: "no response in time"})
	case <-p.quit:
		p.sendFault(w, m, soap.Fault{Code: soap.Receiver, Subcode: soap.InternalError, Reason: "connection to the CSMS is being closed"})
	case <-r.Context().Done():
	}
}

// expect makes an id for a call of the CSMS.
func (p *soapPeer) expect() (string, chan rpc.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	id, answer := strconv.FormatUint(p.serial, 10), make(chan rpc.Frame, 1)
	p.waiting[id] = answer
	return id, answer
}

func (p *soapPeer) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
}

// respond gives an answer of the engine to the HTTP request that waits for it, unless the CSMS has gone.
func (p *soapPeer) respond(f rpc.Frame) {
	p.mu.Lock()
	answer := p.waiting[f.ID]
	delete(p.waiting, f.ID)
	p.mu.Unlock()
	if answer != nil {
		answer <- f
	}
}

func (p *soapPeer) sendAnswer(w http.ResponseWriter, m soap.Message, f rpc.Frame) {
	if f.Type != rpc.CallResult {
		p.sendFault(w, m, soap.FaultOf(f.ErrorCode, f.ErrorDescription))
		return
	}
	body, err := soap.AppendResponse(nil, m.Version, soap.ChargePoint, m.Operation, p.reply(m), f.Payload)
	if err != nil {
		p.sendFault(w, m, soap.FaultOf(rpc.InternalError, describe(err.Error())))
		return
	}
	send(w, http.StatusOK, body)
}

func (p *soapPeer) sendFault(w http.ResponseWriter, m soap.Message, f soap.Fault) {
	v := m.Version
	if v == 0 {
		v = p.version
	}
	f.Reason = describe(f.Reason)
	send(w, f.Status(), soap.AppendFault(nil, v, soap.ChargePoint, p.reply(m), f))
}

func (p *soapPeer) reply(m soap.Message) soap.Header {
	return soap.Header{Identity: p.identity, RelatesTo: m.MessageID, To: soap.Anonymous}
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", soapType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a CSMS that has gone asks again
}

type headKey struct{}

// checkHead refuses a request whose length two readers could read differently (RFC 9112, 6.3 and 11.2). net/http takes the
// chunks where there is a length as well, and lines that end without a carriage return.
func checkHead(r *http.Request) error {
	c, ok := r.Context().Value(headKey{}).(*headConn)
	if !ok {
		return errors.New("no head")
	}
	return checkLines(c.text())
}

func checkLines(head string) error {
	head, _, ok := strings.Cut(head, "\r\n\r\n")
	if !ok {
		return errors.New("head without end")
	}
	lengths := 0
	for i, line := range strings.Split(head, "\r\n") {
		if strings.ContainsAny(line, "\r\n") {
			return fmt.Errorf("line %d of the head does not end as a line", i+1)
		}
		name, _, _ := strings.Cut(line, ":")
		name = strings.ToLower(strings.Trim(name, " \t"))
		if i > 0 && (name == "content-length" || name == "transfer-encoding") {
			lengths++
		}
	}
	if lengths > 1 {
		return errors.New("more than one length")
	}
	return nil
}

// headOf puts the connection into the context of its request.
func headOf(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, headKey{}, c)
}
