package virtual

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/keys"
)

const sealedPassword = "0123456789ABCDEF"

// password is what the core has.
func (b *bubble) password() string {
	b.t.Helper()
	resp, err := b.station.Ask(b.t.Context(), station.GetInventory{})
	b.must(err)
	for _, r := range resp.Body.(station.Inventory).Rows {
		if r.Variable.Name == "BasicAuthPassword" {
			return r.Attributes[0].Value
		}
	}
	b.t.Fatal("no such variable")
	return ""
}

// sealed is a bubble whose station has a password, and a profile with another one.
func sealed(t *testing.T, dir, spec string, notices *[]string) *bubble {
	var mu sync.Mutex
	return newBubble(t, func(o *Options) {
		store, err := keys.Open(spec, dir)
		if err != nil {
			t.Fatal(err)
		}
		o.Dir, o.Keys = dir, store
		o.Settings = append(o.Settings, setting("SecurityCtrlr", "BasicAuthPassword", sealedPassword))
		o.Station.Slots = []int{1}
		o.Priority = []int{1}
		o.Profiles = map[int]station.NetworkProfile{1: {URL: "ws://csms.test", SecurityProfile: 1, MessageTimeout: time.Second, Password: "another-password"}}
		o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
		o.Notice = func(n Notice) {
			mu.Lock()
			defer mu.Unlock()
			*notices = append(*notices, n.Kind+" "+n.Text)
		}
	})
}

func secretsIn(t *testing.T, dir string) (where []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), sealedPassword) || strings.Contains(string(content), "another-password") {
			where = append(where, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// TestPasswordsLieSealed: they are on no file of the state, survive a restart, and a factory reset begins with a new key.
func TestPasswordsLieSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var notices []string
		b := sealed(t, dir, "file", &notices)
		b.start()
		for _, when := range []string{"first boot", "restart", "factory reset", "restart after it"} {
			if got := b.password(); got != sealedPassword {
				t.Errorf("%s: password %q", when, got)
			}
			if where := secretsIn(t, dir); len(where) > 0 {
				t.Errorf("%s: passwords lie open in %v", when, where)
			}
			if when == "restart" {
				b.must(b.station.FactoryReset())
			} else {
				b.station.Restart(station.BootRemoteReset)
			}
			b.after(time.Second)
		}
		if s := strings.Join(notices, "; "); strings.Contains(s, "STO-") {
			t.Error(s)
		}
	})
}

// TestTheVaultsKeyIsLost: the station starts and says what is gone; where its CSMS is, it knows still. With the key back all is
// as it was.
func TestTheVaultsKeyIsLost(t *testing.T) {
	dir, kept := t.TempDir(), ""
	for _, act := range []string{"first boot", "the key is lost", "it is back"} {
		synctest.Test(t, func(t *testing.T) {
			vault := filepath.Join(dir, keys.Folder, "vault")
			switch act {
			case "the key is lost":
				content, err := os.ReadFile(vault)
				if err != nil {
					t.Fatal(err)
				}
				kept = string(content)
				if err := os.Remove(vault); err != nil {
					t.Fatal(err)
				}
			case "it is back":
				if err := os.WriteFile(vault, []byte(kept), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var notices []string
			b := sealed(t, dir, "file", &notices)
			b.start()
			want, told := sealedPassword, false
			if act == "the key is lost" {
				want, told = "", true
			}
			if got := b.password(); got != want {
				t.Errorf("%s: password %q", act, got)
			}
			b.after(time.Minute)
			s := strings.Join(notices, "; ")
			if strings.Contains(s, "STO-SEALED") != told || strings.Contains(s, "installed again") || strings.Contains(s, sealedPassword) {
				t.Errorf("%s: %s", act, s)
			}
			if p, ok := b.station.alive().core.NetworkProfile(1); !ok || p.URL != "ws://csms.test" || (p.Password == "") != told {
				t.Errorf("%s: profile %v, %q, password is %q", act, ok, p.URL, p.Password)
			}
		})
	}
}
