package peertest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// maker makes a peer; its name is that of its subtest.
type maker struct {
	name string
	make func() (Peer, error)
}

func ocppGoOf(version string, decide func() Decide) maker {
	return maker{"ocpp-go/" + version, func() (Peer, error) { return NewOCPPGo(version, decide()) }}
}

func mobilityHouseOf(version string, decide func() Decide) maker {
	return maker{"mobilityhouse/" + version, func() (Peer, error) { return NewMobilityHouse(version, decide()) }}
}

func yes() Decide { return SayYes }

var (
	makers2  = []maker{ocppGoOf("2.0.1", yes), mobilityHouseOf("2.0.1", yes), mobilityHouseOf("2.1", yes)}
	makers16 = []maker{ocppGoOf("1.6", SayYes16), mobilityHouseOf("1.6", SayYes16)}
)

// eachPeer runs f against every peer of a generation that can be had here.
func eachPeer(t *testing.T, makers []maker, f func(t *testing.T, p Peer)) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			p, err := m.make()
			var missing *NoLibrary
			if errors.As(err, &missing) {
				t.Skipf("%s: %v", m.name, missing)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			f(t, p)
		})
	}
}

// generations are the peers, and what a test of theirs says in their versions.
var generations = []struct {
	makers         []maker
	boot, stranger string
	faults         map[string]string
}{
	{makers2,
		`[2,"a","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]`,
		`[2,"b","Authorize",{"idToken":{"idToken":"NO-WAY","type":"Central"}}]`,
		map[string]string{
			"missing member":     `[2,"a","BootNotification",{"reason":"PowerUp"}]`,
			"not in enumeration": `[2,"a","BootNotification",{"reason":"Whim","chargingStation":{"model":"m","vendorName":"v"}}]`,
			"too long":           `[2,"a","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"` + strings.Repeat("m", 21) + `","vendorName":"v"}}]`,
			"wrong type":         `[2,"a","StatusNotification",{"timestamp":"2026-11-22T07:01:35Z","connectorStatus":"Available","evseId":"1","connectorId":1}]`,
		}},
	{makers16,
		`[2,"a","BootNotification",{"chargePointModel":"m","chargePointVendor":"v"}]`,
		`[2,"b","Authorize",{"idTag":"NO-WAY"}]`,
		map[string]string{
			"missing member":     `[2,"a","BootNotification",{"chargePointModel":"m"}]`,
			"not in enumeration": `[2,"a","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Bored"}]`,
			"too long":           `[2,"a","BootNotification",{"chargePointModel":"` + strings.Repeat("m", 21) + `","chargePointVendor":"v"}]`,
			"wrong type":         `[2,"a","StatusNotification",{"connectorId":"1","errorCode":"NoError","status":"Available"}]`,
		}},
}

// fake is a station of a few lines that can say what a real one never would.
type fake struct {
	t *testing.T
	c *websocket.Conn
}

func dialFake(t *testing.T, p Peer) *fake {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"ocpp" + p.Version()}, HandshakeTimeout: 5 * time.Second}
	c, _, err := d.Dial(p.URL()+"/fake", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(answerTimeout))
	// The client's handshake ends before the server's: until then a library has nobody to send to.
	if _, _, ok := p.Journal().Await(0, answerTimeout, func(e Entry) bool { return e.Kind == Open && e.Station == "fake" }); !ok {
		t.Fatalf("the CSMS never saw the connection:\n%s", p.Journal())
	}
	return &fake{t, c}
}

func (f *fake) say(frame string) {
	f.t.Helper()
	if err := f.c.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) hear() frame {
	f.t.Helper()
	_, text, err := f.c.ReadMessage()
	if err != nil {
		f.t.Fatal(err)
	}
	return parseFrame(string(text))
}

// TestPeersAnswerAndSend: what is right passes without a finding, both ways.
func TestPeersAnswerAndSend(t *testing.T) {
	for _, g := range generations {
		answersAndSends(t, g.makers, g.boot, g.stranger)
	}
}

func answersAndSends(t *testing.T, makers []maker, boot, stranger string) {
	eachPeer(t, makers, func(t *testing.T, p Peer) {
		f := dialFake(t, p)
		f.say(boot)
		if got := f.hear(); got.typ != 3 || got.id != "a" || !strings.Contains(got.payload, `"Accepted"`) {
			t.Errorf("boot: got %+v", got)
		}
		f.say(stranger)
		if got := f.hear(); got.typ != 3 || !strings.Contains(got.payload, `"Invalid"`) {
			t.Errorf("authorize: got %+v", got)
		}
		for _, way := range []struct {
			name string
			send func() (Answer, error)
		}{
			{"library", func() (Answer, error) { return p.Send("fake", "ClearCache", `{}`) }},
			{"raw", func() (Answer, error) { return p.SendRaw("fake", "r1", `[2,"r1","ClearCache",{}]`) }},
		} {
			for answer, want := range map[string]Answer{
				`[3,"%s",{"status":"Rejected"}]`:           {Payload: `Rejected`},
				`[4,"%s","NotSupported","not offered",{}]`: {Code: "NotSupported", Description: "not offered"},
			} {
				done := make(chan struct{})
				go func() {
					defer close(done)
					got, err := way.send()
					if got.Code != want.Code || got.Description != want.Description || got.Status() != want.Payload || err != nil {
						t.Errorf("%s: got %v, %v, want %v", way.name, got, err, want)
					}
				}()
				asked := f.hear()
				if asked.action != "ClearCache" {
					t.Fatalf("%s: got %+v", way.name, asked)
				}
				f.say(fmt.Sprintf(answer, asked.id))
				<-done
			}
		}
		if found := p.Journal().Findings(); len(found) > 0 {
			t.Errorf("findings: %q", found)
		}
	})
}

// TestPeersFindFaults: what is wrong is found. Without this the other tests could not fail.
func TestPeersFindFaults(t *testing.T) {
	for _, g := range generations {
		g.faults["no call"] = `[2,"a"]`
		g.faults["action that is none"] = `[2,"a","Sing",{}]`
		eachPeer(t, g.makers, func(t *testing.T, p Peer) {
			f := dialFake(t, p)
			for name, say := range g.faults {
				t.Run(name, func(t *testing.T) {
					place := p.Journal().Len()
					f.say(say)
					wantFinding(t, p, place)
				})
			}
		})
	}
}

// TestPeersFindBadResponses: a response that breaks a rule is a finding, too.
func TestPeersFindBadResponses(t *testing.T) {
	eachPeer(t, append(makers2, makers16...), func(t *testing.T, p Peer) {
		f := dialFake(t, p)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if got, err := p.Send("fake", "ClearCache", `{}`); err == nil && got.Code == "" {
				t.Errorf("got %v for a response that breaks a rule", got)
			}
		}()
		f.say(fmt.Sprintf(`[3,"%s",{"status":"Perhaps"}]`, f.hear().id))
		wantFinding(t, p, 0)
		_ = f.c.Close()
		<-done
	})
}

func wantFinding(t *testing.T, p Peer, place int) {
	t.Helper()
	if _, _, ok := p.Journal().Await(place, answerTimeout, func(e Entry) bool { return e.Kind == Finding }); !ok {
		t.Errorf("nothing was found wrong:\n%s", p.Journal())
	}
}
