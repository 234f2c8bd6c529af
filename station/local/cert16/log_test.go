package cert16_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/storage/seclog"

	"github.com/evsed/evsed/station/local/cases"
)

// arrived waits for the n-th file.
func (b *bench) arrived(n int) (f cases.File) {
	b.Helper()
	b.Until("a file", func() (come bool) {
		b.With(func() {
			if come = len(b.Files) >= n; come {
				f = b.Files[n-1]
			}
		})
		return come
	})
	return f
}

const logs = "http://user:pass-word@csms.test/logs/"

// wantLog checks a file: whole, for the one who may have it, and without what nobody may have.
func (b *bench) wantLog(f cases.File, name any) {
	b.Helper()
	if want, _ := name.(string); want == "" || f.Path != "/logs/"+want || f.User != "user" || f.Password != "pass-word" {
		b.Errorf("put at %s by %s, want %v", f.Path, f.User, name)
	}
	for _, want := range []string{"station: CS1\n", "[evse 2]\n", "protocol: ocpp1.6\n", "connected: true\n", "OCPPCommCtrlr.HeartbeatInterval = ", "[log]\n"} {
		if !strings.Contains(f.Data, want) {
			b.Errorf("no %q in\n%s", want, f.Data)
		}
	}
	for _, secret := range []string{oldKey, "pass-word", "TAG1", "BasicAuthPassword", "AuthorizationKey"} {
		if strings.Contains(f.Data, secret) {
			b.Errorf("%s is told in\n%s", secret, f.Data)
		}
	}
}

// covers: TC_045_1_CS
func TestGetDiagnostics(t *testing.T) {
	play(t, secured(oldKey), func(b *bench) {
		b.booted()
		b.charging(2, "TAG1")
		name := b.Call("GetDiagnostics", obj{"location": logs, "startTime": "2000-01-01T00:00:00Z", "retries": 1, "retryInterval": 10})["fileName"]
		b.Want("DiagnosticsStatusNotification", obj{"status": "Uploading"})
		b.wantLog(b.arrived(1), name)
		b.Want("DiagnosticsStatusNotification", obj{"status": "Uploaded"})
		b.Answers("Accepted", "TriggerMessage", obj{"requestedMessage": "DiagnosticsStatusNotification"})
		b.Want("DiagnosticsStatusNotification", obj{"status": "Idle"})
	})
}

// covers: TC_045_2_CS
func TestGetDiagnosticsUploadFails(t *testing.T) {
	ready(t, func(b *bench) {
		b.files("", http.StatusInternalServerError)
		b.Call("GetDiagnostics", obj{"location": logs, "retries": 2, "retryInterval": 20})
		b.Want("DiagnosticsStatusNotification", obj{"status": "Uploading"})
		b.WantWithin(2*time.Minute, "DiagnosticsStatusNotification", obj{"status": "UploadFailed"})
		b.With(func() {
			if n := len(b.Files); n != 3 {
				b.Errorf("%d attempts, want 3", n)
			}
		})
	})
}

// What the station cannot speak is refused at once, and what it speaks is told.
// covers: TC_045_1_CS TC_045_2_CS
func TestGetDiagnosticsByTFTP(t *testing.T) {
	ready(t, func(b *bench) {
		if r := b.Ask("GetDiagnostics", obj{"location": "tftp://csms.test/log"}); r.Code != "PropertyConstraintViolation" {
			b.Errorf("%v %q", r.Body, r.Code)
		}
		if got := strings.Split(b.key("SupportedFileTransferProtocols"), ","); !slices.Equal(got, []string{"FTP", "FTPS", "HTTP", "HTTPS"}) {
			b.Errorf("protocols %v", got)
		}
		b.None(time.Minute, "DiagnosticsStatusNotification", nil)
	})
}

