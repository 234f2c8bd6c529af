package virtual

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// soapSite is a whole station and a CSMS that speaks SOAP over loopback, with the station's clock ten times as fast.
type soapSite struct {
	t       *testing.T
	csms    *csms.CSMS
	station *Station
	version soap.Version

	mu     sync.Mutex // guards what follows
	post   post
	serial int
	from   string
	away   bool
}

func openSOAP(t *testing.T, v soap.Version) *soapSite {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clock := NewClock()
	clock.SetRate(10)
	s := &soapSite{t: t, version: v, post: post{version: v}, csms: csms.New(csms.Options{Now: clock.Wall,
		Tokens: map[term.IdToken]msg2.IdTokenInfo{token("ALICE"): {Status: msg2.AuthorizationStatusAccepted}}})}
	if err := s.csms.Open(name, rpc.V16); err != nil {
		t.Fatal(err)
	}
	set := func(component, variable, value string) Setting {
		return Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}
	}
	s.station, err = New(Options{
		Station: station.Config{Name: name, Identity: station.Identity{Vendor: "V", Model: "M"}, EVSEs: []station.EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "sType2"}}}}},
		Profiles: map[int]station.NetworkProfile{1: {URL: "http://" + listener.Addr().String() + "/ocpp", Versions: []string{"soap" + v.String()},
			SecurityProfile: 1, Password: "a password of 16+", MessageTimeout: 30 * time.Second, Listen: "127.0.0.1:0"}},
		Priority: []int{1}, Dir: t.TempDir(), Seed: 7, Clock: clock,
		Settings: []Setting{set("SampledDataCtrlr", "TxUpdatedInterval", "5"), set("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"),
			set("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"), set("OCPPCommCtrlr", "HeartbeatInterval", "5")},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go server.Serve(listener)
	go func() { ended <- s.station.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return s
}

// ServeHTTP is the central system.
func (s *soapSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m, err := soap.Parse(raw, soap.CentralSystem)
	user, password, _ := r.BasicAuth()
	if err != nil || m.Version != s.version || m.Identity != name || user != name || password != "a password of 16+" {
		s.t.Errorf("%v, %+v from %s", err, m.Header, user)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	}
	s.from = m.From
	s.serial++
	frame := rpc.AppendCall(nil, fmt.Sprint(s.serial), m.Operation, m.Payload)
	if frame, err = s.post.toCSMS(frame); err != nil {
		s.t.Error(err)
		return
	}
	answers := s.csms.Handle(name, frame)
	if len(answers) == 0 { // lost
		panic(http.ErrAbortHandler)
	}
	answer, err := s.post.toStation(answers[0])
	if err != nil {
		s.t.Error(err)
		return
	}
	f, _ := rpc.Parse(answer, rpc.V16, rpc.Limits{})
	h := soap.Header{RelatesTo: m.MessageID}
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	if f.Type == rpc.CallError {
		fault := soap.FaultOf(f.ErrorCode, f.ErrorDescription)
		w.WriteHeader(fault.Status())
		w.Write(soap.AppendFault(nil, s.version, soap.CentralSystem, h, fault))
		return
	}
	raw, err = soap.AppendResponse(nil, s.version, soap.CentralSystem, m.Operation, h, f.Payload)
	if err != nil {
		s.t.Error(err)
	}
	w.Write(raw)
}

// ask sends a request of the CSMS to the address that the station told last, and returns the payload of the answer.
func (s *soapSite) ask(action, payload string) string {
	s.t.Helper()
	s.mu.Lock()
	from := s.from
	s.mu.Unlock()
	raw, err := soap.AppendRequest(nil, s.version, soap.ChargePoint, action, soap.Header{Identity: name, MessageID: "urn:1"}, payload) // and no From
	s.must(err)
	response, err := http.Post(from, "application/soap+xml", strings.NewReader(string(raw)))
	s.must(err)
	defer response.Body.Close()
	raw, err = io.ReadAll(response.Body)
	s.must(err)
	m, err := soap.Parse(raw, soap.ChargePoint)
	s.must(err)
	if m.Fault != nil || m.RelatesTo != "urn:1" {
		s.t.Fatalf("%s: %v %+v", action, m.Fault, m.Header)
	}
	return string(m.Payload)
}

