package link

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// overSOAP tells a few reports as 1.6 does.
type overSOAP struct{ plain }

func (overSOAP) SOAP() soap.Version { return soap.V16 }

func (overSOAP) Encode(r station.Report, _ *ocpp.Table) ([]ocpp.Call, error) {
	switch r.Body.(type) {
	case station.BootNotification:
		return []ocpp.Call{{Report: r.ID, Action: "BootNotification", Payload: []byte(`{"chargePointVendor":"V","chargePointModel":"M"}`)}}, nil
	case station.Heartbeat:
		return []ocpp.Call{{Report: r.ID, Action: "Heartbeat", Payload: []byte(`{}`)}}, nil
	}
	return []ocpp.Call{{Report: r.ID, Action: "SecurityEventNotification", Payload: []byte(`{}`)}}, nil
}

func (overSOAP) Result(c ocpp.Call, payload string, _ *ocpp.Table) (station.Reply, error) {
	switch {
	case strings.Contains(payload, "unreadable"):
		return nil, &rpc.DecodeError{Code: rpc.FormatViolation, Reason: payload}
	case c.Action == "BootNotification":
		return station.BootReply{Status: station.RegistrationAccepted}, nil
	}
	return station.HeartbeatReply{}, nil
}

// soapWorld is a link and a CSMS over SOAP on loopback.
type soapWorld struct {
	t      *testing.T
	l      *Link
	events chan station.Event
	server *http.Server
	url    string

	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request, m soap.Message) // nil: accept everything
	got    []soap.Message
	types  []string
	auth   string
}

func newSOAPWorld(t *testing.T, change func(*Options)) *soapWorld {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &soapWorld{t: t, events: make(chan station.Event, 64), url: "http://" + listener.Addr().String() + "/ocpp?x=1"}
	w.server = &http.Server{Handler: http.HandlerFunc(w.serve)}
	go w.server.Serve(listener)
	o := Options{
		Config: Config{Identity: "CP 1", BackOffMinimum: time.Second, Profiles: []Profile{{Slot: 1, NetworkProfile: station.NetworkProfile{
			URL: w.url, Versions: []string{"soap1.6"}, Listen: "127.0.0.1:0",
		}}}},
		Dialects: []ocpp.Dialect{plain{rpc.V21}, overSOAP{plain{rpc.V16}}}, Events: w.events, IDPrefix: "t-",
	}
	if change != nil {
		change(&o)
	}
	if w.l, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); w.l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-gone
		w.server.Close()
	})
	return w
}

func (w *soapWorld) serve(rw http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m, err := soap.Parse(raw, soap.CentralSystem)
	if err != nil {
		w.t.Errorf("the link sends %v\n%s", err, raw)
		return
	}
	w.mu.Lock()
	w.got, w.types = append(w.got, m), append(w.types, r.Header.Get("Content-Type"))
	w.auth = r.Header.Get("Authorization")
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		answer(rw, r, m)
		return
	}
	accepted(rw, r, m)
}

// accepted answers as a friendly CSMS does.
func accepted(rw http.ResponseWriter, _ *http.Request, m soap.Message) {
	payload := `{"currentTime":"2026-01-01T00:00:00Z"}`
	if m.Operation == "BootNotification" {
		payload = `{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":300}`
	}
	raw, err := soap.AppendResponse(nil, m.Version, soap.CentralSystem, m.Operation, soap.Header{RelatesTo: m.MessageID}, payload)
	if err != nil {
		panic(err)
	}
	rw.Header().Set("Content-Type", soapType)
	rw.Write(raw)
}

func (w *soapWorld) answers(f func(http.ResponseWriter, *http.Request, soap.Message)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

func (w *soapWorld) last() soap.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got[len(w.got)-1]
}

func (w *soapWorld) want(line string) station.Event {
	w.t.Helper()
	select {
	case ev := <-w.events:
		if got := showEvent(ev); !slices.ContainsFunc(strings.Split(line, "|"), func(want string) bool { return strings.HasPrefix(got, want) }) {
			w.t.Fatalf("event %s (%+v), want %s", got, ev, line)
		}
		return ev
	case <-time.After(20 * time.Second):
		w.t.Fatalf("no event; want %s; %+v", line, w.l.Stats())
		return nil
	}
}

