package station_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
)

// secure is a station with network profiles, seen from its CSMS.
type secure struct {
	t       *testing.T
	s       *station.Station
	now     time.Time
	n       uint64
	records map[string]station.Record
	events  []string // security
	cmds    []string
}

var secureStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// newSecure starts a station with these profiles in slots 1, 2, ...; roots and own tell which certificates it has.
func newSecure(t *testing.T, roots, own bool, profiles ...int) *secure {
	t.Helper()
	h := &secure{t: t, s: newStation(t), now: secureStart, records: map[string]station.Record{}}
	for i, p := range profiles {
		h.keep(must1(h.s.SeedProfile(i+1, profileOf(p, i+1))))
	}
	if roots {
		h.keep(must1(h.s.SeedCertificate(cert.CSMSRootCertificate, selfSigned(t, "Root"), ""))...)
	}
	if own {
		h.keep(must1(h.s.SeedCertificate(cert.ChargingStationCertificate, selfSigned(t, "CS1"), "own"))...)
	}
	order := []string{}
	for i := range profiles {
		order = append(order, fmt.Sprint(i+1))
	}
	h.keep(station.Record{Bucket: station.BucketVariable, Key: "OCPPCommCtrlr/NetworkConfigurationPriority", Value: []byte(strings.Join(order, ","))})
	h.keep(station.Record{Bucket: station.BucketVariable, Key: "SecurityCtrlr/BasicAuthPassword", Value: []byte("0123456789abcdef")})
	h.boot()
	return h
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func profileOf(security, slot int) station.NetworkProfile {
	scheme := "ws"
	if security > 1 {
		scheme = "wss"
	}
	return station.NetworkProfile{URL: fmt.Sprintf("%s://csms.example/%d", scheme, slot), SecurityProfile: security, MessageTimeout: 30 * time.Second}
}

func selfSigned(t *testing.T, name string) []byte {
	t.Helper()
	key := must1(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name, Organization: []string{"O"}}, NotBefore: secureStart.AddDate(-1, 0, 0),
		NotAfter: secureStart.AddDate(60, 0, 0), IsCA: name == "Root", BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: must1(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))})
}

func (h *secure) keep(rs ...station.Record) {
	for _, r := range rs {
		h.records[fmt.Sprint(r.Bucket)+"/"+r.Key] = r
	}
}

// boot starts the station from what was kept.
func (h *secure) boot() {
	h.t.Helper()
	h.s = newStation(h.t)
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range h.records {
			if !yield(k) {
				return
			}
		}
	}) {
		if r := h.records[k]; r.Value != nil {
			if err := h.s.Restore(r); err != nil {
				h.t.Fatalf("restore %s: %v", k, err)
			}
		}
	}
	h.took(h.s.Start(h.now, secureStart.AddDate(26, 0, 0)))
}

func (h *secure) took(o station.Output) station.Output {
	h.keep(o.Records...)
	for _, r := range o.Reports {
		if ev, ok := r.Body.(station.SecurityEvent); ok {
			h.events = append(h.events, ev.Type+" "+ev.Info)
		}
	}
	for _, c := range o.Commands {
		h.cmds = append(h.cmds, strings.TrimPrefix(fmt.Sprintf("%T", c), "station."))
	}
	return o
}

func (h *secure) step(ev station.Event) station.Output {
	h.now = h.now.Add(time.Second)
	return h.took(h.s.Step(h.now, ev))
}

// connect opens a connection with the profile in a slot; the CSMS accepts the station, and answers.
func (h *secure) connect(slot int) {
	h.t.Helper()
	p, ok := h.s.NetworkProfile(slot)
	if !ok {
		h.t.Fatalf("slot %d is empty", slot)
	}
	o := h.step(station.LinkUp{Slot: slot, SecurityProfile: p.SecurityProfile})
	for _, r := range o.Reports {
		switch r.Body.(type) {
		case station.BootNotification:
			h.step(station.ReplyReceived{ID: r.ID, Of: r.Body, Reply: station.BootReply{Status: station.RegistrationAccepted, Now: h.now, Interval: time.Hour}})
		case station.Heartbeat:
			h.step(station.ReplyReceived{ID: r.ID, Of: r.Body, Reply: station.HeartbeatReply{Now: h.now}})
		}
	}
}