func (s *soapSite) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *soapSite) until(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("%s: %+v, transactions %+v, errors %q", what, s.station.Status(), s.csms.Ledger().Transactions(), s.csms.Ledger().Errors())
		}
	}
}

func (s *soapSite) evse() halsim.EVSEState { return s.station.World().State().EVSEs[0] }

func (s *soapSite) told() (last csms.Transaction) {
	for _, t := range s.csms.Ledger().Transactions() {
		last = t
	}
	return last
}

func (s *soapSite) goAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// TestSessionsOverSOAP: a car charges, the number comes late, the CSMS goes away behind its gateway while the session ends, and
// comes back; then the CSMS starts and stops one itself. Every watt-hour is billed once.
func TestSessionsOverSOAP(t *testing.T) {
	for _, v := range []soap.Version{soap.V16, soap.V15, soap.V12} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := openSOAP(t, v)
			s.until("boot", func() bool { return s.csms.Status(name, 1, 1) == "Available" })
			lost := csms.Answer{Drop: true}
			s.csms.Next("StartTransaction", lost)
			s.swipe()
			s.until("told", func() bool { return s.told().Started == 1 && s.evse().Energy >= 20*unit.WattHour })
			if s.told().Repeats == 0 {
				t.Errorf("the number came at once: %+v", s.told())
			}
			s.goAway(true)
			s.until("offline", func() bool { return s.station.Status().Protocol == "" })
			s.must(s.station.World().Swipe(halsim.Swipe{Token: token("ALICE"), EVSEs: []term.EVSEID{1}}))
			s.until("stopped", func() bool { return !s.evse().Relay })
			s.goAway(false)
			s.until("the end", func() bool { return s.told().Ended == 1 && s.station.Status().Pending == 0 })
			_, err := s.station.World().Unplug(1, 1, halsim.UnplugOptions{Orderly: true})
			s.must(err)
			s.until("free", func() bool { return s.csms.Status(name, 1, 1) == "Available" })

			if got := s.ask("RemoteStartTransaction", `{"idTag":"ALICE","connectorId":1}`); got != `{"status":"Accepted"}` {
				t.Errorf("start: %s", got)
			}
			before := s.evse().Energy
			s.must(s.station.World().Plug(1, 1, halsim.PlugOptions{}))
			s.until("second", func() bool {
				return s.told().Started == 1 && s.told().Ended == 0 && s.evse().Energy >= before+20*unit.WattHour
			})
			if got := s.ask("RemoteStopTransaction", fmt.Sprintf(`{"transactionId":%s}`, s.told().ID)); got != `{"status":"Accepted"}` {
				t.Errorf("stop: %s", got)
			}
			s.until("both", func() bool { return s.told().Ended == 1 && s.station.Status().Pending == 0 })
			s.bills(2)
		})
	}
}

// swipe plugs a car and shows a card.
func (s *soapSite) swipe() {
	s.t.Helper()
	s.must(s.station.World().Plug(1, 1, halsim.PlugOptions{}))
	s.must(s.station.World().Swipe(halsim.Swipe{Token: token("ALICE"), EVSEs: []term.EVSEID{1}}))
}

func (s *soapSite) bills(n int) {
	s.t.Helper()
	for _, wrong := range s.csms.Ledger().Check(nil) {
		s.t.Error(wrong)
	}
	var billed unit.Energy
	all := s.csms.Ledger().Transactions()
	for _, tx := range all {
		billed += tx.Energy()
	}
	if off := s.evse().Energy - billed; len(all) != n || off < 0 || off >= unit.WattHour {
		s.t.Errorf("%d transactions; counted %v, billed %v", len(all), s.evse().Energy, billed)
	}
}
