package cert16_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/storage/seclog"
)

// file is what the station has put.
type file struct {
	path, user, password string
	data                 string
}

// keep takes a file of the station, or refuses it as the case wants.
func (s *system) keep(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	user, password, _ := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, file{r.URL.Path, user, password, string(data)})
	if s.storage != 0 {
		w.WriteHeader(s.storage)
	}
}

// arrived waits for the n-th file.
func (b *bench) arrived(n int) (f file) {
	b.Helper()
	b.until("a file", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.files) >= n {
			f = b.files[n-1]
		}
		return len(b.files) >= n
	})
	return f
}

const logs = "http://user:pass-word@central.test/logs/"

// wantLog checks a file: whole, for the one who may have it, and without what nobody may have.
func (b *bench) wantLog(f file, name any) {
	b.Helper()
	if want, _ := name.(string); want == "" || f.path != "/logs/"+want || f.user != "user" || f.password != "pass-word" {
		b.Errorf("put at %s by %s, want %v", f.path, f.user, name)
	}
	for _, want := range []string{"station: CP1\n", "[evse 2]\n", "protocol: ocpp1.6\n", "connected: true\n", "OCPPCommCtrlr.HeartbeatInterval = ", "[log]\n"} {
		if !strings.Contains(f.data, want) {
			b.Errorf("no %q in\n%s", want, f.data)
		}
	}
	for _, secret := range []string{oldKey, "pass-word", "TAG1", "BasicAuthPassword", "AuthorizationKey"} {
		if strings.Contains(f.data, secret) {
			b.Errorf("%s is told in\n%s", secret, f.data)
		}
	}
}

// covers: TC_045_1_CS
func TestGetDiagnostics(t *testing.T) {
	play(t, secured(oldKey), func(b *bench) {
		b.booted()
		b.charging(2, "TAG1")
		name := b.call("GetDiagnostics", obj{"location": logs, "startTime": "2000-01-01T00:00:00Z", "retries": 1, "retryInterval": 10})["fileName"]
		b.want("DiagnosticsStatusNotification", obj{"status": "Uploading"})
		b.wantLog(b.arrived(1), name)
		b.want("DiagnosticsStatusNotification", obj{"status": "Uploaded"})
		b.answers("Accepted", "TriggerMessage", obj{"requestedMessage": "DiagnosticsStatusNotification"})
		b.want("DiagnosticsStatusNotification", obj{"status": "Idle"})
	})
}

// covers: TC_045_2_CS
func TestGetDiagnosticsUploadFails(t *testing.T) {
	ready(t, func(b *bench) {
		b.with(func() { b.storage = http.StatusInternalServerError })
		b.call("GetDiagnostics", obj{"location": logs, "retries": 2, "retryInterval": 20})
		b.want("DiagnosticsStatusNotification", obj{"status": "Uploading"})
		b.wantWithin(2*time.Minute, "DiagnosticsStatusNotification", obj{"status": "UploadFailed"})
		b.with(func() {
			if n := len(b.files); n != 3 {
				b.Errorf("%d attempts, want 3", n)
			}
		})
	})
}

// What the station cannot speak is refused at once, and what it speaks is told.
// covers: TC_045_1_CS TC_045_2_CS
func TestGetDiagnosticsByTFTP(t *testing.T) {
	ready(t, func(b *bench) {
		if r := b.ask("GetDiagnostics", obj{"location": "tftp://central.test/log"}); r.code != "PropertyConstraintViolation" {
			b.Errorf("%v %q", r.body, r.code)
		}
		if got := strings.Split(b.key("SupportedFileTransferProtocols"), ","); !slices.Equal(got, []string{"FTP", "FTPS", "HTTP", "HTTPS"}) {
			b.Errorf("protocols %v", got)
		}
		b.none(time.Minute, "DiagnosticsStatusNotification", nil)
	})
}