// boots brings the station up and returns the address that it told.
func (w *soapWorld) boots() string {
	w.t.Helper()
	w.want("up")
	w.l.Send(boot(1))
	w.want("reply 1 BootReply")
	w.l.SetGate(station.RegistrationAccepted)
	return w.last().From
}

func TestSOAPBoots(t *testing.T) {
	w := newSOAPWorld(t, func(o *Options) {
		o.Config.Profiles[0].SecurityProfile, o.Config.Profiles[0].Password = 1, "secret"
	})
	from := w.boots()
	m := w.last()
	if m.Identity != "CP 1" || m.To != w.url || !strings.HasPrefix(from, "http://127.0.0.1:") || m.ReplyTo != soap.Anonymous || m.MessageID != "urn:evsed:t-1" {
		t.Errorf("header %+v", m.Header)
	}
	if w.types[0] != `application/soap+xml; charset=utf-8; action="/BootNotification"` {
		t.Errorf("type %q", w.types[0])
	}
	if w.auth != "Basic Q1AgMTpzZWNyZXQ=" {
		t.Errorf("authorization %q", w.auth)
	}
	if s := w.l.Status(); !s.Connected || s.Subprotocol != "soap1.6" || s.URL != w.url {
		t.Errorf("status %+v", s)
	}
}

