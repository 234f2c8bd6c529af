package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// getLog reads N01.
func getLog(m *msg2.GetLogRequest) station.Request {
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

// log answers N01 (N01.FR.01).
func (d *Dialect) log(b station.Log) msg2.Message {
	return &msg2.GetLogResponse{
		Status:     msg2.LogStatus(b.Status.Status),
		StatusInfo: d.statusInfo(b.Reason, b.Info),
		Filename:   optional(b.File),
	}
}

// logStatus tells the status of an upload (N01.FR.07, N01.FR.13). Why it failed is told since 2.1.
func (d *Dialect) logStatus(b *station.LogStatus) msg2.Message {
	m := &msg2.LogStatusNotificationRequest{
		Status:    msg2.UploadLogStatus(b.Status),
		RequestID: rpc.Opt[int]{V: b.RequestID, Has: b.HasRequestID},
	}
	if d.v == rpc.V21 {
		m.StatusInfo = d.statusInfo(b.Reason, "")
	}
	return m
}
