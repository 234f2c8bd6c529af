package virtual_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/virtual"
)

// W30: a CSMS that is elsewhere does not get at what listens on the station, and where the fitter lists hosts, at no other.
func TestWhereFilesGo(t *testing.T) {
	hosts := func(list string) virtual.Transfers {
		h, err := transfer.ParseHosts(list)
		if err != nil {
			t.Fatal(err)
		}
		return virtual.Transfers{Hosts: h}
	}
	for _, row := range []struct {
		name    string
		csms    string // as the profile names it
		files   virtual.Transfers
		arrives bool
	}{
		{"a CSMS elsewhere", "csms.test", virtual.Transfers{}, false},
		{"a CSMS on the station", "127.0.0.1", virtual.Transfers{}, true},
		{"a list that holds the host", "csms.test", hosts("127.0.0.1"), true},
		{"a list that does not", "127.0.0.1", hosts("files.test,192.0.2.0/24"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var asked atomic.Int32
			store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
			t.Cleanup(store.Close)
			s := openWith(t, func(o *virtual.Options, at net.Addr) {
				_, port, _ := net.SplitHostPort(at.String())
				p := o.Profiles[1]
				p.URL = "ws://" + net.JoinHostPort(row.csms, port)
				o.Profiles = map[int]station.NetworkProfile{1: p}
				o.Files = row.files
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, strings.Replace(address, "csms.test", "127.0.0.1", 1))
				}
			}, "ocpp2.0.1")
			status := s.upload(store.URL + "/logs/")
			if row.arrives != (status == "Uploaded") || row.arrives != (asked.Load() > 0) {
				t.Errorf("%s after %d requests", status, asked.Load())
			}
		})
	}
}

// upload asks for the diagnostics and returns how that ended.
func (s *site) upload(url string) string {
	s.t.Helper()
	var ended atomic.Pointer[string]
	s.csms.On("LogStatusNotification", func(r csms.Request) csms.Answer {
		if m := r.Message.(*msg2.LogStatusNotificationRequest); m.Status != "Uploading" {
			status := string(m.Status)
			ended.Store(&status)
		}
		return csms.Answer{}
	})
	s.ask("GetLog", fmt.Sprintf(`{"logType":"DiagnosticsLog","requestId":1,"retries":0,"log":{"remoteLocation":%q}}`, url))
	s.until("the end of the upload", func() bool { return ended.Load() != nil })
	return *ended.Load()
}

// ask makes a request of the CSMS, which the station must accept.
func (s *site) ask(action, payload string) {
	s.t.Helper()
	answer, err := s.csms.Call(s.t.Context(), "cs", action, []byte(payload))
	s.must(err)
	var got struct{ Status string }
	s.must(json.Unmarshal([]byte(answer.Payload), &got))
	if got.Status != "Accepted" {
		s.t.Fatalf("%s: %s", action, answer.Payload)
	}
}

// A server of files is held against the roots that the CSMS has installed, from the next upload on.
// covers: N01.FR.15
func TestTrustInServersOfFiles(t *testing.T) {
	var asked atomic.Int32
	store := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	store.Config.ErrorLog = log.New(io.Discard, "", 0)
	store.StartTLS()
	t.Cleanup(store.Close)
	s := openWith(t, func(o *virtual.Options, _ net.Addr) { o.Files.OwnRoots = true }, "ocpp2.0.1")
	if status := s.upload(store.URL + "/logs/"); status == "Uploaded" || asked.Load() > 0 {
		t.Errorf("to a server that nobody vouches for: %s after %d requests", status, asked.Load())
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: store.Certificate().Raw})
	s.ask("InstallCertificate", fmt.Sprintf(`{"certificateType":"CSMSRootCertificate","certificate":%q}`, root))
	if status := s.upload(store.URL + "/logs/"); status != "Uploaded" || asked.Load() != 1 {
		t.Errorf("to a server of the CSMS: %s after %d requests", status, asked.Load())
	}
}
