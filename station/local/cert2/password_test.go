package cert2_test

import (
	"strings"
	"testing"
	"time"
)

const (
	oldPassword = "aVeryGoodPassword-1"
	newPassword = "anotherGoodPassword-2"
)

// covers: TC_A_01_CS A00.FR.202 A00.FR.203 A00.FR.204
func TestBasicAuthentication(t *testing.T) {
	play(t, secured(oldPassword), func(b *bench) {
		b.booted("PowerUp")
		r := b.Handshakes()[0]
		if user, password, ok := r.BasicAuth(); !ok || user != "CS1" || password != oldPassword {
			b.Errorf("user %q, header %v", user, ok)
		}
		if r.TLS != nil || !strings.HasSuffix(r.URL.Path, "/CS1") {
			b.Errorf("connects to %s", r.URL)
		}
		if got := b.get("SecurityCtrlr", "SecurityProfile"); got != "1" {
			b.Errorf("security profile %q", got)
		}
	})
}

// A password that the CSMS does not take is an event, once the station is let in again; the station goes on trying.
// covers: TC_A_01_CS
func TestBasicAuthenticationRefused(t *testing.T) {
	play(t, func(b *bench) {
		secured(oldPassword)(b)
		b.With(func() { b.CSMS.Password = newPassword })
	}, func(b *bench) {
		b.After(5 * time.Minute)
		if n := b.Count("BootNotification", nil); n != 0 {
			b.Fatalf("%d boots", n)
		}
		if n := len(b.Handshakes()); n < 3 {
			b.Errorf("%d attempts in 5 minutes", n)
		}
		b.With(func() { b.CSMS.Password = oldPassword })
		b.WantWithin(10*time.Minute, "BootNotification", nil)
		b.available()
	})
}

// covers: TC_A_09_CS A01.FR.01 A01.FR.02 A01.FR.11
func TestPasswordChanged(t *testing.T) {
	play(t, secured(oldPassword), func(b *bench) {
		b.booted("PowerUp")
		b.With(func() { b.CSMS.Password = newPassword })
		b.set("Accepted", "SecurityCtrlr", "BasicAuthPassword", newPassword)
		b.Until("a connection with the new password", func() bool {
			all := b.Handshakes()
			_, password, _ := all[len(all)-1].BasicAuth()
			return password == newPassword
		})
		b.event("ReconfigurationOfSecurityParameters")
		if got := b.get("SecurityCtrlr", "BasicAuthPassword"); got != "" {
			b.Errorf("the password is told: %q", got)
		}
	})
}

// covers: TC_A_10_CS A01.FR.03
func TestPasswordTooShort(t *testing.T) {
	play(t, secured(oldPassword), func(b *bench) {
		b.booted("PowerUp")
		b.set("Rejected", "SecurityCtrlr", "BasicAuthPassword", "short")
		b.Hang()
		b.Until("a connection with the old password", func() bool { return len(b.Handshakes()) == 2 })
		if _, password, _ := b.Handshakes()[1].BasicAuth(); password != oldPassword {
			b.Errorf("another password after a refused one")
		}
	})
}
