package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
)

// OCPP over SOAP has no connection: the station asks by HTTP, and is asked by HTTP on an address of its own that it
// tells in wsa:From. For the engine it is a connection all the same, so that everything that holds of one holds of the
// other: it is open when the CSMS took a TCP connection and our address hears, it carries the frames of OCPP-J 1.6, which
// are transcoded on the way (docs/design/0013-soap-is-transcoded.md), and it breaks when a call got no answer. So "online"
// means that the last call was answered. What answers but not in SOAP - a proxy, a portal - has not answered.

// soapDialect is a dialect that is spoken over SOAP: its payloads are those of that version's WSDL.
type soapDialect interface {
	ocpp.Dialect
	SOAP() soap.Version
}

// soapSubprotocol is how a network profile names a version over SOAP.
func soapSubprotocol(v soap.Version) string { return "soap" + v.String() }

// soapOffer returns what a profile that lists versions means: over SOAP nothing is agreed upon, so that the first one that
// is spoken over SOAP counts, and 1.6 where it lists none at all.
func soapOffer(names []string, dialects []ocpp.Dialect) (offer, bool) {
	if len(names) == 0 {
		names = []string{soapSubprotocol(soap.V16)}
	}
	for _, name := range names {
		for _, d := range dialects {
			if s, ok := d.(soapDialect); ok && soapSubprotocol(s.SOAP()) == name {
				return offer{name, d}, true
			}
		}
	}
	return offer{}, false
}

// soapEndpoint is what a SOAP profile adds to its endpoint.
type soapEndpoint struct {
	version  soap.Version
	identity string
	listen   string   // "": the CSMS cannot call
	callback *url.URL // nil: to be made of our side of the connection
}

// newSOAPEndpoint checks a profile whose address is one of HTTP. Unlike that of a WebSocket the address is taken as it is:
// who we are stands in every message.
func newSOAPEndpoint(p Profile, u *url.URL, identity string, header http.Header, dialects []ocpp.Dialect) (endpoint, error) {
	o, ok := soapOffer(p.Versions, dialects)
	if !ok {
		return endpoint{}, &ProfileError{p.Slot, "InvalidProfile", fmt.Sprintf("none of the versions %q is spoken over SOAP", p.Versions)}
	}
	s := &soapEndpoint{version: o.dialect.(soapDialect).SOAP(), identity: identity, listen: p.Listen}
	if p.Callback != "" {
		c, err := url.Parse(p.Callback)
		if err != nil || c.Host == "" || c.Scheme != "http" && c.Scheme != "https" {
			return endpoint{}, &ProfileError{p.Slot, "InvalidProfile", fmt.Sprintf("callback address %q", redactURL(p.Callback))}
		}
		if p.SecurityProfile >= profileTLS && c.Scheme != "https" {
			return endpoint{}, &ProfileError{p.Slot, "InvalidProfile", "callback address: with TLS the station is called by https"}
		}
		s.callback = c
	}
	c := *u
	c.User, c.Fragment, c.RawFragment = nil, "", ""
	return endpoint{url: c.String(), header: header, offer: []offer{o}, soap: s}, nil
}

// soapEarly is the part of the time for an answer by which the peer gives up before the engine does: no answer is the end of
// the connection, which the engine is to hear of first.
const soapEarly = 20

// soapPeer carries frames between the engine and HTTP. One goroutine waits for frames to send, one for each call under
// way, and those of the HTTP server for the calls of the CSMS.
type soapPeer struct {
	*conn
	soapEndpoint
	url     string
	header  http.Header
	from    string
	user    *url.Userinfo // whom the CSMS must call as; nil: anybody
	timeout time.Duration
	ctx     context.Context // of everything under way
	cancel  context.CancelFunc
	tls     *security // nil: in the clear
	client  *http.Client
	server  *http.Server // nil: the CSMS cannot call

	turn sync.Mutex    // held by who hands a message to the owner
	long chan struct{} // of the server's long requests

	mu      sync.Mutex // guards what follows
	abandon context.CancelFunc
	waiting map[string]chan rpc.Frame // calls of the CSMS by their id
	serial  uint64
}

