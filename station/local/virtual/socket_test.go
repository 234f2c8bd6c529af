package virtual_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// These tests run a whole station against a CSMS over real sockets on loopback, with the station's clock ten times as
// fast. The tour does the same without sockets, thousands of times.

const (
	rate     = 10
	patience = 30 * time.Second // real
	some     = 20 * unit.WattHour
)

var driver = term.IdToken{Value: "DRIVER", Type: term.TokenISO14443}

// site is a station, its CSMS and the way between them.
type site struct {
	t       *testing.T
	csms    *csms.CSMS
	station *virtual.Station
}

func open(t *testing.T, versions ...string) *site {
	t.Helper()
	return openWith(t, func(*virtual.Options, net.Addr) {}, versions...)
}

// openWith opens a site with other options, for a CSMS that listens at an address.
func openWith(t *testing.T, change func(o *virtual.Options, csms net.Addr), versions ...string) *site {
	t.Helper()
	t.Parallel() // they mostly wait
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clock := virtual.NewClock()
	clock.SetRate(rate)
	s := &site{t: t, csms: csms.New(csms.Options{Now: clock.Wall, Passwords: map[string]string{"cs": "a password of 16+"},
		Tokens: map[term.IdToken]msg2.IdTokenInfo{driver: {Status: msg2.AuthorizationStatusAccepted}}})}
	o := s.options(t.TempDir(), clock, "ws://"+listener.Addr().String(), versions)
	change(&o, listener.Addr())
	s.station, err = virtual.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- s.csms.Serve(ctx, listener) }()
	go func() { ended <- s.station.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	s.until("boot", func() bool {
		return s.status(1) == msg2.ConnectorStatusAvailable && s.status(2) == msg2.ConnectorStatusAvailable
	})
	return s
}

func (s *site) options(dir string, clock *virtual.Clock, url string, versions []string) virtual.Options {
	set := func(component, variable, value string) virtual.Setting {
		return virtual.Setting{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}
	}
	socket := []station.Connector{{ID: 1, Type: "sType2"}}
	return virtual.Options{
		Station: station.Config{Name: "cs", Identity: station.Identity{Vendor: "V", Model: "M"}, EVSEs: []station.EVSE{
			{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: socket},
			{ID: 2, Phases: 1, MaxCurrent: 16 * unit.Ampere, Connectors: socket}}},
		Profiles: map[int]station.NetworkProfile{1: {URL: url, Versions: versions, SecurityProfile: 1, Password: "a password of 16+", MessageTimeout: 30 * time.Second}},
		Priority: []int{1},
		Settings: []virtual.Setting{
			set("SampledDataCtrlr", "TxUpdatedInterval", "5"),
			set("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"), set("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"),
		},
		Dir: dir, Seed: 7, Clock: clock,
	}
}

// until waits until something holds.
func (s *site) until(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("%s: not within %v; %+v, transactions %+v, errors %q", what, patience, s.station.Status(),
				s.csms.Ledger().Transactions(), s.csms.Ledger().Errors())
		}
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) status(evse int) msg2.ConnectorStatus { return s.csms.Status("cs", evse, 1) }

// charge plugs cars, swipes the card and waits until the CSMS knows of some energy.
func (s *site) charge(evses ...int) {
	s.t.Helper()
	for _, evse := range evses {
		s.plug(evse)
		s.swipe(evse)
		s.until("started", func() bool { return s.told(evse).Started == 1 })
	}
	s.more(evses...)
}

func (s *site) plug(evse int) {
	s.t.Helper()
	s.must(s.station.World().Plug(term.EVSEID(evse), 1, halsim.PlugOptions{}))
	s.until("plugged", func() bool { return s.status(evse) == msg2.ConnectorStatusOccupied || s.status(evse) == "Preparing" })
}

func (s *site) swipe(evse int) {
	s.t.Helper()
	s.must(s.station.World().Swipe(halsim.Swipe{Token: driver, EVSEs: []term.EVSEID{term.EVSEID(evse)}}))
}

// unplug lets the driver leave, in order, and waits until he is gone.
func (s *site) unplug(evse int) {
	s.t.Helper()
	_, err := s.station.World().Unplug(term.EVSEID(evse), 1, halsim.UnplugOptions{Orderly: true})
	s.must(err)
	s.until("unplugged", func() bool { return !s.evse(evse).Connectors[0].Plugged })
}

