package dialect16

import (
	"strings"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// signedUpdate reads the whitepaper's L01.
func signedUpdate(m *msg16.SignedUpdateFirmwareRequest) station.Request {
	return station.UpdateFirmware{
		RequestID:     m.RequestID,
		HasRequestID:  true,
		URL:           strings.Clone(m.Firmware.Location),
		Retrieve:      m.Firmware.RetrieveDateTime,
		Install:       m.Firmware.InstallDateTime.V,
		Retries:       m.Retries.V,
		HasRetries:    m.Retries.Has,
		RetryInterval: seconds(m.RetryInterval.V),
		Certificate:   strings.Clone(m.Firmware.SigningCertificate),
		Signature:     strings.Clone(m.Firmware.Signature),
	}
}

// updateFirmware reads 1.6, 6.59. Its answer has no room for a reason, so that an address that nothing comes from is refused
// as a message.
func updateFirmware(m *msg16.UpdateFirmwareRequest) (station.Request, error) {
	if !station.Fetchable(m.Location) {
		return nil, invalid("location", station.FirmwareAddresses)
	}
	return station.UpdateFirmware{
		URL:           strings.Clone(m.Location),
		Retrieve:      m.RetrieveDate,
		Retries:       m.Retries.V,
		HasRetries:    m.Retries.Has,
		RetryInterval: seconds(m.RetryInterval.V),
		Plain:         true,
	}, nil
}

// firmwareStatus tells the status of an update in the words in which it was asked for: what has a number, by the whitepaper's
// message; what the CSMS triggers, by the one that it named.
func firmwareStatus(b *station.FirmwareStatus, t *ocpp.Table) msg16.Message {
	whitepaper := b.HasRequestID
	if b.Triggered {
		whitepaper = usesWhitepaper(triggerFirmware, t)
	}
	if whitepaper {
		return &msg16.SignedFirmwareStatusNotificationRequest{
			Status:    msg16.SignedFirmwareStatus(b.Status),
			RequestID: msg16.Opt[int]{V: b.RequestID, Has: b.HasRequestID},
		}
	}
	word, is := coreWord(b.Status)
	if !is && !b.Triggered {
		return nil
	}
	return &msg16.FirmwareStatusNotificationRequest{Status: word}
}

// coreWord returns the word of 1.6, 7.25 for a status; is says that it means the same. Where it does not, it is how far the
// update is in the words that there are.
func coreWord(status string) (word msg16.FirmwareStatus, is bool) {
	switch status {
	case "DownloadScheduled":
		return msg16.FirmwareStatusIdle, false
	case "DownloadPaused":
		return msg16.FirmwareStatusDownloading, false
	case "SignatureVerified", "InstallScheduled":
		return msg16.FirmwareStatusDownloaded, false
	case "InstallRebooting":
		return msg16.FirmwareStatusInstalling, false
	case "InvalidSignature", "InstallVerificationFailed":
		return msg16.FirmwareStatusInstallationFailed, true
	}
	return msg16.FirmwareStatus(status), true
}