// dialSOAP begins to listen and sees whether the CSMS takes connections. timeout is how long an answer is waited for.
func dialSOAP(ctx context.Context, e endpoint, dial DialFunc, l *life, limit int, timeout time.Duration) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	local, err := soapProbe(ctx, e, dial)
	if err != nil {
		return nil, err
	}
	timeout -= timeout / soapEarly
	p := &soapPeer{
		conn:         newConn(l, limit),
		soapEndpoint: *e.soap, url: e.url, header: e.header, tls: e.tls, from: soap.Anonymous, timeout: timeout,
		waiting: map[string]chan rpc.Frame{}, long: make(chan struct{}, 1),
	}
	var listener net.Listener
	if e.soap.listen != "" {
		if listener, err = net.Listen("tcp", e.soap.listen); err != nil {
			return nil, fmt.Errorf("listen for the CSMS: %w", err)
		}
		p.address(local, listener.Addr())
		if e.tls != nil {
			listener = tls.NewListener(listener, e.tls.server(p.turnAway))
		}
	}
	p.start(dial, listener)
	return p.conn, nil
}

// soapProbe opens a connection to the CSMS and returns our side of it. With TLS it sees whether the CSMS is to be trusted.
func soapProbe(ctx context.Context, e endpoint, dial DialFunc) (net.Addr, error) {
	u, err := url.Parse(e.url)
	if err != nil {
		return nil, fmt.Errorf("parse url: %w", err)
	}
	port := u.Port()
	switch {
	case port != "":
	case e.tls != nil:
		port = "443"
	default:
		port = "80"
	}
	if e.tls != nil {
		dial = e.tls.dialTLS(dial)
	}
	c, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.LocalAddr(), nil
}

// turnAway tells the owner of a caller who is not let in, unless it has yet to hear of one.
func (p *soapPeer) turnAway(d *Distrust) {
	select {
	case p.strangers <- d:
	default:
	}
}

// address sets where the CSMS can call: as configured, or the address from which we call it. What credentials the
// configured address has are what the CSMS must show, and are not told.
func (p *soapPeer) address(local, listening net.Addr) {
	if p.callback != nil {
		c := *p.callback
		c.User, p.user = nil, p.callback.User
		p.from = c.String()
		return
	}
	host, _, _ := net.SplitHostPort(local.String())
	_, port, _ := net.SplitHostPort(listening.String())
	scheme := "http"
	if p.tls != nil {
		scheme = "https"
	}
	p.from = scheme + "://" + net.JoinHostPort(host, port) + "/"
}

func (p *soapPeer) start(dial DialFunc, listener net.Listener) {
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.client = newSOAPClient(p.tls, dial)
	p.wire = p
	p.wg.Go(p.writeAll)
	if listener != nil {
		p.server = newSOAPServer(p)
		p.wg.Go(func() {
			if err := p.server.Serve(&boundedListener{Listener: listener, free: make(chan struct{}, MaxSOAPConnections)}); !errors.Is(err, http.ErrServerClosed) {
				p.fail(fmt.Errorf("listen for the CSMS: %w", err))
			}
		})
	}
}

// Close ends the connection: there is nobody to tell.
func (p *soapPeer) Close(websocket.StatusCode, string) error { return p.CloseNow() }

// CloseNow gives up the call under way and the requests of the CSMS that have no response yet.
func (p *soapPeer) CloseNow() error {
	p.cancel()
	p.client.CloseIdleConnections()
	if p.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), soapFarewell)
		defer cancel()
		if p.server.Shutdown(ctx) != nil {
			p.server.Close()
		}
	}
	return nil
}

// writeAll takes the frames of the engine: calls become HTTP requests, answers HTTP responses.
func (p *soapPeer) writeAll() {
	defer close(p.wrote)
	for {
		select {
		case raw := <-p.out:
			f, err := rpc.Parse(raw, rpc.V16, rpc.Limits{Frame: soap.MaxEnvelope})
			switch {
			case err != nil:
				p.fail(fmt.Errorf("own frame: %w", err)) // a response beyond any size
				return
			case f.Type == rpc.Call:
				p.call(f)
			default:
				p.respond(f)
			}
		case <-p.quit:
			return
		}
	}
}

// deliver hands a frame to the owner, whole or in parts as one that comes from a socket.
func (p *soapPeer) deliver(frame []byte) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.life.heard()
	if len(frame) <= p.limit {
		_, _ = p.hand(message{data: frame}) // an error means that the connection has been shut
		return
	}
	first := p.limit + 1
	more, err := p.hand(message{data: frame[:first], part: beginning})
	for rest := frame[first:]; more && err == nil; {
		n := min(len(rest), p.limit)
		part := middle
		if n == len(rest) {
			part = end
		}
		more, err = p.hand(message{data: rest[:n], part: part})
		rest = rest[n:]
		if part == end {
			return
		}
	}
}
