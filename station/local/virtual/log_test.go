package virtual_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/evsed/evsed/storage/seclog"
)

// A CSMS fetches the diagnostics over sockets: the log arrives where it wants it, under the name that it was told, and holds
// no secret.
// covers: N01.FR.01 N01.FR.02 N01.FR.03 N01.FR.04 N01.FR.21 N01.FR.25
func TestLogUpload(t *testing.T) {
	for _, version := range []string{"ocpp2.0.1", "ocpp2.1"} {
		t.Run(version, func(t *testing.T) {
			var mu sync.Mutex
			files := map[string]string{}
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				data, _ := io.ReadAll(r.Body)
				user, password, _ := r.BasicAuth()
				mu.Lock()
				defer mu.Unlock()
				files[fmt.Sprintf("%s %s by %s %s", r.Method, r.URL.Path, user, password)] = string(data)
			}))
			t.Cleanup(store.Close)
			s := open(t, version)
			url := strings.Replace(store.URL, "://", "://user:pass-word@", 1) + "/logs/"
			fetch := func(kind string) (data string) {
				t.Helper()
				answer, err := s.csms.Call(t.Context(), "cs", "GetLog", fmt.Appendf(nil, `{"logType":%q,"requestId":26,"log":{"remoteLocation":%q}}`, kind, url))
				s.must(err)
				var got struct{ Status, Filename string }
				s.must(json.Unmarshal([]byte(answer.Payload), &got))
				if !strings.HasPrefix(got.Status, "Accepted") || got.Filename == "" { // AcceptedCanceled: the one before is not told as ended yet
					t.Fatalf("answered %s", answer.Payload)
				}
				s.until("the file", func() (there bool) {
					mu.Lock()
					defer mu.Unlock()
					data, there = files["PUT /logs/"+got.Filename+" by user pass-word"]
					return there
				})
				return data
			}
			data := fetch("DiagnosticsLog")
			for _, want := range []string{"station: cs\n", "protocol: " + version + "\n", "[evse 2]\n", "messages waiting: ", "OCPPCommCtrlr.HeartbeatInterval = "} {
				if !strings.Contains(data, want) {
					t.Errorf("no %q in\n%s", want, data)
				}
			}
			for _, secret := range []string{"a password of 16+", "pass-word", "BasicAuthPassword"} {
				if strings.Contains(data, secret) {
					t.Errorf("%q is told in\n%s", secret, data)
				}
			}
			data = fetch("SecurityLog")
			if v, err := seclog.Verify(strings.NewReader(data)); err != nil || !v.Whole() || v.Station != "cs" || !strings.Contains(data, "StartupOfTheDevice") {
				t.Errorf("%+v, %v of\n%s", v, err, data)
			}
		})
	}
}
