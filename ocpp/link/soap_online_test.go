package link

import (
	"net/http"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
)

// Over SOAP being connected means that the last call was answered: not that a socket opens, and not that an earlier one was.
func TestSOAPIsOnlineWhileCallsAreAnswered(t *testing.T) {
	w := newSOAPWorld(t, nil)
	w.want("up")
	if s := w.l.Status(); s.Connected {
		t.Errorf("connected before a word was said: %+v", s)
	}
	w.l.Send(boot(1))
	w.want("reply 1 BootReply")
	w.l.SetGate(station.RegistrationAccepted)
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request, soap.Message)
		want   []string
		online bool
	}{
		{"an answer", accepted, []string{"reply 2 HeartbeatReply"}, true},
		{"a fault", func(rw http.ResponseWriter, _ *http.Request, m soap.Message) { faultSOAP(rw, m) }, []string{"reply 2 Refused InternalError"}, true},
		{"a gateway", func(rw http.ResponseWriter, _ *http.Request, _ soap.Message) { rw.WriteHeader(http.StatusBadGateway) }, []string{"down", "reply 2 Unanswered", "up"}, false},
		{"an answer again", accepted, []string{"reply 2 HeartbeatReply"}, true},
		{"a cut", func(http.ResponseWriter, *http.Request, soap.Message) { panic(http.ErrAbortHandler) }, []string{"down", "reply 2 Unanswered", "up"}, false},
	} {
		w.answers(c.answer)
		w.l.Send(station.Report{ID: 2, Body: station.Heartbeat{}})
		for _, line := range c.want {
			w.want(line)
		}
		if s := w.l.Status(); s.Connected != c.online {
			t.Errorf("after %s: %+v", c.name, s)
		}
	}
}

// of is overSOAP of another version.
type of struct {
	overSOAP
	v soap.Version
}

func (d of) SOAP() soap.Version { return d.v }

// One listener serves one version, that of the profile. A CSMS that calls in another one is told so, and nothing
// comes of it.
func TestSOAPListenerServesOneVersion(t *testing.T) {
	versions := []soap.Version{soap.V12, soap.V15, soap.V16}
	for _, served := range versions {
		t.Run(served.String(), func(t *testing.T) {
			w := newSOAPWorld(t, func(o *Options) {
				o.Dialects = []ocpp.Dialect{of{overSOAP{plain{rpc.V16}}, served}}
				o.Config.Profiles[0].Versions = []string{soapSubprotocol(served)}
			})
			w.answers(func(rw http.ResponseWriter, _ *http.Request, m soap.Message) { // a boot that is refused still tells the address
				faultSOAP(rw, m)
			})
			w.want("up")
			w.l.Send(boot(1))
			w.want("reply 1 Refused")
			from := w.last().From
			for _, called := range versions {
				if called == served {
					continue
				}
				status, m, err := post(t, from, request(t, called, "ClearCache", "CP 1", "{}"), nil)
				switch {
				case err != nil || m.Fault == nil:
					t.Errorf("%v: %v, %+v", called, err, m)
				case status != 500 || m.Fault.Subcode != soap.NotSupported || m.RelatesTo != "urn:uuid:7":
					t.Errorf("%v: %d, %+v about %q", called, status, m.Fault, m.RelatesTo)
				case !strings.Contains(m.Fault.Reason, "OCPP "+served.String()):
					t.Errorf("%v: %q does not say what is spoken", called, m.Fault.Reason)
				}
			}
			if n := w.l.Stats().Requests; n != 0 {
				t.Errorf("%d requests reached the core", n)
			}
			done := w.core("Accepted", 1)
			if status, _, err := post(t, from, request(t, served, "ClearCache", "CP 1", "{}"), nil); status != 200 || err != nil {
				t.Errorf("its own: %d %v", status, err)
			}
			<-done
		})
	}
}
