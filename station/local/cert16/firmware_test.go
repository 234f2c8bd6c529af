package cert16_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// imagePath is where the Central System has its firmware, and past is a time before all others.
const (
	imagePath = "/image"
	image     = "http://central.test" + imagePath
	past      = "2000-01-01T00:00:00Z"
)

// giveImage hands the firmware out.
func (s *system) giveImage(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.storage != 0:
		w.WriteHeader(s.storage)
		return
	case s.image == "":
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, s.image)
}

// signer is who signs firmware for a manufacturer.
type signer struct {
	*testing.T
	cert string
	key  *ecdsa.PrivateKey
}

func (a *authority) signer() *signer {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	return &signer{a.T, inPEM(a.sign(&x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "signs firmware"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}, &key.PublicKey)), key}
}

// update is a SignedUpdateFirmware for a file.
func (s *signer) update(id int, file string) obj {
	s.Helper()
	sum := sha256.Sum256([]byte(file))
	sig, err := s.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		s.Fatal(err)
	}
	return obj{"requestId": id, "firmware": obj{"location": image, "retrieveDateTime": past, "signingCertificate": s.cert,
		"signature": base64.StdEncoding.EncodeToString(sig)}}
}

// signed plays a case against a charge point that knows its manufacturer, with firmware on the server.
func signed(t *testing.T, run func(*bench, *signer)) {
	t.Helper()
	ready(t, func(b *bench) {
		maker := newAuthority(b.T, "Maker")
		b.answers("Accepted", "InstallCertificate", obj{"certificateType": makerRoot, "certificate": inPEM(maker.cert)})
		b.with(func() { b.image = "firmware" })
		run(b, maker.signer())
		b.forget() // what else was said of the connectors
	})
}

// told reads the statuses of an update, in their order.
func (b *bench) told(action string, id any, statuses ...string) {
	b.Helper()
	for _, s := range statuses {
		b.want(action, obj{"status": s, "requestId": id})
	}
}

const (
	plainly    = "FirmwareStatusNotification"
	whitepaper = "SignedFirmwareStatusNotification"
)

// covers: TC_044_1_CS
func TestUpdateFirmware(t *testing.T) {
	ready(t, func(b *bench) {
		if got := strings.Split(b.key("SupportedFeatureProfiles"), ","); !slices.Contains(got, "FirmwareManagement") {
			b.Errorf("profiles %v", got)
		}
		b.with(func() { b.image = "firmware" })
		b.call("UpdateFirmware", obj{"location": image, "retrieveDate": past})
		b.told(plainly, nil, "Downloading", "Downloaded", "Installing")
		b.want("BootNotification", obj{"firmwareVersion": "0.1+1"})
		b.told(plainly, nil, "Installed")
		b.want("SecurityEventNotification", obj{"type": "FirmwareUpdated", "techInfo": "0.1+1"})
		b.after(time.Second)
		b.forget()
		b.charging(2, "TAG1")
	})
}

// covers: TC_044_2_CS
func TestUpdateFirmwareDownloadFails(t *testing.T) {
	ready(t, func(b *bench) {
		b.call("UpdateFirmware", obj{"location": image, "retrieveDate": past})
		b.told(plainly, nil, "Downloading", "DownloadFailed")
		b.with(func() { b.storage = http.StatusServiceUnavailable })
		b.call("UpdateFirmware", obj{"location": image, "retrieveDate": past, "retries": 1, "retryInterval": 10})
		b.told(plainly, nil, "Downloading")
		b.none(8*time.Second, plainly, nil)
		b.told(plainly, nil, "DownloadFailed")
		b.charging(2, "TAG1")
	})
}