// more waits until the CSMS knows of some more energy of the newest transaction of each EVSE.
func (s *site) more(evses ...int) {
	s.t.Helper()
	var now [3]unit.Energy
	for _, evse := range evses {
		now[evse] = s.told(evse).Energy()
	}
	for _, evse := range evses {
		s.until("more energy", func() bool { return s.told(evse).Energy() >= now[evse]+some })
	}
}

// told is the newest transaction of an EVSE as the CSMS knows it.
func (s *site) told(evse int) (last csms.Transaction) {
	for _, t := range s.csms.Ledger().Transactions() {
		if t.EVSE == evse {
			last = t
		}
	}
	return last
}

func (s *site) evse(id int) halsim.EVSEState { return s.station.World().State().EVSEs[id-1] }

// settled waits for the end of every transaction and of the queue, and checks the books against the meters.
func (s *site) settled(transactions int) []csms.Transaction {
	s.t.Helper()
	s.until("the end", func() bool {
		all := s.csms.Ledger().Transactions()
		for _, t := range all {
			if t.Open() {
				return false
			}
		}
		return len(all) == transactions && s.station.Status().Pending == 0
	})
	for _, wrong := range s.csms.Ledger().Check(nil) {
		s.t.Error(wrong)
	}
	billed := map[int]unit.Energy{}
	for _, t := range s.csms.Ledger().Transactions() {
		billed[t.EVSE] += t.Energy()
	}
	for evse := 1; evse <= 2; evse++ {
		if counted := s.evse(evse).Energy; billed[evse] != counted {
			s.t.Errorf("EVSE %d counted %d mWh, billed were %d", evse, counted, billed[evse])
		}
	}
	return s.csms.Ledger().Transactions()
}

func TestChargeIsBilledInBothVersions(t *testing.T) {
	for _, version := range []msg2.Version{msg2.V201, msg2.V21} {
		t.Run(version.String(), func(t *testing.T) {
			s := open(t, version.Subprotocol())
			if v, ok := s.csms.Connected("cs"); !ok || v != version {
				t.Fatalf("speaks %v, %v", v, ok)
			}
			s.charge(1, 2)
			s.swipe(1)
			s.until("stopped", func() bool { return !s.evse(1).Relay })
			s.unplug(1)
			_, err := s.station.World().Unplug(2, 1, halsim.UnplugOptions{Side: halsim.SideEV}) // ends by the car; the lock stays out of it
			s.must(err)
			s.until("ended by the car", func() bool {
				return len(s.csms.Ledger().Transactions()) == 2 && !s.told(2).Open() && !s.evse(2).Connectors[0].Locked
			})
			_, err = s.station.World().Unplug(2, 1, halsim.UnplugOptions{})
			s.must(err)
			for i, want := range []string{"Local", "EVDisconnected"} {
				if got := s.settled(2)[i]; got.StoppedReason != want || got.IdToken != driver.Value || got.Repeats != 0 {
					t.Errorf("%+v, want %s", got, want)
				}
			}
			s.until("free", func() bool {
				return s.status(1) == msg2.ConnectorStatusAvailable && s.status(2) == msg2.ConnectorStatusAvailable
			})
		})
	}
}

func TestCSMSStartsAndStops(t *testing.T) {
	s := open(t)
	s.plug(1)
	ask := func(m msg2.Message) msg2.Message {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		resp, err := s.csms.Ask(ctx, "cs", m)
		s.must(err)
		return resp
	}
	start := ask(&msg2.RequestStartTransactionRequest{EVSEID: msg2.Some(1), RemoteStartID: 4711,
		IdToken: msg2.IdToken{IdToken: driver.Value, Type: msg2.IdTokenEnumISO14443}}).(*msg2.RequestStartTransactionResponse)
	if start.Status != msg2.RequestStartStopStatusAccepted {
		t.Fatalf("start: %+v", start)
	}
	s.more(1)
	stop := ask(&msg2.RequestStopTransactionRequest{TransactionID: s.told(1).ID}).(*msg2.RequestStopTransactionResponse)
	if stop.Status != msg2.RequestStartStopStatusAccepted {
		t.Fatalf("stop: %+v", stop)
	}
	if got := s.settled(1)[0]; got.StoppedReason != "Remote" {
		t.Errorf("%+v", got)
	}
}

func TestOfflineChargeIsToldLater(t *testing.T) {
	s := open(t)
	s.charge(1)
	s.must(s.station.SetNetwork(false, 0, 0))
	before := s.evse(1).Energy
	s.until("offline energy", func() bool { return s.evse(1).Energy >= before+2*some })
	s.swipe(1) // the token is in the cache
	s.until("stopped", func() bool { return !s.evse(1).Relay })
	s.unplug(1)
	if !s.told(1).Open() {
		t.Error("the CSMS cannot know of the end")
	}
	s.must(s.station.SetNetwork(true, 20*time.Millisecond, 10))
	tx := s.settled(1)[0]
	offline := 0
	for _, e := range tx.Events {
		if e.Offline {
			offline++
		}
	}
	if offline < 2 {
		t.Errorf("%d events were told to be of the time offline: %+v", offline, tx)
	}
}