func (h *secure) ask(r station.Request) station.ResponseBody {
	h.n++
	o := h.step(station.RequestReceived{ID: station.RequestID(h.n), Request: r})
	return o.Responses[0].Body
}

func (h *secure) order(value string) model.SetResult {
	return h.ask(station.SetVariables{Items: []model.SetItem{{Component: model.Component{Name: "OCPPCommCtrlr"},
		Variable: model.Variable{Name: "NetworkConfigurationPriority"}, Value: value}}}).(station.VariablesSet).Results[0]
}

func (h *secure) get(component, variable string) string {
	return h.ask(station.GetVariables{Items: []model.GetItem{{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}}}}).(station.Variables).Results[0].Value
}

func (h *secure) allowDowngrade() {
	h.ask(station.SetVariables{Items: []model.SetItem{{Component: model.Component{Name: "SecurityCtrlr"}, Variable: model.Variable{Name: "AllowSecurityProfileDowngrade"}, Value: "true"}}})
}

// covers: A05.FR.02 A05.FR.03 A05.FR.04 A05.FR.08 A05.FR.09 A05.FR.10 A00.FR.005 B09.FR.04 B09.FR.31 B09.FR.32 TC_A_20_CS TC_A_21_CS TC_A_22_CS
func TestWhichSecurityProfileMayBeSet(t *testing.T) {
	for _, c := range []struct {
		name       string
		roots, own bool
		use, set   int // security profile in use, and of the new network profile
		allow      bool
		profile    string // what comes of SetNetworkProfile, and then of the order
		order      string
	}{
		{name: "same", use: 1, set: 1},
		{name: "2 without a root", use: 1, set: 2, order: "InvalidNetworkConf"},
		{name: "3 without a root", own: true, use: 1, set: 3, order: "InvalidNetworkConf"},
		{name: "3 without a certificate", roots: true, use: 2, set: 3, order: "InvalidNetworkConf"},
		{name: "2", roots: true, use: 1, set: 2},
		{name: "3", roots: true, own: true, use: 1, set: 3},
		{name: "lower", roots: true, own: true, use: 3, set: 2, profile: "NoSecurityDowngrade"},
		{name: "lower, allowed", roots: true, own: true, use: 3, set: 2, allow: true},
		{name: "to 1, although lower is allowed", roots: true, own: true, use: 3, set: 1, allow: true, profile: "NoSecurityDowngrade"},
		{name: "2 to 1, although lower is allowed", roots: true, use: 2, set: 1, allow: true, profile: "NoSecurityDowngrade"},
		{name: "1 to 0", use: 1, set: 0, profile: "NoSecurityDowngrade"},
		{name: "4", roots: true, own: true, use: 1, set: 4, profile: "InvalidValue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newSecure(t, c.roots, c.own, c.use)
			h.connect(1)
			if c.allow {
				h.allowDowngrade()
			}
			if got := h.ask(station.SetNetworkProfile{Slot: 2, Profile: profileOf(c.set, 2)}).(station.Status); got.Reason != c.profile || (got.Status == "Accepted") != (c.profile == "") {
				t.Fatalf("SetNetworkProfile: %+v, want %q", got, c.profile)
			}
			if c.profile != "" {
				return
			}
			h.cmds = nil
			if got := h.order("2,1"); string(got.Reason) != c.order || (got.Status == model.SetAccepted) != (c.order == "") {
				t.Errorf("priority: %+v, want %q", got, c.order)
			}
			if again := slices.Contains(h.cmds, "Reconnect"); again != (c.order == "" && c.set > c.use) {
				t.Errorf("reconnects: %t", again)
			}
			if got := h.get("SecurityCtrlr", "SecurityProfile"); got != fmt.Sprint(c.use) {
				t.Errorf("SecurityProfile %s before the new one has worked", got)
			}
		})
	}
}

