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
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// imagePath is where the Central System has its firmware, and past is a time before all others.
const (
	imagePath = "/image"
	image     = "http://csms.test" + imagePath
	past      = "2000-01-01T00:00:00Z"
)

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
		b.Answers("Accepted", "InstallCertificate", obj{"certificateType": makerRoot, "certificate": inPEM(maker.cert)})
		b.files("firmware", 0)
		run(b, maker.signer())
		b.Skip() // what else was said of the connectors
	})
}

// told reads the statuses of an update, in their order.
func (b *bench) told(action string, id any, statuses ...string) {
	b.Helper()
	for _, s := range statuses {
		b.Want(action, obj{"status": s, "requestId": id})
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
		b.files("firmware", 0)
		b.Call("UpdateFirmware", obj{"location": image, "retrieveDate": past})
		b.told(plainly, nil, "Downloading", "Downloaded", "Installing")
		b.Want("BootNotification", obj{"firmwareVersion": "0.1+1"})
		b.told(plainly, nil, "Installed")
		b.Want("SecurityEventNotification", obj{"type": "FirmwareUpdated", "techInfo": "0.1+1"})
		b.After(time.Second)
		b.Skip()
		b.charging(2, "TAG1")
	})
}

// covers: TC_044_2_CS
func TestUpdateFirmwareDownloadFails(t *testing.T) {
	ready(t, func(b *bench) {
		b.Call("UpdateFirmware", obj{"location": image, "retrieveDate": past})
		b.told(plainly, nil, "Downloading", "DownloadFailed")
		b.files("", http.StatusServiceUnavailable)
		b.Call("UpdateFirmware", obj{"location": image, "retrieveDate": past, "retries": 1, "retryInterval": 10})
		b.told(plainly, nil, "Downloading")
		b.None(8*time.Second, plainly, nil)
		b.told(plainly, nil, "DownloadFailed")
		b.charging(2, "TAG1")
	})
}

// covers: TC_044_3_CS
func TestUpdateFirmwareInstallationFails(t *testing.T) {
	ready(t, func(b *bench) {
		b.Post("firmware", obj{"install": "fail", "stepMs": 2000})
		b.Call("UpdateFirmware", obj{"location": image, "retrieveDate": past})
		b.told(plainly, nil, "Downloading", "Downloaded", "Installing", "InstallationFailed")
		b.None(time.Minute, "BootNotification", nil)
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
		b.Options.Settings = append(b.Options.Settings, cases.Set("SecurityCtrlr", "PlainUpdateFirmware", "false"))
	}, func(b *bench) {
		b.booted()
		if r := b.Ask("UpdateFirmware", obj{"location": image, "retrieveDate": past}); r.Code != "NotSupported" {
			b.Errorf("%v %q, want NotSupported", r.Body, r.Code)
		}
		b.None(time.Minute, plainly, nil)
	})
}

// covers: TC_080_CS
func TestSignedUpdateFirmware(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		b.Answers("Accepted", "SignedUpdateFirmware", s.update(7, "firmware"))
		b.told(whitepaper, 7, "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")
		b.Want("BootNotification", obj{"firmwareVersion": "0.1+1"})
		b.told(whitepaper, 7, "Installed")
		b.Want("SecurityEventNotification", obj{"type": "FirmwareUpdated"})
		b.Answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": plainly})
		b.Want(whitepaper, obj{"status": "Idle", "requestId": nil})
	})
}

// covers: TC_081_CS
func TestSignedUpdateFirmwareInvalidSignature(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		b.Answers("Accepted", "SignedUpdateFirmware", s.update(8, "other firmware"))
		b.told(whitepaper, 8, "Downloading", "Downloaded", "InvalidSignature")
		b.Want("SecurityEventNotification", obj{"type": "InvalidFirmwareSignature"})
		b.None(time.Minute, "BootNotification", nil)
		b.Answers("Accepted", "ExtendedTriggerMessage", obj{"requestedMessage": plainly})
		b.Want(whitepaper, obj{"status": "InvalidSignature", "requestId": 8})
	})
}

// covers: TC_081_CS
func TestSignedUpdateFirmwareInvalidCertificate(t *testing.T) {
	signed(t, func(b *bench, _ *signer) {
		b.Answers("InvalidCertificate", "SignedUpdateFirmware", newAuthority(b.T, "Stranger").signer().update(9, "firmware"))
		b.Want("SecurityEventNotification", obj{"type": "InvalidFirmwareSigningCertificate"})
		b.None(time.Minute, whitepaper, nil)
	})
}

// A transaction runs on: the image waits for its end, and nobody else begins (whitepaper L01.FR.18, L01.FR.19).
func TestSignedUpdateFirmwareWaitsForACar(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		tx := b.charging(2, "TAG1")
		b.Answers("Accepted", "SignedUpdateFirmware", s.update(10, "firmware"))
		b.told(whitepaper, 10, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.status(1, "Unavailable")
		b.None(10*time.Minute, whitepaper, nil)
		b.WantRelay(2, true)
		b.Answers("AcceptedCanceled", "SignedUpdateFirmware", s.update(11, "firmware"))
		b.told(whitepaper, 11, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
		b.Answers("Accepted", "RemoteStopTransaction", obj{"transactionId": tx})
		b.told(whitepaper, 11, "Installing", "InstallRebooting")
		b.boots()
		b.told(whitepaper, 11, "Installed")
		b.status(1, "Available")
	})
}

// The line is cut while an update goes on: every status comes afterwards, in its order.
func TestSignedUpdateFirmwareOffline(t *testing.T) {
	signed(t, func(b *bench, s *signer) {
		b.Post("firmware", obj{"stepMs": 5000})
		b.Answers("Accepted", "SignedUpdateFirmware", s.update(12, "firmware"))
		b.network(false)
		b.After(time.Minute)
		b.network(true)
		b.told(whitepaper, 12, "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed")
	})
}
