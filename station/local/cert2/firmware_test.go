package cert2_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// maker is who makes the firmware of a station.
type maker struct {
	root        *cases.Authority
	certificate string
	key         crypto.Signer
	image       []byte
}

// made gives the station the root of its maker, and the CSMS an image.
func (b *bench) made() *maker {
	b.Helper()
	m := &maker{root: cases.NewRoot(b.T, "maker"), image: bytes.Repeat([]byte("firmware"), 20_000)}
	m.certificate, m.key = m.root.Signing(nil)
	b.install("Accepted", "ManufacturerRootCertificate", m.root.PEM())
	b.serve(m.image)
	return m
}

// serve lets the CSMS have a file.
func (b *bench) serve(image []byte) {
	b.With(func() {
		b.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			http.ServeContent(w, r, "image", time.Time{}, bytes.NewReader(image))
		})
	})
}

// signature is that of an image, as OCPP carries it.
func (m *maker) signature(b *bench, image []byte) string {
	b.Helper()
	sum := sha256.Sum256(image)
	sig, err := m.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// firmware is what an UpdateFirmware asks for: at once, if nothing else is said.
func (m *maker) firmware(b *bench, change obj) obj {
	b.Helper()
	past := time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	f := obj{"location": "http://" + cases.Host + "/image", "retrieveDateTime": past, "installDateTime": past, "signingCertificate": m.certificate,
		"signature": m.signature(b, m.image)}
	for k, v := range change {
		if f[k] = v; v == nil {
			delete(f, k)
		}
	}
	return f
}

// update asks for an update.
func (b *bench) update(status string, id int, firmware obj) {
	b.Helper()
	b.Answers(status, "UpdateFirmware", obj{"requestId": id, "firmware": firmware})
}

// told reads the statuses of an update, each of which is the next one that is told.
func (b *bench) told(id int, statuses ...string) {
	b.Helper()
	for _, s := range statuses {
		h := b.WantWithin(10*time.Minute, "FirmwareStatusNotification", nil)
		if h.Body["status"] != s || cases.Member(obj(h.Body), "requestId") == nil {
			b.Fatalf("%s, want %s of %d", h, s, id)
		}
	}
}

// later is a time to come.
func later(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

// updated reads the end of an update: the station is back with another version, and has told that it was installed.
func (b *bench) updated(id int) {
	b.Helper()
	boot := b.WantWithin(10*time.Minute, "BootNotification", obj{"reason": "FirmwareUpdate"})
	if v := cases.Member(boot.Body, "chargingStation.firmwareVersion"); v == "0.1" || v == nil {
		b.Errorf("firmware version %v after the update", v)
	}
	b.told(id, "Installed")
	b.event("FirmwareUpdated")
	b.After(time.Minute)
	b.Skip()
	b.Answers("Accepted", "TriggerMessage", obj{"requestedMessage": "FirmwareStatusNotification"})
	if got := b.Want("FirmwareStatusNotification", nil)["status"]; got != "Idle" {
		b.Errorf("after an update: %v", got)
	}
	b.ended(2, b.charging(2))
}

// covers: TC_L_01_CS L01.FR.01 L01.FR.04 L01.FR.10 L01.FR.12 L01.FR.20 L01.FR.25 L01.FR.28 L01.FR.31 L01.FR.32
func TestUpdate(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.update("Accepted", 7, m.firmware(b, nil))
		b.told(7, "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")
		b.updated(7)
	})
}

// covers: TC_L_02_CS L01.FR.16
func TestInstallScheduled(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.update("Accepted", 7, m.firmware(b, obj{"installDateTime": later(2 * time.Hour)}))
		b.told(7, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.None(time.Hour, "FirmwareStatusNotification", nil)
		b.After(time.Hour)
		b.told(7, "Installing", "InstallRebooting")
		b.updated(7)
	})
}

// covers: TC_L_03_CS L01.FR.13
func TestDownloadScheduled(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.update("Accepted", 7, m.firmware(b, obj{"retrieveDateTime": later(2 * time.Hour)}))
		b.told(7, "DownloadScheduled")
		b.None(time.Hour, "FirmwareStatusNotification", nil)
		b.After(time.Hour)
		b.told(7, "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")
		b.updated(7)
	})
}

// A download that the power cuts off is begun again, from the address that was kept.
func TestPowerCutWhileDownloading(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.With(func() {
			b.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		})
		b.update("Accepted", 7, m.firmware(b, nil))
		b.told(7, "Downloading")
		b.Post("power", obj{"on": false})
		b.After(10 * time.Second)
		b.serve(m.image)
		b.Post("power", obj{"on": true})
		b.WantWithin(time.Minute, "FirmwareStatusNotification", obj{"status": "Downloaded", "requestId": 7})
		b.told(7, "SignatureVerified", "Installing", "InstallRebooting")
		b.updated(7)
	})
}

// covers: TC_L_05_CS L01.FR.02 L01.FR.21 L01.FR.22
func TestWrongSigningCertificate(t *testing.T) {
	for name, make := range map[string]func(m *maker) string{
		"of a stranger": func(m *maker) string {
			text, _ := cases.NewRoot(t, "maker").Signing(nil)
			return text
		},
		"expired": func(m *maker) string {
			text, _ := m.root.Signing(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
			})
			return text
		},
		"none": func(*maker) string { return "hello" },
	} {
		t.Run(name, func(t *testing.T) {
			ready(t, func(b *bench) {
				m := b.made()
				b.update("InvalidCertificate", 7, m.firmware(b, obj{"signingCertificate": make(m)}))
				b.event("InvalidFirmwareSigningCertificate")
				b.None(time.Minute, "FirmwareStatusNotification", nil)
			})
		})
	}
}