func TestLostAnswersAreAskedForAgain(t *testing.T) {
	s := open(t)
	s.charge(1)
	lost := csms.Answer{Drop: true, Close: true}
	s.csms.Next("TransactionEvent", lost, lost, lost)
	s.until("three repeats", func() bool { return s.told(1).Repeats >= 3 })
	s.more(1)
	s.swipe(1)
	s.settled(1)
}

func TestRefusedEventsGoToTheDeadLetters(t *testing.T) {
	s := open(t)
	s.charge(1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	set, err := s.csms.Ask(ctx, "cs", &msg2.SetVariablesRequest{SetVariableData: []msg2.SetVariableData{
		setting("MessageAttemptInterval", "1"), setting("MessageAttempts", "2")}})
	s.must(err)
	for _, r := range set.(*msg2.SetVariablesResponse).SetVariableResult {
		if r.AttributeStatus != msg2.SetVariableStatusAccepted {
			t.Fatalf("%+v", r)
		}
	}
	no := csms.Answer{Error: &csms.CallError{Code: rpc.InternalError, Description: "no room"}}
	s.csms.Next("TransactionEvent", no, no)
	s.until("a dead letter", func() bool { dead, err := s.station.DeadLetters(); return err == nil && len(dead) == 1 })
	s.more(1)
	s.swipe(1)
	s.until("the end", func() bool { return !s.told(1).Open() && s.station.Status().Pending == 0 })
	tx := s.told(1)
	if len(tx.Missing) != 1 {
		t.Fatalf("missing %v", tx.Missing)
	}
	gap := func(station, id string, seqNo int) bool { return seqNo == tx.Missing[0] }
	if wrong := s.csms.Ledger().Check(gap); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
	if tx.Energy() != s.evse(1).Energy {
		t.Errorf("billed %d mWh, counted %d", tx.Energy(), s.evse(1).Energy)
	}
}

func setting(variable, value string) msg2.SetVariableData {
	return msg2.SetVariableData{Component: msg2.Component{Name: "OCPPCommCtrlr"},
		Variable: msg2.Variable{Name: variable, Instance: msg2.Some("TransactionEvent")}, AttributeValue: value}
}

func TestPowerCutResumes(t *testing.T) {
	const cuts = 2
	s := open(t)
	s.charge(1, 2)
	for range cuts {
		s.must(s.station.PowerOff(0))
		s.until("dark", func() bool {
			st := s.station.World().State()
			return !st.Powered && !st.EVSEs[0].Relay && !st.EVSEs[1].Relay
		})
		if s.station.Status().Uptime != 0 {
			t.Error("alive without power")
		}
		s.must(s.station.PowerOn())
		s.until("charging again", func() bool { return s.evse(1).Relay && s.evse(2).Relay })
		s.more(1, 2)
	}
	s.swipe(1)
	s.swipe(2)
	for _, tx := range s.settled(2) {
		if tx.StoppedReason != "Local" {
			t.Errorf("%+v", tx)
		}
	}
	if n := s.csms.Received("cs", "BootNotification"); n != 1+cuts {
		t.Errorf("%d BootNotifications, want %d", n, 1+cuts)
	}
}

func TestPowerAndNetworkCutTogether(t *testing.T) {
	s := open(t)
	s.charge(1)
	s.must(s.station.SetNetwork(false, 0, 0))
	before := s.evse(1).Energy
	s.until("offline energy", func() bool { return s.evse(1).Energy >= before+some })
	s.must(s.station.PowerOff(0))
	s.until("dark", func() bool { return !s.station.World().State().Powered })
	_, err := s.station.World().Unplug(1, 1, halsim.UnplugOptions{Side: halsim.SideEV}) // the car leaves meanwhile
	s.must(err)
	s.must(s.station.PowerOn())
	s.until("back", func() bool { return s.station.Status().Uptime > 5*time.Second })
	s.must(s.station.SetNetwork(true, 0, 0))
	tx := s.settled(1)[0]
	if tx.StoppedReason == "" || tx.StoppedReason == "Local" {
		t.Errorf("%+v", tx)
	}
	t.Log("ended", tx.StoppedReason)
}
