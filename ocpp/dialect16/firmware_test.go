package dialect16

import (
	"testing"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/station"
	fw "github.com/evsed/evsed/station/update"
)

// An update that has a number is told by the whitepaper's message in each of its statuses; the plain one of 1.6 by the core's,
// in those that have a word there; what the CSMS triggers has one always.
func TestFirmwareStatuses(t *testing.T) {
	for status, words := range map[fw.Status][2]string{ // told, triggered
		fw.Idle:                      {"Idle", "Idle"},
		fw.DownloadScheduled:         {"", "Idle"},
		fw.Downloading:               {"Downloading", "Downloading"},
		fw.DownloadPaused:            {"", "Downloading"},
		fw.Downloaded:                {"Downloaded", "Downloaded"},
		fw.DownloadFailed:            {"DownloadFailed", "DownloadFailed"},
		fw.SignatureVerified:         {"", "Downloaded"},
		fw.InvalidSignature:          {"InstallationFailed", "InstallationFailed"},
		fw.InstallScheduled:          {"", "Downloaded"},
		fw.Installing:                {"Installing", "Installing"},
		fw.InstallRebooting:          {"", "Installing"},
		fw.InstallationFailed:        {"InstallationFailed", "InstallationFailed"},
		fw.InstallVerificationFailed: {"InstallationFailed", "InstallationFailed"},
		fw.Installed:                 {"Installed", "Installed"},
	} {
		want := []string{
			`SignedFirmwareStatusNotification {"status":"` + string(status) + `","requestId":7}`,
			`FirmwareStatusNotification {"status":"` + words[0] + `"}`,
			`FirmwareStatusNotification {"status":"` + words[1] + `"}`,
		}
		if words[0] == "" {
			want[1] = ""
		}
		for i, b := range []station.FirmwareStatus{{RequestID: 7, HasRequestID: true}, {}, {RequestID: 7, HasRequestID: true, Triggered: true}} {
			b.Status = string(status)
			calls, err := New(evses).Encode(station.Report{Body: b}, ocpp.NewTable())
			got := ""
			for _, c := range calls {
				got += c.Action + " " + string(c.Payload)
			}
			if err != nil || got != want[i] {
				t.Errorf("%+v: %s, %v; want %s", b, got, err, want[i])
			}
		}
	}
}