// TestSOAPAnswers: what the CSMS may answer, and what becomes of the call and of the connection.
func TestSOAPAnswers(t *testing.T) {
	reply := func(status int, media, body string) func(http.ResponseWriter, *http.Request, soap.Message) {
		return func(rw http.ResponseWriter, _ *http.Request, m soap.Message) {
			rw.Header().Set("Content-Type", media)
			rw.WriteHeader(status)
			io.WriteString(rw, body)
		}
	}
	envelope := func(status int, make func(m soap.Message) []byte) func(http.ResponseWriter, *http.Request, soap.Message) {
		return func(rw http.ResponseWriter, _ *http.Request, m soap.Message) {
			rw.Header().Set("Content-Type", soapType)
			rw.WriteHeader(status)
			rw.Write(make(m))
		}
	}
	fault := func(sub string) func(m soap.Message) []byte {
		return func(m soap.Message) []byte {
			return soap.AppendFault(nil, m.Version, soap.CentralSystem, soap.Header{}, soap.Fault{Code: soap.Sender, Subcode: sub, Reason: "no"})
		}
	}
	response := func(v soap.Version, op, payload string) func(m soap.Message) []byte {
		return func(soap.Message) []byte {
			raw, err := soap.AppendResponse(nil, v, soap.CentralSystem, op, soap.Header{}, payload)
			if err != nil {
				panic(err)
			}
			return raw
		}
	}
	const ok = `{"currentTime":"2026-01-01T00:00:00Z"}`
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request, soap.Message)
		want   []string
	}{
		"response":             {accepted, []string{"reply 2 HeartbeatReply"}},
		"response as text/xml": {envelope(200, response(soap.V16, "Heartbeat", ok)), []string{"reply 2 HeartbeatReply"}},
		"fault":                {envelope(500, fault(soap.InternalError)), []string{"reply 2 Refused InternalError"}},
		"fault with 400":       {envelope(400, fault(soap.ProtocolError)), []string{"reply 2 Refused ProtocolError"}},
		"fault with 200":       {envelope(200, fault("Odd")), []string{"reply 2 Refused GenericError"}},
		"security":             {envelope(500, fault(soap.SecurityError)), []string{"unregistered", "reply 2 Refused SecurityError"}},
		"other message":        {envelope(200, response(soap.V16, "DataTransfer", `{"status":"Accepted"}`)), []string{"bad message", "reply 2 Refused FormatViolation"}},
		"other version":        {envelope(200, response(soap.V15, "Heartbeat", ok)), []string{"bad message", "reply 2 Refused FormatViolation"}},
		"wrong in the body": {envelope(200, func(m soap.Message) []byte {
			return bytes.ReplaceAll(response(soap.V16, "Heartbeat", ok)(m), []byte("currentTime"), []byte("time"))
		}), []string{"bad message", "reply 2 Refused FormatViolation"}},
		"nothing":     {reply(200, soapType, ""), []string{"down", "reply 2 Unanswered", "up"}},
		"a portal":    {reply(200, "text/html", "<html>pay here</html>"), []string{"down", "reply 2 Unanswered", "up"}},
		"bad gateway": {reply(502, "text/html", "<html>502</html>"), []string{"down", "reply 2 Unanswered", "up"}},
		"not found":   {reply(404, "text/plain", "no"), []string{"down", "reply 2 Unanswered", "up"}},
		"redirect": {func(rw http.ResponseWriter, r *http.Request, _ soap.Message) {
			http.Redirect(rw, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, []string{"down", "reply 2 Unanswered", "up"}},
		"cut":                     {func(http.ResponseWriter, *http.Request, soap.Message) { panic(http.ErrAbortHandler) }, []string{"down", "reply 2 Unanswered", "up"}},
		"endless":                 {func(rw http.ResponseWriter, _ *http.Request, _ soap.Message) { io.CopyN(rw, zeros{}, 8<<20) }, []string{"down", "reply 2 Unanswered", "up"}},
		"response with 500":       {envelope(500, response(soap.V16, "Heartbeat", ok)), []string{"down", "reply 2 Unanswered", "up"}},
		"bomb of entities":        {reply(200, soapType, `<!DOCTYPE a [<!ENTITY x "xx">]><a>&x;</a>`), []string{"down", "reply 2 Unanswered", "up"}},
		"slower than the timeout": {func(_ http.ResponseWriter, r *http.Request, _ soap.Message) { <-r.Context().Done() }, []string{"down|reply 2 Unanswered", "reply 2 Unanswered|down", "up"}}, // who gives up first is the machine's choice
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSOAPWorld(t, func(o *Options) { o.Config.Profiles[0].MessageTimeout = time.Second })
			w.boots()
			w.answers(c.answer)
			w.l.Send(station.Report{ID: 2, Body: station.Heartbeat{}})
			for _, line := range c.want {
				w.want(line)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestSOAPUntellable: a call that the WSDL does not know is refused here, and nothing is sent.
func TestSOAPUntellable(t *testing.T) {
	w := newSOAPWorld(t, nil)
	w.boots()
	w.l.Send(station.Report{ID: 2, Body: station.MeterValues{}})
	w.want("reply 2 Refused InternalError")
	if w.last().Operation != "BootNotification" {
		t.Errorf("sent %s", w.last().Operation)
	}
}

// TestSOAPNobodyListens: a CSMS that is not there is tried again, and the core never hears of a connection.
func TestSOAPNobodyListens(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	w := newSOAPWorld(t, func(o *Options) { o.Config.Profiles[0].URL = "http://" + closed.Addr().String() + "/" })
	for end := time.Now().Add(10 * time.Second); w.l.Stats().Dials < 2; {
		select {
		case ev := <-w.events:
			t.Fatalf("event %s", showEvent(ev))
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", w.l.Stats())
		}
	}
}

func TestSOAPProfiles(t *testing.T) {
	dialects := []ocpp.Dialect{overSOAP{plain{rpc.V16}}, plain{rpc.V16}}
	for name, c := range map[string]struct {
		p    station.NetworkProfile
		want string
	}{
		"plain":             {station.NetworkProfile{URL: "http://csms/x?y", Versions: []string{"soap1.6"}}, ""},
		"no version":        {station.NetworkProfile{URL: "http://csms"}, ""},
		"behind others":     {station.NetworkProfile{URL: "http://csms", Versions: []string{"ocpp1.6", "soap1.6"}}, ""},
		"not spoken":        {station.NetworkProfile{URL: "http://csms", Versions: []string{"soap1.2"}}, "InvalidProfile"},
		"of a WebSocket":    {station.NetworkProfile{URL: "http://csms", Versions: []string{"ocpp1.6"}}, "InvalidProfile"},
		"SOAP over ws":      {station.NetworkProfile{URL: "ws://csms", Versions: []string{"soap1.6"}}, "InvalidProfile"},
		"TLS":               {station.NetworkProfile{URL: "https://csms"}, "InvalidProfile"},
		"callback":          {station.NetworkProfile{URL: "http://csms", Callback: "http://u:p@192.0.2.1:81/cp"}, ""},
		"callback not http": {station.NetworkProfile{URL: "http://csms", Callback: "ftp://192.0.2.1"}, "InvalidProfile"},
	} {
		e, err := newEndpoint(Profile{Slot: 1, NetworkProfile: c.p}, "CP1", dialects, 0)
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", name, err)
		case c.want == "" && (err != nil || e.soap == nil || e.offer[0].name != "soap1.6" || e.url != c.p.URL):
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
	if e, err := newEndpoint(profileOf(1, "ws://csms"), "CP1", dialects, 0); err != nil || len(e.offer) != 1 || e.soap != nil {
		t.Errorf("ws: %+v %v", e, err)
	}
}

// request returns an envelope of the CSMS.
func request(t *testing.T, v soap.Version, op, identity, payload string) string {
	t.Helper()
	raw, err := soap.AppendRequest(nil, v, soap.ChargePoint, op, soap.Header{Identity: identity, MessageID: "urn:uuid:7"}, payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// post sends a request as a CSMS does and returns what it says.
func post(t *testing.T, address, body string, change func(*http.Request)) (int, soap.Message, error) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", soapType)
	if change != nil {
		change(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	m, err := soap.Parse(raw, soap.ChargePoint)
	return response.StatusCode, m, err
}

// core answers every request with a status.
func (w *soapWorld) core(status string, n int) chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ev := range w.events {
			if r, ok := ev.(station.RequestReceived); ok {
				w.l.Respond(station.Response{ID: r.ID, Body: station.Status{Status: status}})
				if n--; n == 0 {
					return
				}
			}
		}
	}()
	return done
}

func TestSOAPRequests(t *testing.T) {
	w := newSOAPWorld(t, nil)
	from := w.boots()
	packed := func(pack func(io.Writer) io.WriteCloser, name string) func(*http.Request) {
		return func(r *http.Request) {
			var b bytes.Buffer
			z := pack(&b)
			io.Copy(z, r.Body)
			z.Close()
			r.Body, r.ContentLength = io.NopCloser(&b), int64(b.Len())
			r.Header.Set("Content-Encoding", name)
		}
	}
	good := request(t, soap.V16, "ClearCache", "CP 1", "{}")
	changes := []func(*http.Request){
		nil,
		func(r *http.Request) { r.Header.Set("Content-Type", `application/soap+xml;action="/ClearCache"`) },
		func(r *http.Request) { r.Header.Set("SOAPAction", `"/ClearCache"`) },
		func(r *http.Request) { r.ContentLength = -1 }, // chunked
		packed(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, "gzip"),
		packed(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, "deflate"),
	}
	done := w.core("Accepted", len(changes))
	for i, change := range changes {
		status, m, err := post(t, from, good, change)
		if err != nil || status != 200 || m.Operation != "ClearCache" || !m.Response || string(m.Payload) != `{"status":"Accepted"}` || m.RelatesTo != "urn:uuid:7" || m.Identity != "CP 1" {
			t.Errorf("%d: %d %+v %v", i, status, m, err)
		}
	}
	<-done
}

// TestSOAPRefusals: a clear fault, and the core hears of nothing.
func TestSOAPRefusals(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	w := newSOAPWorld(t, func(o *Options) {
		o.Config.Profiles[0].Listen = free.Addr().String()
		o.Config.Profiles[0].Callback = "http://csms:pass@127.0.0.1:1/cp"
	})
	if from := w.boots(); from != "http://127.0.0.1:1/cp" {
		t.Errorf("told %s", from)
	}
	from := "http://" + free.Addr().String() + "/"
	good := request(t, soap.V16, "ClearCache", "CP 1", "{}")
	auth := func(r *http.Request) { r.SetBasicAuth("csms", "pass") }
	with := func(f func(*http.Request)) func(*http.Request) { return func(r *http.Request) { auth(r); f(r) } }
	header := func(name, value string) func(*http.Request) {
		return with(func(r *http.Request) { r.Header.Set(name, value) })
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	io.CopyN(z, zeros{}, 64<<20)
	z.Close()
	for name, c := range map[string]struct {
		body   string
		change func(*http.Request)
		status int
		want   string // of the fault; "" for none
	}{
		"no credentials":    {good, nil, 401, ""},
		"wrong credentials": {good, func(r *http.Request) { r.SetBasicAuth("csms", "guess") }, 401, ""},
		"GET":               {good, with(func(r *http.Request) { r.Method = "GET" }), 405, ""},
		"PUT":               {good, with(func(r *http.Request) { r.Method = "PUT" }), 405, ""},
		"text/xml":          {good, header("Content-Type", "text/xml"), 415, ""},
		"no type":           {good, header("Content-Type", ""), 415, ""},
		"type twice":        {good, header("Content-Type", "application/soap+xml, text/plain"), 415, ""},
		"UTF-16":            {good, header("Content-Type", "application/soap+xml; charset=utf-16"), 415, ""},
		"brotli":            {good, header("Content-Encoding", "br"), 415, ""},
		"not gzip":          {good, header("Content-Encoding", "gzip"), 400, ""},
		"gzip bomb":         {bomb.String(), header("Content-Encoding", "gzip"), 413, ""},
		"too long":          {good + strings.Repeat(" ", soap.MaxEnvelope), auth, 413, ""},
		"wrong action":      {good, header("Content-Type", `application/soap+xml; action="/Reset"`), 400, "ProtocolError"},
		"wrong SOAPAction":  {good, header("SOAPAction", `"/Reset"`), 400, "ProtocolError"},
		"not XML":           {"hello", auth, 400, "ProtocolError"},
		"bomb":              {`<!DOCTYPE a [<!ENTITY x "xx">]><a>&x;</a>`, auth, 400, "ProtocolError"},
		"a fault":           {string(soap.AppendFault(nil, soap.V16, soap.ChargePoint, soap.Header{}, soap.Fault{Code: soap.Sender})), auth, 400, "ProtocolError"},
		"a response":        {strings.ReplaceAll(good, "clearCacheRequest", "clearCacheResponse"), auth, 400, "ProtocolError"},
		"no identity":       {request(t, soap.V16, "ClearCache", "", "{}"), auth, 400, "IdentityMismatch"},
		"other identity":    {request(t, soap.V16, "ClearCache", "CP 2", "{}"), auth, 400, "IdentityMismatch"},
		"other version":     {request(t, soap.V15, "ClearCache", "CP 1", "{}"), auth, 500, "NotSupported"},
		"wrong name space":  {strings.ReplaceAll(good, "/Cp/", "/Cx/"), auth, 500, "MustUnderstand"}, // of the identity
		"wrong in the body": {strings.Replace(good, "<ocpp:clear", `<x:clear xmlns:x="urn:x"/><ocpp:clear`, 1), auth, 400, "ProtocolError"},
		"SOAP 1.1":          {strings.ReplaceAll(good, "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"), auth, 500, "VersionMismatch"},
		"not served":        {request(t, soap.V16, "Reset", "CP 1", `{"type":"Soft"}`), auth, 500, "NotSupported"},
		"not served either": {request(t, soap.V16, "UnlockConnector", "CP 1", `{"connectorId":1}`), auth, 500, "NotSupported"},
	} {
		status, m, err := post(t, from, c.body, c.change)
		got := ""
		if m.Fault != nil {
			if got = m.Fault.Subcode; got == "" {
				got = string(m.Fault.Code)
			}
		}
		if status != c.status || got != c.want || c.want != "" && err != nil {
			t.Errorf("%s: %d %q (%+v %v), want %d %q", name, status, got, m.Fault, err, c.status, c.want)
		}
	}
	if n := w.l.Stats().Requests; n != 0 {
		t.Errorf("%d requests reached the core", n)
	}
	done := w.core("Accepted", 1) // and it goes on
	if status, _, err := post(t, from, good, auth); status != 200 || err != nil {
		t.Errorf("behind all that: %d %v", status, err)
	}
	<-done
}

// TestSOAPSmuggling: two readers of one request must not find different ends of it.
func TestSOAPSmuggling(t *testing.T) {
	w := newSOAPWorld(t, nil)
	from := strings.TrimSuffix(strings.TrimPrefix(w.boots(), "http://"), "/")
	good := request(t, soap.V16, "ClearCache", "CP 1", "{}")
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(good))
	const (
		first  = "POST / HTTP/1.1\r\nHost: x\r\n"
		kind   = "Content-Type: application/soap+xml\r\n"
		coding = "Transfer-Encoding: chunked\r\n"
	)
	for name, c := range map[string]struct {
		raw    string
		status string
	}{
		"length and chunks":          {first + kind + length + coding + "\r\n" + chunked, "400"},
		"chunks and length":          {first + kind + coding + length + "\r\n" + chunked, "400"},
		"short length and chunks":    {first + kind + "Content-Length: 4\r\n" + coding + "\r\n" + chunked, "400"},
		"two lengths":                {first + kind + length + "Content-Length: 3\r\n\r\n" + good, "400"},
		"the same length twice":      {first + kind + length + length + "\r\n" + good, "400"},
		"list of lengths":            {first + kind + fmt.Sprintf("Content-Length: %d, %d\r\n\r\n", len(good), len(good)) + good, "400"},
		"signed length":              {first + kind + fmt.Sprintf("Content-Length: +%d\r\n\r\n", len(good)) + good, "400"},
		"negative length":            {first + kind + "Content-Length: -1\r\n\r\n" + good, "400"},
		"space before colon":         {first + kind + fmt.Sprintf("Content-Length : %d\r\n\r\n", len(good)) + good, "400"},
		"chunks twice":               {first + kind + coding + coding + "\r\n" + chunked, "400|501"},
		"chunks obscured":            {first + kind + "Transfer-Encoding: xchunked\r\n\r\n" + chunked, "501"},
		"chunks with tab":            {first + kind + "Transfer-Encoding:\tchunked, identity\r\n\r\n" + chunked, "400|501"},
		"chunks with vertical tab":   {first + kind + "Transfer-Encoding: \vchunked\r\n\r\n" + chunked, "400|501"},
		"folded":                     {first + kind + "Transfer-Encoding:\r\n chunked\r\n" + length + "\r\n" + chunked, "400|501"},
		"bare line feeds":            {strings.ReplaceAll(first+kind+length+"\r\n", "\r\n", "\n") + good, "400"},
		"one bare line feed":         {"POST / HTTP/1.1\nHost: x\r\n" + kind + length + "\r\n" + good, "400"},
		"bare line feed in a header": {first + kind + "X: a\nTransfer-Encoding: chunked\r\n" + length + "\r\n" + good, "400"},
		"bare carriage return":       {first + kind + "X: a\rContent-Length: 3\r\n" + length + "\r\n" + good, "400"},
		"no host":                    {"POST / HTTP/1.1\r\n" + kind + length + "\r\n" + good, "400"},
		"two hosts":                  {first + "Host: y\r\n" + kind + length + "\r\n" + good, "400"},
		"HTTP/2 preface":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400|405|505"},
		"chunk too large":            {first + kind + coding + "\r\nFFFFFFFFFFFFFFFFF\r\n" + good + "\r\n0\r\n\r\n", "400"},
		"chunk with bare line feed":  {first + kind + coding + "\r\n" + fmt.Sprintf("%x\n%s\r\n0\r\n\r\n", len(good), good), "400"},
		"upgrade":                    {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "405"},
		"huge head":                  {first + "X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "431"},
	} {
		got := raw(t, from, c.raw)
		if status, _, _ := strings.Cut(strings.TrimPrefix(got, "HTTP/1.1 "), " "); !strings.Contains(c.status, status) || status == "" {
			t.Errorf("%s: %.60q, want %s", name, got, c.status)
		}
	}
	if n := w.l.Stats().Requests; n != 0 {
		t.Errorf("%d requests reached the core", n)
	}
	done := w.core("Accepted", 1)
	got := raw(t, from, first+kind+length+"\r\n"+good+first+kind+length+"\r\n"+good)
	if strings.Count(got, "HTTP/1.1 ") != 1 || !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("two requests in a row: %q", got)
	}
	<-done
	if n := w.l.Stats().Requests; n != 1 {
		t.Errorf("%d requests reached the core", n)
	}
}

// raw writes bytes to the station and returns what comes back until it hangs up.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	go io.WriteString(c, text) // the station may hang up before it has read all
	got, _ := io.ReadAll(c)
	return string(got)
}

// TestSOAPConnectionsAreBounded: those that come too many are closed, and there is room again when others leave.
func TestSOAPConnectionsAreBounded(t *testing.T) {
	w := newSOAPWorld(t, nil)
	from := w.boots()
	var idle []net.Conn
	for range MaxSOAPConnections {
		c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(from, "http://"), "/"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "POST / HTTP/1.1\r\n")
		idle = append(idle, c)
	}
	tooMany, err := net.Dial("tcp", idle[0].RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer tooMany.Close()
	tooMany.SetDeadline(time.Now().Add(10 * time.Second))
	if n, err := tooMany.Read(make([]byte, 1)); err == nil || n > 0 {
		t.Errorf("one too many: %d %v", n, err)
	}
	for _, c := range idle {
		c.Close()
	}
	done := w.core("Accepted", 1)
	good := request(t, soap.V16, "ClearCache", "CP 1", "{}")
	for end := time.Now().Add(10 * time.Second); ; {
		r, err := http.Post(from, soapMedia, strings.NewReader(good))
		if err == nil {
			r.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	<-done
}
