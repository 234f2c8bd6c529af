package link

import (
	"io"
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

// soapIn runs f in a bubble with a link over SOAP, whose calls answer takes, n counting them.
func soapIn(t *testing.T, change func(*Options), answer func(w *world, n int, rw http.ResponseWriter, m soap.Message), f func(w *world)) {
	t.Helper()
	options := func(o *Options) {
		o.Dialects = []ocpp.Dialect{plain{rpc.V21}, overSOAP{plain{rpc.V16}}}
		o.Config.Profiles[0].URL = "http://csms.test/ocpp"
		if change != nil {
			change(o)
		}
	}
	in(t, options, func(w *world, n int, rw http.ResponseWriter, r *http.Request) {
		if m, ok := soapCall(t, r); ok {
			answer(w, n, rw, m)
		}
	}, f)
}

// soapCall reads a call of the station.
func soapCall(t *testing.T, r *http.Request) (soap.Message, bool) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return soap.Message{}, false // the station has given it up
	}
	m, err := soap.Parse(raw, soap.CentralSystem)
	if err != nil {
		t.Errorf("the link sends %v\n%s", err, raw)
	}
	return m, err == nil
}

// A CSMS that does not take the password of a call is met as one that does not take it in a handshake: attempts further and
// further apart, and a security event at most once an hour. 403 is no word about the password.
func TestSOAPRefusesThePassword(t *testing.T) {
	fault := func(m soap.Message) []byte {
		return soap.AppendFault(nil, m.Version, soap.CentralSystem, soap.Header{}, soap.Fault{Code: soap.Sender, Subcode: soap.SecurityError, Reason: "no"})
	}
	for _, c := range []struct {
		name   string
		status int
		body   func(soap.Message) []byte
		told   int // in a day
	}{
		{"401", 401, nil, 24},
		{"401 with a fault", 401, fault, 24},
		{"403", 403, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var at []time.Duration
			answer := func(w *world, _ int, rw http.ResponseWriter, m soap.Message) {
				at = append(at, time.Since(w.start)/time.Second)
				rw.WriteHeader(c.status)
				if c.body != nil {
					rw.Write(c.body(m))
				}
			}
			soapIn(t, nil, answer, func(w *world) {
				if told := w.bootForADay(); told > c.told || told < c.told-1 {
					t.Errorf("told %d times in a day, want %d", told, c.told)
				}
				if want := []time.Duration{0, 10, 30, 70, 150, 230, 310, 390}; !slices.Equal(at[:len(want)], want) {
					t.Errorf("called after %v s, want %v s", at[:len(want)], want)
				}
			})
		})
	}
}

// A CSMS that answers with the fault SecurityError, and not with 401, says the same of the password: the security event comes at
// most once an hour.
func TestSOAPFaultSecurityError(t *testing.T) {
	answer := func(_ *world, _ int, rw http.ResponseWriter, m soap.Message) {
		rw.WriteHeader(http.StatusInternalServerError)
		rw.Write(soap.AppendFault(nil, m.Version, soap.CentralSystem, soap.Header{}, soap.Fault{Code: soap.Sender, Subcode: soap.SecurityError, Reason: "no"}))
	}
	soapIn(t, nil, answer, func(w *world) {
		told := 0
		for end := time.After(150 * time.Minute); ; {
			select {
			case ev := <-w.events:
				switch ev.(type) {
				case station.LinkUp:
					w.l.Send(boot(1))
				case station.ReplyReceived:
					time.Sleep(time.Minute)
					w.l.Send(boot(1))
				case station.AuthRefused:
					told++
				}
				continue
			case <-end:
			}
			break
		}
		if told != 3 {
			t.Errorf("told %d times in 150 minutes, want 3", told)
		}
	})
}

// A password that was good until now is refused: the connection is lost at once, the core hears why, and what was under way
// is told when the password is good again.
func TestSOAPRefusesThePasswordLater(t *testing.T) {
	var mu sync.Mutex
	good := true
	set := func(v bool) {
		mu.Lock()
		defer mu.Unlock()
		good = v
	}
	answer := func(_ *world, _ int, rw http.ResponseWriter, m soap.Message) {
		mu.Lock()
		defer mu.Unlock()
		if !good {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		accepted(rw, nil, m)
	}
	soapIn(t, nil, answer, func(w *world) {
		heartbeat := func() { w.l.Send(station.Report{ID: 2, Body: station.Heartbeat{}}) }
		w.l.SetGate(station.RegistrationAccepted)
		w.want(0, "up")
		heartbeat()
		w.want(0, "reply 2 HeartbeatReply")
		refused := func() {
			t.Helper()
			heartbeat()
			w.want(0, "down")
			w.want(0, "reply 2 Unanswered")
		}
		set(false)
		refused()
		w.want(0, "station.AuthRefused")
		w.want(10*time.Second, "up")
		refused() // within the hour that is not told again
		w.want(20*time.Second, "up")
		set(true)
		heartbeat()
		w.want(0, "reply 2 HeartbeatReply")
		set(false)
		refused()
		w.want(0, "station.AuthRefused") // it had been let in meanwhile
		w.want(10*time.Second, "up")
	})
}

// What the log says of it names the call, not a handshake.
func TestRefusedCallSaysWhatItIs(t *testing.T) {
	if got := (&RefusedError{401, true}).Error(); !strings.HasPrefix(got, "server answered the call with 401 Unauthorized: it does not accept") {
		t.Error(got)
	}
}
