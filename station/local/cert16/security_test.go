package cert16_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"

	"github.com/evsed/evsed/station/local/cases"
)

// pem stands for a certificate.
const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

// secured makes a charge point of security profile 1.
func secured(password string) func(*bench) {
	return func(b *bench) {
		p := b.Options.Profiles[1]
		p.SecurityProfile = 1
		b.Options.Profiles = map[int]station.NetworkProfile{1: p}
		b.Options.Settings = append(b.Options.Settings, cases.Set("SecurityCtrlr", "BasicAuthPassword", password))
		b.password(password)
	}
}

const oldKey, newKey = "sixteen-characters", "a-new-password-4-CP1"

// covers: TC_085_CS
func TestBasicAuthentication(t *testing.T) {
	play(t, secured(oldKey), func(b *bench) {
		b.booted()
		r := b.Handshakes()[0]
		if user, _, ok := r.BasicAuth(); !ok || user != "CS1" {
			b.Errorf("user %q: %v", user, ok)
		}
		if !strings.HasSuffix(r.URL.Path, "/CS1") {
			b.Errorf("path %s", r.URL.Path)
		}
	})
}

// covers: TC_085_CS
func TestBasicAuthenticationRefused(t *testing.T) {
	play(t, func(b *bench) {
		secured(oldKey)(b)
		b.password(newKey)
	}, func(b *bench) {
		b.After(10 * time.Minute)
		if n := b.Count("BootNotification", nil); n > 0 {
			b.Errorf("%d BootNotifications", n)
		}
		if n := len(b.Handshakes()); n < 3 {
			b.Errorf("%d attempts in 10 minutes", n)
		}
		b.password(oldKey)
		b.WantWithin(time.Hour, "BootNotification", nil)
		b.status(1, "Available")
		b.Skip()
	})
}

// handshake waits for the next one, and returns it.
func (b *bench) handshake(before int) (r *http.Request) {
	b.Helper()
	b.Until("a new handshake", func() bool {
		all := b.Handshakes()
		if len(all) > before {
			r = all[len(all)-1]
		}
		return r != nil
	})
	return r
}

// covers: TC_073_CS
func TestPasswordUpdate(t *testing.T) {
	for kind, value := range map[string]string{"text": newKey, "hexadecimal": hex.EncodeToString([]byte(newKey))} {
		t.Run(kind, func(t *testing.T) {
			play(t, secured(oldKey), func(b *bench) {
				b.booted()
				b.Answers("Rejected", "ChangeConfiguration", obj{"key": "AuthorizationKey", "value": "short"})
				n := len(b.Handshakes())
				b.password(newKey)
				b.configure("AuthorizationKey", value)
				if _, given, _ := b.handshake(n).BasicAuth(); given != newKey {
					b.Errorf("password %q", given)
				}
				if got := b.key("AuthorizationKey"); got != "" {
					b.Errorf("the key is told: %q", got)
				}
				b.Skip()
				b.charging(2, "TAG1")
			})
		})
	}
}

// Without what TLS asks for - a root, a certificate - there is no way up, and never one down.
// covers: TC_084_CS
func TestSecurityProfileChange(t *testing.T) {
	for name, value := range map[string]string{"down": "0", "up to TLS": "2", "up to TLS with a certificate": "3", "nonsense": "4"} {
		t.Run(name, func(t *testing.T) {
			play(t, secured(oldKey), func(b *bench) {
				b.booted()
				if got := b.key("SecurityProfile"); got != "1" {
					b.Errorf("SecurityProfile %q", got)
				}
				b.Answers("Rejected", "ChangeConfiguration", obj{"key": "SecurityProfile", "value": value})
				if got := b.key("SecurityProfile"); got != "1" {
					b.Errorf("SecurityProfile %q", got)
				}
			})
		})
	}
}

// A profile of TLS without a root to trust the Central System by is not used at all.
// covers: TC_086_CS
func TestTLSWithoutARoot(t *testing.T) {
	play(t, func(b *bench) {
		p := b.Options.Profiles[1]
		p.URL, p.SecurityProfile, p.Password = "wss://csms.test/ocpp", 2, oldKey
		b.Options.Profiles = map[int]station.NetworkProfile{1: p}
	}, func(b *bench) {
		b.After(10 * time.Minute)
		if all := b.Handshakes(); len(all) > 0 {
			b.Errorf("a station that was told to use TLS spoke without it: %v", all[0].Header)
		}
	})
}

// covers: TC_088_CS
func TestSubprotocol(t *testing.T) {
	play(t, func(b *bench) { b.Picks = "ocpp1.5" }, func(b *bench) {
		b.After(5 * time.Minute)
		if n := b.Count("BootNotification", nil); n > 0 {
			b.Errorf("%d BootNotifications to a Central System that speaks something else", n)
		}
		if all := b.Handshakes(); len(all) < 2 || all[0].Header.Get("Sec-WebSocket-Protocol") != subprotocol {
			b.Errorf("%d handshakes, the first for %q", len(all), all[0].Header.Get("Sec-WebSocket-Protocol"))
		}
		b.With(func() { b.Picks = "" })
		b.WantWithin(time.Hour, "BootNotification", nil)
		b.status(1, "Available")
		b.Skip()
	})
}
