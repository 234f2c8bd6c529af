package virtual_test

import (
	"context"
	"encoding/json"
	"fmt"
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
			var ended atomic.Pointer[string]
			s.csms.On("LogStatusNotification", func(r csms.Request) csms.Answer {
				if m := r.Message.(*msg2.LogStatusNotificationRequest); m.Status != "Uploading" {
					status := string(m.Status)
					ended.Store(&status)
				}
				return csms.Answer{}
			})
			answer, err := s.csms.Call(t.Context(), "cs", "GetLog", fmt.Appendf(nil, `{"logType":"DiagnosticsLog","requestId":1,"retries":0,"log":{"remoteLocation":%q}}`, store.URL+"/logs/"))
			s.must(err)
			var got struct{ Status string }
			s.must(json.Unmarshal([]byte(answer.Payload), &got))
			s.until("the end of the upload", func() bool { return ended.Load() != nil })
			if status := *ended.Load(); row.arrives != (status == "Uploaded") || row.arrives != (asked.Load() > 0) {
				t.Errorf("%s, then %s after %d requests", got.Status, status, asked.Load())
			}
		})
	}
}
