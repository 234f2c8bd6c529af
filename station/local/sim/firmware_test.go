package sim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
)

func TestFirmware(t *testing.T) {
	b := newBench(t)
	var got []FirmwarePlan
	b.o.PlanFirmware = func(p FirmwarePlan) error {
		got = append(got, p)
		return nil
	}
	for _, c := range []struct {
		body string
		code int
	}{
		{`{}`, 200}, {`{"download":"fail","signature":"fail","install":"unfit","stepMs":500,"reboot":false}`, 200}, {`{"install":"fail"}`, 200},
		{`{"download":"maybe"}`, 400}, {`{"signature":"unfit"}`, 400}, {`{"stepMs":-1}`, 400}, {`{"reboot":1}`, 400}, {`{"version":"2"}`, 400},
	} {
		if code, answer := b.call("POST", base+"firmware", c.body); code != c.code {
			t.Errorf("%s: %d %s", c.body, code, answer)
		}
	}
	want := []FirmwarePlan{{Download: true, Signature: true, Install: true, Reboot: true}, {Unfit: true, Step: 500 * time.Millisecond}, {Download: true, Signature: true, Reboot: true}}
	if !slices.Equal(got, want) {
		t.Errorf("planned %+v, want %+v", got, want)
	}
	b.o.PlanFirmware = func(FirmwarePlan) error { return ErrNotSimulated }
	if code, _ := b.call("POST", base+"firmware", `{}`); code != http.StatusNotImplemented {
		t.Errorf("updates that are real: %d", code)
	}
}

// Statuses of an update are events.
func TestFirmwareEvents(t *testing.T) {
	l := NewLog(time.Now)
	l.Output(&station.Output{Reports: []station.Report{{Body: station.FirmwareStatus{Status: "Downloading", RequestID: 7, HasRequestID: true}},
		{Body: station.FirmwareStatus{Status: "DownloadFailed", Reason: "FW-NOTFOUND"}}}})
	if len(l.entries) != 2 {
		t.Fatalf("%d events", len(l.entries))
	}
	for i, want := range []string{`"requestId":7`, `"code":"FW-NOTFOUND"`} {
		if e := l.entries[i]; e.Type != "firmware" || !strings.Contains(string(e.Data), want) {
			t.Errorf("%s %s, want %s", e.Type, e.Data, want)
		}
	}
}