// covers: TC_079_CS
func TestGetDiagnosticsLog(t *testing.T) {
	ready(t, func(b *bench) {
		get := func(id int) any {
			b.Helper()
			return b.answers("Accepted", "GetLog", obj{"logType": "DiagnosticsLog", "requestId": id, "log": obj{"remoteLocation": logs}})["filename"]
		}
		name := get(7)
		b.want("LogStatusNotification", obj{"status": "Uploading", "requestId": 7})
		b.wantLog(b.arrived(1), name)
		b.want("LogStatusNotification", obj{"status": "Uploaded", "requestId": 7})
		for status, word := range map[int]string{http.StatusForbidden: "PermissionDenied", http.StatusBadRequest: "BadMessage", http.StatusNotImplemented: "NotSupportedOperation", http.StatusFound: "UploadFailure"} {
			b.with(func() { b.storage = status })
			get(status)
			b.want("LogStatusNotification", obj{"status": "Uploading", "requestId": status})
			b.want("LogStatusNotification", obj{"status": word, "requestId": status})
		}
		b.answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": "LogStatusNotification"})
		b.want("LogStatusNotification", obj{"status": "Idle"})
	})
}

// A newer request takes the place of an upload that runs, which the simulator holds up.
// covers: TC_079_CS
func TestNewerLogCancelsOlder(t *testing.T) {
	ready(t, func(b *bench) {
		b.post("upload", obj{"result": "ok", "stepMs": 600_000})
		log := func(status string, id int) {
			b.Helper()
			b.answers(status, "GetLog", obj{"logType": "DiagnosticsLog", "requestId": id, "log": obj{"remoteLocation": logs}})
		}
		log("Accepted", 1)
		b.want("LogStatusNotification", obj{"status": "Uploading", "requestId": 1})
		b.answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": "LogStatusNotification"})
		b.want("LogStatusNotification", obj{"status": "Uploading", "requestId": 1})
		log("AcceptedCanceled", 2)
		b.want("LogStatusNotification", obj{"status": "UploadFailure", "requestId": 1}) // 1.6 has no other word
		b.want("LogStatusNotification", obj{"status": "Uploading", "requestId": 2})
		b.want("LogStatusNotification", obj{"status": "Uploaded", "requestId": 2})
		b.arrived(1)
	})
}

// covers: TC_079_CS
func TestGetSecurityLog(t *testing.T) {
	play(t, secured(oldKey), func(b *bench) {
		b.booted()
		b.charging(2, "TAG1")
		var n int
		b.with(func() { n, b.password = len(b.requests), newKey })
		b.configure("AuthorizationKey", newKey) // ReconfigurationOfSecurityParameters
		b.handshake(n)
		get := func(id int, log obj) seclog.Verified {
			b.Helper()
			name := b.answers("Accepted", "GetLog", obj{"logType": "SecurityLog", "requestId": id, "log": log})["filename"]
			b.want("LogStatusNotification", obj{"status": "Uploading", "requestId": id})
			f := b.arrived(id)
			b.want("LogStatusNotification", obj{"status": "Uploaded", "requestId": id})
			if want, _ := name.(string); !strings.HasPrefix(want, "CP1-security-") || f.path != "/logs/"+want {
				b.Errorf("put at %s, want %v", f.path, name)
			}
			v, err := seclog.Verify(strings.NewReader(f.data))
			if err != nil || !v.Whole() || v.Station != "CP1" {
				b.Errorf("%+v, %v", v, err)
			}
			for _, secret := range []string{oldKey, newKey, "pass-word", "TAG1"} {
				if strings.Contains(f.data, secret) {
					b.Errorf("%s is told in\n%s", secret, f.data)
				}
			}
			return v
		}
		all := get(1, obj{"remoteLocation": logs})
		if text := b.files[0].data; all.Entries < 2 || !strings.Contains(text, `"StartupOfTheDevice"`) || !strings.Contains(text, `"ReconfigurationOfSecurityParameters"`) {
			b.Errorf("%+v of\n%s", all, text)
		}
		if none := get(2, obj{"remoteLocation": logs, "latestTimestamp": "1999-01-01T00:00:00Z"}); none.Entries != 0 {
			b.Errorf("%d entries of before the first", none.Entries)
		}
	})
}
