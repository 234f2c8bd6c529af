package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
)

// TestDamagedState damages the state directory between two boots, while a transaction is under way. The station starts,
// puts the bad file aside, says so on stderr and to the CSMS, finds its CSMS again, and makes no transaction up.
func TestDamagedState(t *testing.T) {
	remove := func(t *testing.T, path string) { must(t, os.Remove(path)) }
	edit := func(change func(b []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, change(b), 0o600))
		}
	}
	zero := edit(func(b []byte) []byte { return make([]byte, len(b)) })
	half := edit(func(b []byte) []byte { return b[:len(b)/2] })
	empty := edit(func([]byte) []byte { return nil })
	garbage := edit(func(b []byte) []byte { return slices.Repeat([]byte("garbage "), max(len(b)/8, 1)) })
	sectors := edit(func(b []byte) []byte { // every other sector of 512 bytes is lost
		for at := 512; at+512 <= len(b); at += 1024 {
			clear(b[at : at+512])
		}
		return b
	})
	directory := func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) }
	journal := func(damage func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			names, err := filepath.Glob(filepath.Join(dir, "journal-*"))
			must(t, err)
			if len(names) == 0 {
				t.Fatal("no journal")
			}
			for _, n := range names {
				damage(t, n)
			}
		}
	}
	file := func(name string, damage func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) { damage(t, filepath.Join(dir, name)) }
	}
	both := func(a, b func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) { a(t, dir); b(t, dir) }
	}
	for _, test := range []struct {
		name           string
		damage         func(t *testing.T, dir string)
		settings, lost bool // the settings are gone for certain; the transaction is
	}{
		{"settings are gone", file("settings.db", remove), false, false},
		{"settings are empty", file("settings.db", empty), false, false},
		{"settings are zero", file("settings.db", zero), false, false},
		{"settings are cut", file("settings.db", half), false, false},
		{"settings are garbage", file("settings.db", garbage), false, false},
		{"settings have lost sectors", file("settings.db", sectors), false, false},
		{"settings are a directory", file("settings.db", directory), false, false},
		{"settings and journal are garbage", both(file("settings.db", garbage), journal(garbage)), true, false},
		{"settings and journal are gone", both(file("settings.db", remove), journal(remove)), true, false},
		{"settings and journal are zero", both(file("settings.db", zero), journal(zero)), true, false},
		{"state is gone", file("state.db", remove), false, false},
		{"state is zero", file("state.db", zero), false, false},
		{"state is cut", file("state.db", half), false, false},
		{"state is garbage", file("state.db", garbage), false, false},
		{"state is a directory", file("state.db", directory), false, false},
		{"state and journal are garbage", both(file("state.db", garbage), journal(garbage)), false, true},
		{"state and journal are gone", both(file("state.db", remove), journal(remove)), false, true},
		{"all is garbage", both(both(file("state.db", garbage), file("settings.db", garbage)), journal(garbage)), true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			damageBetweenBoots(t, test.damage, test.settings, test.lost)
		})
	}
}

func damageBetweenBoots(t *testing.T, damage func(*testing.T, string), settings, lost bool) {
	var mu sync.Mutex
	var told []string
	c, url := backend(t, func(r csms.Request) {
		if ev, ok := r.Message.(*msg2.SecurityEventNotificationRequest); ok {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, ev.Type)
		}
	})
	p := newProcess(t, url, variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"), variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"),
		variable("SampledDataCtrlr", "TxUpdatedInterval", "1"))
	p.boot()
	p.charge()
	p.until("the CSMS has heard of some energy", func() bool { ts := c.Ledger().Transactions(); return len(ts) == 1 && len(ts[0].Events) >= 3 })
	known := c.Ledger().Transactions()[0].ID
	p.terminate()
	damage(t, p.dir)
	p.boot()
	p.connected()
	p.until("the CSMS hears of the damage", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(told, func(kind string) bool { return strings.Contains(kind, "StorageDamaged") })
	})
	p.do("/stop", `{}`)
	p.do("/evses/1/unplug", `{}`)
	p.until("all is told", func() bool { s := p.state(); return s.EVSEs[0].Transaction == nil && s.Station.PendingMessages == 0 })
	for _, tx := range c.Ledger().Transactions() {
		if tx.ID != known {
			t.Errorf("a transaction that nobody began: %+v", tx)
		}
		if tx.Open() != lost {
			t.Errorf("the transaction is open: %v, want %v", tx.Open(), lost)
		}
	}
	if wrong := c.Ledger().Check(nil); len(wrong) > 0 && !lost {
		t.Errorf("%q", wrong)
	}
	p.terminate()
	for _, want := range []string{"STO-", "level=WARN"} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("stderr does not say %q:\n%s", want, p.out.String())
		}
	}
	if settings && !lost && !strings.Contains(p.out.String(), "installed again as the seed has them") {
		t.Errorf("nothing is said of the settings:\n%s", p.out.String())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