// A profile that may be dialled next has what it needs.
func TestASlotInUseTakesNoProfileThatCannotConnect(t *testing.T) {
	h := newSecure(t, false, false, 1)
	h.connect(1)
	if got := h.ask(station.SetNetworkProfile{Slot: 1, Profile: profileOf(2, 1)}).(station.Status); got.Reason != "InvalidNetworkConf" {
		t.Errorf("got %+v", got)
	}
}

// What is lower is gone once the higher profile has worked, also behind a restart, and not before.
//
// covers: A05.FR.06 TC_A_19_CS
func TestAHigherProfileThatWorkedRemovesTheLowerOnes(t *testing.T) {
	h := newSecure(t, true, true, 1)
	h.connect(1)
	h.ask(station.SetNetworkProfile{Slot: 2, Profile: profileOf(2, 2)})
	if r := h.order("2,1"); r.Status != model.SetAccepted {
		t.Fatalf("priority %+v", r)
	}
	h.step(station.LinkDown{})
	h.boot()
	if got := h.s.NetworkPriority(); !slices.Equal(got, []int{2, 1}) || h.s.LeastSecurity() != 1 {
		t.Fatalf("order %v, least %d", got, h.s.LeastSecurity())
	}
	h.events = nil
	h.connect(2)
	check := func(when string) {
		t.Helper()
		if _, ok := h.s.NetworkProfile(1); ok || !slices.Equal(h.s.NetworkPriority(), []int{2}) || h.s.LeastSecurity() != 2 {
			t.Errorf("%s: slot 1 %t, order %v, least %d", when, ok, h.s.NetworkPriority(), h.s.LeastSecurity())
		}
	}
	check("connected")
	if got := h.get("SecurityCtrlr", "SecurityProfile"); got != "2" {
		t.Errorf("SecurityProfile %s", got)
	}
	if got := h.get("OCPPCommCtrlr", "NetworkConfigurationPriority"); got != "2" {
		t.Errorf("NetworkConfigurationPriority %s", got)
	}
	if !slices.Contains(h.events, "ReconfigurationOfSecurityParameters SecurityProfile 2") {
		t.Errorf("security events %q", h.events)
	}
	h.step(station.LinkDown{})
	h.boot()
	check("restarted")
	if got := h.ask(station.SetNetworkProfile{Slot: 3, Profile: profileOf(1, 3)}).(station.Status); got.Reason != "NoSecurityDowngrade" {
		t.Errorf("a lower one behind the restart, before any connection: %+v", got)
	}
}

