package peertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/certificates"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/extendedtriggermessage"
	firmware16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/firmware"
	localauth16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/localauth"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/logging"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/remotetrigger"
	reservation16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/securefirmware"
	security16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/security"
	smartcharging16 "github.com/lorenzodonini/ocpp-go/ocpp1.6/smartcharging"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/authorization"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/data"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/diagnostics"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/display"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/firmware"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/iso15118"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/localauth"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/meter"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/security"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/smartcharging"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/tariffcost"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocppj"
	"github.com/lorenzodonini/ocpp-go/ws"
)

// ocppGo is the ocpp-go library with its socket, framing, parsing and validation.
type ocppGo struct {
	version string
	journal *Journal
	decide  Decide
	socket  *ws.Server
	server  *ocppj.Server
	http    *http.Server
	url     string
	mu      sync.Mutex // guards the maps
	called  waiting    // through the library
	raw     waiting    // past it
}

// profiles are the library's messages, by version.
var profiles = map[string][]*ocpp.Profile{
	"1.6": {core.Profile, localauth16.Profile, firmware16.Profile, reservation16.Profile, remotetrigger.Profile, smartcharging16.Profile,
		certificates.Profile, extendedtriggermessage.Profile, logging.Profile, securefirmware.Profile, security16.Profile},
	"2.0.1": {authorization.Profile, availability.Profile, data.Profile, diagnostics.Profile, display.Profile, firmware.Profile,
		iso15118.Profile, localauth.Profile, meter.Profile, provisioning.Profile, remotecontrol.Profile, reservation.Profile,
		security.Profile, smartcharging.Profile, tariffcost.Profile, transactions.Profile},
}

// dialects are the library's ways to spell error codes, by version.
var dialects = map[string]ocpp.Dialect{"1.6": ocpp.V16, "2.0.1": ocpp.V2}

// NewOCPPGo starts the peer for version 1.6 or 2.0.1 on a free port of loopback.
func NewOCPPGo(version string, decide Decide) (Peer, error) {
	p := &ocppGo{version: version, journal: NewJournal(), decide: decide, socket: ws.NewServer(), called: waiting{}, raw: waiting{}}
	p.socket.AddSupportedSubprotocol("ocpp" + version)
	p.server = ocppj.NewServer(&wire{p.socket, p}, nil, nil, profiles[version]...)
	p.server.SetDialect(dialects[version])
	p.server.SetNewClientHandler(func(c ws.Channel) { p.journal.Put(Entry{Kind: Open, Station: c.ID(), Version: version}) })
	p.server.SetDisconnectedClientHandler(func(c ws.Channel) { p.journal.Put(Entry{Kind: Closed, Station: c.ID()}) })
	p.server.SetRequestHandler(p.request)
	p.server.SetResponseHandler(func(_ ws.Channel, r ocpp.Response, id string) { p.responded(r, id) })
	p.server.SetErrorHandler(func(_ ws.Channel, e *ocpp.Error, _ any) {
		p.settle(p.called, e.MessageId, result{answer: Answer{Code: string(e.Code), Description: e.Description}})
	})
	p.server.SetCanceledRequestHandler(func(_, id string, _ ocpp.Request, e *ocpp.Error) {
		p.journal.Put(Entry{Kind: Finding, Text: fmt.Sprintf("call %s was given up: %v", id, e)})
	})
	return p, p.listen()
}