// covers: TC_079_CS
func TestGetDiagnosticsLog(t *testing.T) {
	ready(t, func(b *bench) {
		get := func(id int) any {
			b.Helper()
			return b.Answers("Accepted", "GetLog", obj{"logType": "DiagnosticsLog", "requestId": id, "log": obj{"remoteLocation": logs}})["filename"]
		}
		name := get(7)
		b.Want("LogStatusNotification", obj{"status": "Uploading", "requestId": 7})
		b.wantLog(b.arrived(1), name)
		b.Want("LogStatusNotification", obj{"status": "Uploaded", "requestId": 7})
		for status, word := range map[int]string{http.StatusForbidden: "PermissionDenied", http.StatusBadRequest: "BadMessage", http.StatusNotImplemented: "NotSupportedOperation", http.StatusFound: "UploadFailure"} {
			b.files("", status)
			get(status)
			b.Want("LogStatusNotification", obj{"status": "Uploading", "requestId": status})
			b.Want("LogStatusNotification", obj{"status": word, "requestId": status})
		}
		b.Answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": "LogStatusNotification"})
		b.Want("LogStatusNotification", obj{"status": "Idle"})
	})
}

// A newer request takes the place of an upload that runs, which the simulator holds up.
// covers: TC_079_CS
func TestNewerLogCancelsOlder(t *testing.T) {
	ready(t, func(b *bench) {
		b.Post("upload", obj{"result": "ok", "stepMs": 600_000})
		log := func(status string, id int) {
			b.Helper()
			b.Answers(status, "GetLog", obj{"logType": "DiagnosticsLog", "requestId": id, "log": obj{"remoteLocation": logs}})
		}
		log("Accepted", 1)
		b.Want("LogStatusNotification", obj{"status": "Uploading", "requestId": 1})
		b.Answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": "LogStatusNotification"})
		b.Want("LogStatusNotification", obj{"status": "Uploading", "requestId": 1})
		log("AcceptedCanceled", 2)
		b.Want("LogStatusNotification", obj{"status": "UploadFailure", "requestId": 1}) // 1.6 has no other word
		b.Want("LogStatusNotification", obj{"status": "Uploading", "requestId": 2})
		b.Want("LogStatusNotification", obj{"status": "Uploaded", "requestId": 2})
		b.arrived(1)
	})
}

// covers: TC_079_CS
func TestGetSecurityLog(t *testing.T) {
	play(t, secured(oldKey), func(b *bench) {
		b.booted()
		b.charging(2, "TAG1")
		n := len(b.Handshakes())
		b.password(newKey)
		b.configure("AuthorizationKey", newKey) // ReconfigurationOfSecurityParameters
		b.handshake(n)
		get := func(id int, log obj) seclog.Verified {
			b.Helper()
			name := b.Answers("Accepted", "GetLog", obj{"logType": "SecurityLog", "requestId": id, "log": log})["filename"]
			b.Want("LogStatusNotification", obj{"status": "Uploading", "requestId": id})
			f := b.arrived(id)
			b.Want("LogStatusNotification", obj{"status": "Uploaded", "requestId": id})
			if want, _ := name.(string); !strings.HasPrefix(want, "CS1-security-") || f.Path != "/logs/"+want {
				b.Errorf("put at %s, want %v", f.Path, name)
			}
			v, err := seclog.Verify(strings.NewReader(f.Data))
			if err != nil || !v.Whole() || v.Station != "CS1" {
				b.Errorf("%+v, %v", v, err)
			}
			for _, secret := range []string{oldKey, newKey, "pass-word", "TAG1"} {
				if strings.Contains(f.Data, secret) {
					b.Errorf("%s is told in\n%s", secret, f.Data)
				}
			}
			return v
		}
		all := get(1, obj{"remoteLocation": logs})
		if text := b.Files[0].Data; all.Entries < 2 || !strings.Contains(text, `"StartupOfTheDevice"`) || !strings.Contains(text, `"ReconfigurationOfSecurityParameters"`) {
			b.Errorf("%+v of\n%s", all, text)
		}
		if none := get(2, obj{"remoteLocation": logs, "latestTimestamp": "1999-01-01T00:00:00Z"}); none.Entries != 0 {
			b.Errorf("%d entries of before the first", none.Entries)
		}
	})
}
