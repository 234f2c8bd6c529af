package virtual

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/seclog"
)

// read is the log of a station as it would be exported now, verified.
func (b *bubble) read(files *faultfs.FS) (string, seclog.Verified) {
	b.t.Helper()
	log, _, err := seclog.Open(files.Reboot(func() bool { return true }), seclog.Options{})
	b.must(err)
	text, err := log.Export("cs", time.Now(), time.Time{}, time.Time{})
	b.must(err)
	v, err := seclog.Verify(bytes.NewReader(text))
	b.must(err)
	return string(text), v
}

// wantTypes checks the kinds of the entries, in their order.
func (b *bubble) wantTypes(files *faultfs.FS, want ...string) {
	b.t.Helper()
	text, v := b.read(files)
	var got []string
	for _, l := range strings.Split(text, "\n") {
		if _, rest, ok := strings.Cut(l, `"type":"`); ok {
			kind, _, _ := strings.Cut(rest, `"`)
			got = append(got, kind)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || !v.Whole() {
		b.t.Fatalf("entries %v, want %v; %+v", got, want, v)
	}
}

// tamper opens the lid, or closes it: the world has it for the next start, and who watches the world tells the core.
func (b *bubble) tamper(on bool) {
	b.t.Helper()
	b.must(b.station.World().SetFault(halsim.FaultOptions{Code: term.FaultTamper, Active: on, Info: "lid open"}))
	if !b.station.Post(station.FaultChanged{Fault: term.FaultTamper, Active: on, Info: "lid open"}) {
		b.t.Fatal("the station takes nothing")
	}
}

func newLogged(t *testing.T) (*bubble, *faultfs.FS) {
	files := faultfs.New()
	b := newBubble(t, func(o *Options) { o.Storage.Files = files })
	b.start()
	return b, files
}

// The security log goes on over power cuts, reboots and a factory reset, and each input of the board that tells of tampering
// gets into it.
//
// covers: A04.FR.04
func TestSecurityLogSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, files := newLogged(t)
		b.wantTypes(files, station.StartupOfTheDevice)
		b.tamper(true)
		b.after(time.Second)
		b.wantTypes(files, station.StartupOfTheDevice, station.TamperDetectionActivated)
		b.tamper(false)
		b.must(b.station.PowerCycle(time.Second))
		b.after(5 * time.Second)
		b.wantTypes(files, station.StartupOfTheDevice, station.TamperDetectionActivated, station.StartupOfTheDevice)
		b.must(b.station.FactoryReset())
		b.after(time.Minute)
		b.wantTypes(files, station.StartupOfTheDevice, station.TamperDetectionActivated, station.StartupOfTheDevice, station.StartupOfTheDevice)
	})
}

// A log that was shortened while the station was off is told, to the CSMS and in the log, and goes on.
func TestShortenedSecurityLogIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, files := newLogged(t)
		b.after(2 * time.Minute) // the store writes down how far the log goes
		b.must(b.station.PowerOff(0))
		b.after(time.Second)
		b.must(files.Damage("seclog-1", func(content []byte) { clear(content) }))
		b.must(b.station.PowerOn())
		b.after(5 * time.Second)
		b.wantTypes(files, station.SecurityLogWasCleared, station.StartupOfTheDevice)
		if text, _ := b.read(files); !strings.Contains(text, `"ends at 0, was at 1"`) || !strings.Contains(text, `"after":1,`) {
			t.Errorf("the log is\n%s", text)
		}
		b.events.mu.Lock()
		defer b.events.mu.Unlock()
		if n := len(b.events.security); n != 3 || b.events.security[1].Type != station.SecurityLogWasCleared {
			t.Errorf("told %+v", b.events.security)
		}
	})
}

// While the device takes nothing, the station goes on; what happened is in the log once the device is well.
func TestSecurityLogWaitsForItsDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, files := newLogged(t)
		ill := true
		files.Script(func(c faultfs.Call) (faultfs.Fault, bool) {
			return faultfs.Fault{Kind: faultfs.Fail, Err: errors.New("input/output error")}, ill && strings.HasPrefix(c.File, "seclog")
		})
		b.tamper(true)
		b.after(time.Minute)
		b.wantTypes(files, station.StartupOfTheDevice)
		b.must(b.station.PowerCycle(time.Second)) // killed with the entry in the store alone
		b.after(time.Minute)
		ill = false
		files.Script(nil)
		b.after(time.Minute)
		b.wantTypes(files, station.StartupOfTheDevice, station.TamperDetectionActivated, station.StartupOfTheDevice, station.TamperDetectionActivated)
	})
}