// listen serves the library's own handler on loopback alone. The library itself can only listen on every interface: it is
// started with a port that there is not, which makes it register its handler and open nothing.
func (p *ocppGo) listen() error {
	p.server.Start(-1, "/{ws}")
	if p.socket.Addr() != nil {
		return errors.New("ocpp-go listens by itself")
	}
	field := reflect.ValueOf(p.socket).Elem().FieldByName("httpHandler")
	if !field.IsValid() {
		return errors.New("this version of ocpp-go keeps its handler elsewhere")
	}
	handler, ok := reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem().Interface().(http.Handler)
	if !ok {
		return errors.New("this version of ocpp-go has another handler")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.url = "ws://" + l.Addr().String()
	p.http = &http.Server{Handler: handler}
	go func() { _ = p.http.Serve(l) }()
	return nil
}

func (p *ocppGo) Name() string      { return "ocpp-go" }
func (p *ocppGo) Version() string   { return p.version }
func (p *ocppGo) URL() string       { return p.url }
func (p *ocppGo) Journal() *Journal { return p.journal }
func (p *ocppGo) Close()            { _ = p.http.Close() }

// wire is the library's socket with every frame journalled.
type wire struct {
	*ws.Server
	p *ocppGo
}

func (w *wire) Write(station string, frame []byte) error {
	w.p.journal.Put(Entry{Kind: Out, Station: station, Frame: string(frame)})
	return w.Server.Write(station, frame)
}

func (w *wire) SetMessageHandler(handle func(ws.Channel, []byte) error) {
	w.Server.SetMessageHandler(func(c ws.Channel, frame []byte) error {
		w.p.journal.Put(Entry{Kind: In, Station: c.ID(), Frame: string(frame)})
		if f := parseFrame(string(frame)); f.typ == 3 || f.typ == 4 {
			if w.p.settle(w.p.raw, f.id, result{answer: Answer{f.payload, f.code, f.text}}) {
				return nil // the library has never heard of that call
			}
		}
		err := handle(c, frame)
		if err != nil {
			w.p.journal.Put(Entry{Kind: Finding, Station: c.ID(), Text: fmt.Sprintf("%v in %s", err, frame)})
			w.p.settle(w.p.called, parseFrame(string(frame)).id, result{err: err}) // the library tells nobody
		}
		return err
	})
}

// request answers a CALL of the station, through the library's types.
func (p *ocppGo) request(c ws.Channel, request ocpp.Request, id, action string) {
	profile, ok := p.server.GetProfileForFeature(action)
	if !ok {
		_ = p.server.SendError(c.ID(), id, ocppj.NotSupported, action, nil)
		return
	}
	payload, err := json.Marshal(request)
	if err == nil {
		response := reflect.New(profile.Features[action].GetResponseType()).Interface()
		if err = json.Unmarshal([]byte(p.decide(action, string(payload))), response); err == nil {
			err = p.server.SendResponse(c.ID(), id, response.(ocpp.Response))
		}
	}
	if err != nil {
		p.journal.Put(Entry{Kind: Finding, Station: c.ID(), Text: "our own answer to " + action + ": " + err.Error()})
	}
}

func (p *ocppGo) responded(r ocpp.Response, id string) {
	payload, err := json.Marshal(r)
	if err != nil {
		p.journal.Put(Entry{Kind: Finding, Text: err.Error()})
	}
	p.settle(p.called, id, result{answer: Answer{Payload: string(payload)}})
}

func (p *ocppGo) wait(w waiting, id string) chan result {
	p.mu.Lock()
	defer p.mu.Unlock()
	w[id] = make(chan result, 1)
	return w[id]
}

// settle hands a result to who waits for it, if anybody does.
func (p *ocppGo) settle(w waiting, id string, r result) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := w[id]
	if ok {
		c <- r
		delete(w, id)
	}
	return ok
}

// The library takes message ids from a generator of the whole package.
var generator sync.Mutex

func (p *ocppGo) Send(station, action, payload string) (Answer, error) {
	profile, ok := p.server.GetProfileForFeature(action)
	if !ok {
		return Answer{}, fmt.Errorf("ocpp-go has no %s", action)
	}
	request := reflect.New(profile.Features[action].GetRequestType()).Interface()
	if err := json.Unmarshal([]byte(payload), request); err != nil {
		return Answer{}, err
	}
	id := newID("go")
	answer := p.wait(p.called, id)
	generator.Lock()
	ocppj.SetMessageIdGenerator(func() string { return id })
	err := p.server.SendRequest(station, request.(ocpp.Request))
	generator.Unlock()
	if err != nil {
		return Answer{}, err
	}
	return receive(answer)
}

func (p *ocppGo) SendRaw(station, id, frame string) (Answer, error) {
	answer := p.wait(p.raw, id)
	if err := (&wire{p.socket, p}).Write(station, []byte(frame)); err != nil {
		return Answer{}, err
	}
	return receive(answer)
}

func receive(c chan result) (Answer, error) {
	select {
	case r := <-c:
		return r.answer, r.err
	case <-time.After(answerTimeout):
		return Answer{}, errNoAnswer
	}
}