// covers: TC_044_3_CS
func TestUpdateFirmwareInstallationFails(t *testing.T) {
	ready(t, func(b *bench) {
		b.post("firmware", obj{"install": "fail", "stepMs": 2000})
		b.call("UpdateFirmware", obj{"location": image, "retrieveDate": past})
		b.told(plainly, nil, "Downloading", "Downloaded", "Installing", "InstallationFailed")
		b.none(time.Minute, "BootNotification", nil)
		for c := range 3 { // while it was installed
			b.status(c, "Unavailable")
			b.status(c, "Available")
		}
		b.charging(2, "TAG1")
	})
}

// A station that keeps to the whitepaper refuses the plain message (L01.FR.20 there).
func TestUpdateFirmwareByTheWhitepaperAlone(t *testing.T) {
	play(t, func(b *bench) {
		b.options.Settings = append(b.options.Settings, setting("SecurityCtrlr", "PlainUpdateFirmware", "false"))
	}, func(b *bench) {
		b.booted()
		if r := b.ask("UpdateFirmware", obj{"location": image, "retrieveDate": past}); r.code != "NotSupported" {
			b.Errorf("%v %q, want NotSupported", r.body, r.code)
		}
		b.none(time.Minute, plainly, nil)
	})
}

// covers: TC_080_CS
func TestSignedUpdateFirmware(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		b.answers("Accepted", "SignedUpdateFirmware", s.update(7, "firmware"))
		b.told(whitepaper, 7, "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")
		b.want("BootNotification", obj{"firmwareVersion": "0.1+1"})
		b.told(whitepaper, 7, "Installed")
		b.want("SecurityEventNotification", obj{"type": "FirmwareUpdated"})
		b.answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": plainly})
		b.want(whitepaper, obj{"status": "Idle", "requestId": nil})
	})
}

// covers: TC_081_CS
func TestSignedUpdateFirmwareInvalidSignature(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		b.answers("Accepted", "SignedUpdateFirmware", s.update(8, "other firmware"))
		b.told(whitepaper, 8, "Downloading", "Downloaded", "InvalidSignature")
		b.want("SecurityEventNotification", obj{"type": "InvalidFirmwareSignature"})
		b.none(time.Minute, "BootNotification", nil)
		b.answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": plainly})
		b.want(whitepaper, obj{"status": "InvalidSignature", "requestId": 8})
	})
}

// covers: TC_081_CS
func TestSignedUpdateFirmwareInvalidCertificate(t *testing.T) {
	signed(t, func(b *bench, _ *signer) {
		b.answers("InvalidCertificate", "SignedUpdateFirmware", newAuthority(b.T, "Stranger").signer().update(9, "firmware"))
		b.want("SecurityEventNotification", obj{"type": "InvalidFirmwareSigningCertificate"})
		b.none(time.Minute, whitepaper, nil)
	})
}

// A transaction runs on: the image waits for its end, and nobody else begins (whitepaper L01.FR.18, L01.FR.19).
func TestSignedUpdateFirmwareWaitsForACar(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		tx := b.charging(2, "TAG1")
		b.answers("Accepted", "SignedUpdateFirmware", s.update(10, "firmware"))
		b.told(whitepaper, 10, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.status(1, "Unavailable")
		b.none(10*time.Minute, whitepaper, nil)
		b.wantRelay(2, true)
		b.answers("AcceptedCanceled", "SignedUpdateFirmware", s.update(11, "firmware"))
		b.told(whitepaper, 11, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.answers("Accepted", "RemoteStopTransaction", obj{"transactionId": tx})
		b.told(whitepaper, 11, "Installing", "InstallRebooting")
		b.boots()
		b.told(whitepaper, 11, "Installed")
		b.status(1, "Available")
	})
}

// The line is cut while an update goes on: every status comes afterwards, in its order.
func TestSignedUpdateFirmwareOffline(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		b.post("firmware", obj{"stepMs": 5000})
		b.answers("Accepted", "SignedUpdateFirmware", s.update(12, "firmware"))
		b.network(false)
		b.after(time.Minute)
		b.network(true)
		b.told(whitepaper, 12, "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed")
	})
}