// covers: TC_L_06_CS L01.FR.03
func TestWrongSignature(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.update("Accepted", 7, m.firmware(b, obj{"signature": m.signature(b, []byte("another"))}))
		b.told(7, "Downloading", "Downloaded", "InvalidSignature")
		b.event("InvalidFirmwareSignature")
		b.ended(2, b.charging(2))
		b.None(time.Hour, "BootNotification", nil)
	})
}

// covers: TC_L_07_CS L01.FR.30
func TestDownloadFails(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.With(func() {
			b.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		})
		b.Answers("Accepted", "UpdateFirmware", obj{"requestId": 7, "retries": 2, "retryInterval": 10, "firmware": m.firmware(b, nil)})
		b.told(7, "Downloading")
		b.Want("FirmwareStatusNotification", obj{"status": "DownloadFailed", "requestId": 7})
		b.ended(2, b.charging(2))
	})
}

// The image came whole, and is none for this station.
// covers: TC_L_08_CS L01.FR.29
func TestInstallFails(t *testing.T) {
	for install, status := range map[string]string{"fail": "InstallationFailed", "unfit": "InstallVerificationFailed"} {
		t.Run(install, func(t *testing.T) {
			ready(t, func(b *bench) {
				m := b.made()
				b.Post("firmware", obj{"install": install, "stepMs": 1000})
				b.update("Accepted", 7, m.firmware(b, nil))
				b.told(7, "Downloading", "Downloaded", "SignatureVerified", "Installing", status)
				b.After(time.Minute)
				b.Skip()
				b.ended(2, b.charging(2))
			})
		})
	}
}

// covers: TC_L_10_CS L01.FR.24
func TestNewerUpdateCancelsOlder(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.update("Accepted", 7, m.firmware(b, obj{"installDateTime": later(2 * time.Hour)}))
		b.told(7, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.update("AcceptedCanceled", 8, m.firmware(b, nil))
		b.Want("FirmwareStatusNotification", obj{"requestId": 8, "status": "Downloading"})
		b.told(8, "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")
		b.updated(8)
	})
}

// covers: TC_L_11_CS L01.FR.27
func TestUpdateThatCannotBeCanceled(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.Post("firmware", obj{"stepMs": 20_000})
		b.update("Accepted", 7, m.firmware(b, nil))
		b.told(7, "Downloading", "Downloaded", "SignatureVerified", "Installing")
		b.update("Rejected", 8, m.firmware(b, nil))
		b.told(7, "InstallRebooting")
		b.updated(7)
	})
}

// An image waits for the sessions that run; what else may begin meanwhile is up to AllowNewSessionsPendingFirmwareUpdate.
// covers: TC_L_12_CS TC_L_13_CS TC_L_14_CS TC_L_15_CS L01.FR.06 L01.FR.07 L01.FR.33
func TestUpdateWaitsForSessions(t *testing.T) {
	for _, allow := range []string{"true", "false"} {
		t.Run(allow, func(t *testing.T) {
			ready(t, func(b *bench) {
				m := b.made()
				b.set("Accepted", "ChargingStation", "AllowNewSessionsPendingFirmwareUpdate", allow)
				tx := b.charging(2)
				b.update("Accepted", 7, m.firmware(b, nil))
				b.told(7, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
				if allow == "true" {
					second := b.charging(1)
					b.ended(2, tx)
					b.None(10*time.Minute, "FirmwareStatusNotification", nil)
					b.Swipe(1, "CAFE01")
					b.Want("TransactionEvent", obj{"eventType": "Ended", "transactionInfo.transactionId": second})
					b.Unplug(1)
				} else {
					b.status(1, "Unavailable")
					b.Plug(1) // nobody is served there
					b.Swipe(1, "CAFE02")
					b.None(10*time.Minute, "TransactionEvent", obj{"eventType": "Started", "evse.id": 1})
					b.Unplug(1)
					b.Unplug(2)
					b.Want("TransactionEvent", obj{"eventType": "Ended", "transactionInfo.transactionId": tx})
				}
				b.told(7, "Installing", "InstallRebooting")
				b.Skip()
				b.updated(7)
			})
		})
	}
}

// Firmware that needs no restart takes over without one; it waits for the sessions as any other does.
// covers: TC_L_16_CS
func TestUpdateWithoutRestart(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		b.Post("firmware", obj{"reboot": false, "stepMs": 100})
		tx := b.charging(2)
		b.update("Accepted", 7, m.firmware(b, nil))
		b.told(7, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.None(time.Hour, "FirmwareStatusNotification", nil)
		b.Unplug(2)
		b.Want("TransactionEvent", obj{"eventType": "Ended", "transactionInfo.transactionId": tx})
		b.told(7, "Installing", "InstallRebooting", "Installed")
		b.event("FirmwareUpdated")
		b.After(time.Minute)
		b.Skip()
	})
}

// covers: TC_L_18_CS
func TestUnsignedUpdate(t *testing.T) {
	ready(t, func(b *bench) {
		m := b.made()
		body := b.Call("UpdateFirmware", obj{"requestId": 7, "firmware": m.firmware(b, obj{"signingCertificate": nil, "signature": nil})})
		if s := body["status"]; s != "Rejected" && s != "InvalidCertificate" {
			b.Errorf("%v", body)
		}
		b.None(time.Hour, "FirmwareStatusNotification", nil)
	})
}