// 1.6 raises the security profile by a key: the profile in use is tried with the higher security, and stays or goes.
func TestRaiseSecurity(t *testing.T) {
	for name, c := range map[string]struct {
		roots, own bool
		use, raise int
		reason     string
	}{
		"equal":          {use: 1, raise: 1, reason: "NoSecurityDowngrade"},
		"lower":          {roots: true, use: 2, raise: 1, reason: "NoSecurityDowngrade"},
		"too high":       {use: 1, raise: 4, reason: "NoSecurityDowngrade"},
		"no root":        {use: 1, raise: 2, reason: "InvalidNetworkConf"},
		"no certificate": {roots: true, use: 1, raise: 3, reason: "InvalidNetworkConf"},
		"from 0 to 1":    {use: 0, raise: 1},
		"from 1 to 2":    {roots: true, use: 1, raise: 2},
		"from 0 to 3":    {roots: true, own: true, use: 0, raise: 3},
	} {
		t.Run(name, func(t *testing.T) {
			h := newSecure(t, c.roots, c.own, c.use)
			h.connect(1)
			h.cmds = nil
			got := h.ask(station.RaiseSecurity{Profile: c.raise}).(station.Status)
			if got.Reason != c.reason || (got.Status == "Accepted") != (c.reason == "") {
				t.Fatalf("got %+v, want %q", got, c.reason)
			}
			if c.reason != "" {
				return
			}
			p, _ := h.s.NetworkProfile(2)
			if p.SecurityProfile != c.raise || strings.HasPrefix(p.URL, "wss:") != (c.raise > 1) || !slices.Contains(h.cmds, "Reconnect") {
				t.Fatalf("%+v, %q", p, h.cmds)
			}
			if again := h.ask(station.RaiseSecurity{Profile: 3}).(station.Status); again.Status == "Accepted" {
				t.Errorf("a second one while it is tried: %+v", again)
			}
			h.step(station.LinkDown{})
			h.boot() // a power cut in the middle of it
			worked := h.again()
			worked.connect(2)
			if _, old := worked.s.NetworkProfile(1); old || worked.get("SecurityCtrlr", "SecurityProfile") != fmt.Sprint(c.raise) {
				t.Errorf("worked: order %v", worked.s.NetworkPriority())
			}
			h.connect(1)
			if _, tried := h.s.NetworkProfile(2); tried || !slices.Equal(h.s.NetworkPriority(), []int{1}) || h.get("SecurityCtrlr", "SecurityProfile") != fmt.Sprint(c.use) {
				t.Errorf("fell back: order %v", h.s.NetworkPriority())
			}
		})
	}
}

// again is another station with the same records.
func (h *secure) again() *secure {
	other := &secure{t: h.t, now: h.now, records: map[string]station.Record{}}
	for k, r := range h.records {
		other.records[k] = r
	}
	other.boot()
	return other
}

// The time by which a CSMS was trusted is kept, day by day, and only rises.
func TestTheTimeOfTrustIsKept(t *testing.T) {
	h := newSecure(t, true, false, 2)
	first := secureStart.AddDate(27, 0, 0)
	for _, c := range []struct{ valid, floor time.Time }{
		{time.Time{}, time.Time{}}, {first, first}, {first.Add(time.Hour), first}, {first.AddDate(0, 0, 3), first.AddDate(0, 0, 3)}, {first, first.AddDate(0, 0, 3)},
	} {
		h.step(station.LinkUp{Slot: 1, SecurityProfile: 2, Valid: c.valid})
		h.step(station.LinkDown{})
		if _, _, floor := h.again().s.TrustClock(); !floor.Equal(c.floor) {
			t.Errorf("valid at %v: floor %v, want %v", c.valid, floor, c.floor)
		}
	}
	h.cmds = nil
	h.step(station.ClockSet{Wall: first, Source: "NTP"})
	if _, set, _ := h.s.TrustClock(); !set || !slices.Contains(h.cmds, "Reconfigure") {
		t.Errorf("the clock was set: %t, commands %q", set, h.cmds)
	}
}

// The station says whom it does not trust, also when it is connected only later.
//
// covers: A00.FR.310 A00.FR.316 A00.FR.323 A00.FR.413 A00.FR.419 A00.FR.426 A04.FR.02
func TestDistrustIsASecurityEventThatIsKept(t *testing.T) {
	for _, kind := range []string{"InvalidCsmsCertificate", "InvalidTLSVersion", "InvalidTLSCipherSuite"} {
		h := newSecure(t, true, false, 2)
		o := h.step(station.CSMSDistrusted{Slot: 1, Kind: kind, Info: "why"})
		i := slices.IndexFunc(o.Reports, func(r station.Report) bool { return r.Class == station.Kept })
		if i < 0 || o.Reports[i].Body.(station.SecurityEvent).Type != kind {
			t.Errorf("%s: %+v", kind, o.Reports)
		}
	}
}
