package peertest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// makers are the peers, by the name of their subtests.
var makers = []struct {
	name string
	make func(Decide) (Peer, error)
}{
	{"ocpp-go/2.0.1", NewOCPPGo},
	{"mobilityhouse/2.0.1", func(d Decide) (Peer, error) { return NewMobilityHouse("2.0.1", d) }},
	{"mobilityhouse/2.1", func(d Decide) (Peer, error) { return NewMobilityHouse("2.1", d) }},
}

// eachPeer runs f against every peer that can be had here.
func eachPeer(t *testing.T, f func(t *testing.T, p Peer)) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			p, err := m.make(SayYes)
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
	eachPeer(t, func(t *testing.T, p Peer) {
		f := dialFake(t, p)
		f.say(`[2,"a","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]`)
		if got := f.hear(); got.typ != 3 || got.id != "a" || !strings.Contains(got.payload, `"Accepted"`) {
			t.Errorf("boot: got %+v", got)
		}
		f.say(`[2,"b","Authorize",{"idToken":{"idToken":"NO-WAY","type":"Central"}}]`)
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
	faults := map[string]string{
		"missing member":      `[2,"a","BootNotification",{"reason":"PowerUp"}]`,
		"not in enumeration":  `[2,"a","BootNotification",{"reason":"Whim","chargingStation":{"model":"m","vendorName":"v"}}]`,
		"too long":            `[2,"a","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"` + strings.Repeat("m", 21) + `","vendorName":"v"}}]`,
		"wrong type":          `[2,"a","StatusNotification",{"timestamp":"2026-11-22T07:01:35Z","connectorStatus":"Available","evseId":"1","connectorId":1}]`,
		"no call":             `[2,"a"]`,
		"action that is none": `[2,"a","Sing",{}]`,
	}
	eachPeer(t, func(t *testing.T, p Peer) {
		f := dialFake(t, p)
		for name, say := range faults {
			t.Run(name, func(t *testing.T) {
				place := p.Journal().Len()
				f.say(say)
				wantFinding(t, p, place)
			})
		}
	})
}

// TestPeersFindBadResponses: a response that breaks a rule is a finding, too.
func TestPeersFindBadResponses(t *testing.T) {
	eachPeer(t, func(t *testing.T, p Peer) {
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
