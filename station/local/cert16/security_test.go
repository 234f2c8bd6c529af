package cert16_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
)

// pem stands for a certificate.
const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

// secured makes a charge point of security profile 1.
func secured(password string) func(*bench) {
	return func(b *bench) {
		p := b.options.Profiles[1]
		p.SecurityProfile = 1
		b.options.Profiles = map[int]station.NetworkProfile{1: p}
		b.options.Settings = append(b.options.Settings, setting("SecurityCtrlr", "BasicAuthPassword", password))
		b.password = password
	}
}

const oldKey, newKey = "sixteen-characters", "a-new-password-4-CP1"

// covers: TC_085_CS
func TestBasicAuthentication(t *testing.T) {
	play(t, secured(oldKey), func(b *bench) {
		b.booted()
		b.with(func() {
			r := b.requests[0]
			if user, _, ok := r.BasicAuth(); !ok || user != "CP1" {
				b.Errorf("user %q: %v", user, ok)
			}
			if !strings.HasSuffix(r.URL.Path, "/CP1") {
				b.Errorf("path %s", r.URL.Path)
			}
		})
	})
}

// covers: TC_085_CS
func TestBasicAuthenticationRefused(t *testing.T) {
	play(t, func(b *bench) {
		secured(oldKey)(b)
		b.password = newKey
	}, func(b *bench) {
		b.after(10 * time.Minute)
		if n := b.has("BootNotification"); n > 0 {
			b.Errorf("%d BootNotifications", n)
		}
		b.with(func() {
			if len(b.requests) < 3 {
				b.Errorf("%d attempts in 10 minutes", len(b.requests))
			}
			b.system.password = oldKey
		})
		b.wantWithin(time.Hour, "BootNotification", nil)
		b.status(1, "Available")
		b.forget()
	})
}

// handshake waits for the next one, and returns it.
func (b *bench) handshake(before int) (r *http.Request) {
	b.Helper()
	b.until("a new handshake", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.requests) > before {
			r = b.requests[len(b.requests)-1]
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
				b.answers("Rejected", "ChangeConfiguration", obj{"key": "AuthorizationKey", "value": "short"})
				var n int
				b.with(func() { n, b.password = len(b.requests), newKey })
				b.configure("AuthorizationKey", value)
				if _, given, _ := b.handshake(n).BasicAuth(); given != newKey {
					b.Errorf("password %q", given)
				}
				if got := b.key("AuthorizationKey"); got != "" {
					b.Errorf("the key is told: %q", got)
				}
				b.forget()
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
				b.answers("Rejected", "ChangeConfiguration", obj{"key": "SecurityProfile", "value": value})
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
		p := b.options.Profiles[1]
		p.URL, p.SecurityProfile, p.Password = "wss://central.test/ocpp", 2, oldKey
		b.options.Profiles = map[int]station.NetworkProfile{1: p}
	}, func(b *bench) {
		b.after(10 * time.Minute)
		b.with(func() {
			if len(b.requests) > 0 {
				b.Errorf("a station that was told to use TLS spoke without it: %v", b.requests[0].Header)
			}
		})
	})
}

// covers: TC_088_CS
func TestSubprotocol(t *testing.T) {
	play(t, func(b *bench) { b.picks = "ocpp1.5" }, func(b *bench) {
		b.after(5 * time.Minute)
		if n := b.has("BootNotification"); n > 0 {
			b.Errorf("%d BootNotifications to a Central System that speaks something else", n)
		}
		b.with(func() {
			if len(b.requests) < 2 || b.requests[0].Header.Get("Sec-WebSocket-Protocol") != subprotocol {
				b.Errorf("%d handshakes, the first for %q", len(b.requests), b.requests[0].Header.Get("Sec-WebSocket-Protocol"))
			}
			b.picks = ""
		})
		b.wantWithin(time.Hour, "BootNotification", nil)
		b.status(1, "Available")
		b.forget()
	})
}
