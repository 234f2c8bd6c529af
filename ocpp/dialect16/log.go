package dialect16

import (
	"strings"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// getLog reads the whitepaper's 5.8.
func getLog(m *msg16.GetLogRequest) station.Request {
	return station.GetLog{
		LogType:       string(m.LogType),
		RequestID:     m.RequestID,
		HasRequestID:  true,
		URL:           strings.Clone(m.Log.RemoteLocation),
		Oldest:        m.Log.OldestTimestamp.V,
		Latest:        m.Log.LatestTimestamp.V,
		Retries:       m.Retries.V,
		HasRetries:    m.Retries.Has,
		RetryInterval: seconds(m.RetryInterval.V),
	}
}

// getDiagnostics reads 1.6, 6.25. Its answer has no room for a reason, so that an address that no log can be put to is
// refused as a message.
func getDiagnostics(m *msg16.GetDiagnosticsRequest) (station.Request, error) {
	if !station.Fetchable(m.Location) {
		return nil, invalid("location", station.LogAddresses)
	}
	return station.GetLog{
		LogType:       station.DiagnosticsLog,
		URL:           strings.Clone(m.Location),
		Oldest:        m.StartTime.V,
		Latest:        m.StopTime.V,
		Retries:       m.Retries.V,
		HasRetries:    m.Retries.Has,
		RetryInterval: seconds(m.RetryInterval.V),
	}, nil
}

// log answers either: a log with a status; diagnostics with the name of the file, and with nothing where there is none.
func log(action string, b station.Log) msg16.Message {
	if action == "GetDiagnostics" {
		return &msg16.GetDiagnosticsResponse{FileName: optional(b.File)}
	}
	return &msg16.GetLogResponse{Status: msg16.LogStatus(b.Status.Status), Filename: optional(b.File)}
}

// logStatus tells the status of an upload in the words in which it was asked for: what has a number, by the whitepaper's
// message; what the CSMS triggers, by the one that it named.
func logStatus(b station.LogStatus, t *ocpp.Table) msg16.Message {
	whitepaper := b.HasRequestID
	if b.Triggered {
		whitepaper = usesWhitepaper(triggerLog, t)
	}
	if !whitepaper {
		return &msg16.DiagnosticsStatusNotificationRequest{Status: diagnosticsStatus(b.Status)}
	}
	return &msg16.LogStatusNotificationRequest{
		Status:    uploadStatus(b.Status),
		RequestID: msg16.Opt[int]{V: b.RequestID, Has: b.HasRequestID},
	}
}

// canceled is how the core calls an upload that a newer one has ended. 1.6 has no word for it: that file does not arrive.
const canceled = "AcceptedCanceled"

func uploadStatus(status string) msg16.UploadLogStatus {
	if status == canceled {
		return msg16.UploadLogStatusUploadFailure
	}
	return msg16.UploadLogStatus(status)
}

// diagnosticsStatus is one of four words: whatever kept the file from arriving is a failure.
func diagnosticsStatus(status string) msg16.DiagnosticsStatus {
	switch uploadStatus(status) {
	case msg16.UploadLogStatusBadMessage, msg16.UploadLogStatusPermissionDenied, msg16.UploadLogStatusNotSupportedOperation,
		msg16.UploadLogStatusUploadFailure:
		return msg16.DiagnosticsStatusUploadFailed
	}
	return msg16.DiagnosticsStatus(status)
}
