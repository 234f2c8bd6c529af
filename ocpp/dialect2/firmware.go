package dialect2

import (
	"strings"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// updateFirmware reads L01.
func updateFirmware(m *msg2.UpdateFirmwareRequest) station.Request {
	return station.UpdateFirmware{
		RequestID:     m.RequestID,
		HasRequestID:  true,
		URL:           strings.Clone(m.Firmware.Location),
		Retrieve:      m.Firmware.RetrieveDateTime,
		Install:       m.Firmware.InstallDateTime.V,
		Retries:       m.Retries.V,
		HasRetries:    m.Retries.Has,
		RetryInterval: seconds(m.RetryInterval.V),
		Certificate:   strings.Clone(m.Firmware.SigningCertificate.V),
		Signature:     strings.Clone(m.Firmware.Signature.V),
	}
}

// firmwareStatus tells the status of an update (L01.FR.01, L01.FR.10). Why it failed is told since 2.1.
func (d *Dialect) firmwareStatus(b *station.FirmwareStatus) msg2.Message {
	m := &msg2.FirmwareStatusNotificationRequest{
		Status:    msg2.FirmwareStatus(b.Status),
		RequestID: rpc.Opt[int]{V: b.RequestID, Has: b.HasRequestID},
	}
	if d.v == rpc.V21 {
		m.StatusInfo = d.statusInfo(b.Reason, b.Info)
	}
	return m
}
