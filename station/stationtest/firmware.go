package stationtest

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
)

// firmware is what the station runs, and what became of its orders about another one.
type firmware struct {
	runs  station.Image
	good  station.Image   // what a trial returns to
	next  string          // version that the next start tries; "": none
	check string          // version of the image that was found good
	step  station.Command // under way; nil: none

	last station.ReportID       // of the newest status that the CSMS heard
	told station.FirmwareStatus // which was that
}

func (f *firmware) init() { f.runs = station.Image{Version: "1", Slot: "a"} }

// boot starts what is due: an image on trial that has not proved itself gives way to what was good.
func (f *firmware) boot() station.Image {
	switch {
	case f.next != "":
		f.good = station.Image{Version: f.runs.Version, Slot: f.runs.Slot}
		f.runs = station.Image{Version: f.next, Slot: map[string]string{"a": "b", "b": "a"}[f.runs.Slot], Trial: true}
		f.next = ""
	case f.runs.Trial:
		f.good.GaveUp, f.good.Why = f.runs.Version, "nobody has accepted it"
		f.runs = f.good
	}
	return f.runs
}

// seed gives a new station its manufacturer's root.
func (f *firmware) seed(b *Bench, st *station.Station) error {
	if !b.cfg.Firmware || len(st.Roots(cert.ManufacturerRootCertificate)) > 0 {
		return nil
	}
	rs, err := st.SeedCertificate(cert.ManufacturerRootCertificate, []byte(manufacturer("Maker").root()), "")
	b.store.write(rs, true)
	return err
}

func (f *firmware) command(b *Bench, c station.Command) {
	switch c := c.(type) {
	case station.CancelFetch:
		if f.step == nil {
			b.check.fail(b, "%v, and nothing is under way", c)
		}
		f.step = nil
		return
	case station.Install, station.Activate:
		if b.Station != nil && len(b.check.running) > 0 {
			b.check.fail(b, "%T while a transaction runs", c)
		}
	}
	if f.step != nil {
		b.check.fail(b, "%T, and %T is under way", c, f.step)
	}
	f.step = c
}

func describeFirmware(c station.Command) string {
	switch c := c.(type) {
	case station.Fetch:
		return fmt.Sprintf("fetch %d %s", c.Number, c.URL) + choose(c.Resume, " resume", "")
	case station.CancelFetch:
		return fmt.Sprintf("cancel fetch %d", c.Number)
	case station.Install:
		return fmt.Sprintf("install %d %x", c.Number, c.Digest[:4])
	case station.Activate:
		return fmt.Sprintf("activate %d", c.Number)
	}
	return ""
}

// doFetched ends the download: fetched [code=FW-NOTFOUND [final]] [sum=other].
func doFetched(b *Bench, l line) error {
	c, ok := b.fw.step.(station.Fetch)
	if !ok {
		return fmt.Errorf("nothing is fetched")
	}
	b.fw.step = nil
	ev := station.FetchEnded{Number: c.Number, Code: l.keys["code"], Final: l.has("final")}
	if ev.Code == "" {
		sum := sha256.Sum256([]byte("firmware" + l.keys["sum"]))
		ev.Digest, ev.Size = sum[:], 8
	}
	b.step(ev)
	return nil
}

func doFetching(b *Bench, _ line) error {
	c, ok := b.fw.step.(station.Fetch)
	if !ok {
		return fmt.Errorf("nothing is fetched")
	}
	b.step(station.FetchProgress{Number: c.Number})
	return nil
}

// doInstalled ends the check of an image: installed [version=2] [code=FW-IMAGE [unfit]].
func doInstalled(b *Bench, l line) error {
	c, ok := b.fw.step.(station.Install)
	if !ok {
		return fmt.Errorf("nothing is installed")
	}
	b.fw.step = nil
	ev := station.InstallEnded{Number: c.Number, Code: l.keys["code"], Unfit: l.has("unfit")}
	if ev.Code == "" {
		ev.Version = "2"
		if v := l.keys["version"]; v != "" {
			ev.Version = v
		}
		b.fw.check = ev.Version
	}
	b.step(ev)
	return nil
}

// doActivated ends an activation: activated [live] [code=FW-SLOT] [ignored]. ignored: the next start does not heed it.
func doActivated(b *Bench, l line) error {
	c, ok := b.fw.step.(station.Activate)
	if !ok {
		return fmt.Errorf("nothing is activated")
	}
	b.fw.step = nil
	ev := station.Activated{Number: c.Number, Code: l.keys["code"], Live: l.has("live")}
	switch {
	case ev.Code != "":
	case ev.Live:
		b.fw.runs = station.Image{Version: b.fw.check, Slot: b.fw.runs.Slot}
	case !l.has("ignored"):
		b.fw.next = b.fw.check
	}
	b.step(ev)
	return nil
}

// doProved keeps the image that runs on trial.
func doProved(b *Bench, _ line) error {
	if !b.fw.runs.Trial {
		return fmt.Errorf("nothing is on trial")
	}
	b.fw.runs.Trial = false
	b.step(station.ImageProved{})
	return nil
}

func parseUpdateFirmware(b *Bench, l line) (station.Request, error) {
	r := station.UpdateFirmware{URL: l.keys["url"]}
	_, r.HasRequestID = l.keys["id"]
	_, r.HasRetries = l.keys["retries"]
	r.Plain = !r.HasRequestID
	var err error
	if r.RequestID, err = l.number("id"); err != nil {
		return nil, err
	}
	if r.Retries, err = l.number("retries"); err != nil {
		return nil, err
	}
	if r.RetryInterval, err = l.duration("interval", 0); err != nil {
		return nil, err
	}
	from, err := l.duration("from", -2*time.Hour)
	if err != nil {
		return nil, err
	}
	r.Retrieve = b.wall().Add(from)
	if _, ok := l.keys["install"]; ok {
		d, err := l.duration("install", 0)
		if err != nil {
			return nil, err
		}
		r.Install = b.wall().Add(d)
	}
	if !r.Plain {
		r.Certificate, r.Signature = signFirmware(l.keys["cert"], l.keys["sig"])
	}
	return r, nil
}

// signFirmware returns a certificate and a signature over the firmware: good ones, "bad" ones, or none.
func signFirmware(certificate, signature string) (text, sig string) {
	m := manufacturer(choose(certificate == "bad", "Stranger", "Maker"))
	if certificate != "none" {
		text = m.signer()
	}
	if signature != "none" {
		sum := sha256.Sum256([]byte(choose(signature == "bad", "other firmware", "firmware")))
		der, err := key(m.name+" signs").Sign(nil, sum[:], crypto.SHA256)
		if err != nil {
			panic("stationtest: " + err.Error())
		}
		sig = base64.StdEncoding.EncodeToString(der)
	}
	return text, sig
}

// follows are the statuses that may follow on one, and whether a new update may.
var follows = map[string]struct {
	next string
	anew bool
}{
	"":                          {"", true},
	"DownloadScheduled":         {"Downloading", true},
	"Downloading":               {"DownloadPaused Downloaded DownloadFailed", true},
	"DownloadPaused":            {"Downloading", true},
	"DownloadFailed":            {"", true},
	"Downloaded":                {"SignatureVerified InvalidSignature InstallScheduled Installing", false},
	"InvalidSignature":          {"", true},
	"SignatureVerified":         {"InstallScheduled Installing", false},
	"InstallScheduled":          {"Installing", true},
	"Installing":                {"InstallRebooting InstallationFailed InstallVerificationFailed", false},
	"InstallRebooting":          {"Installed InstallationFailed", false},
	"InstallationFailed":        {"", true},
	"InstallVerificationFailed": {"", true},
	"Installed":                 {"", true},
}

// heard holds what the CSMS hears of updates against their order: every status, and none twice, over power cuts too.
func (f *firmware) heard(b *Bench, r station.Report, st station.FirmwareStatus) {
	if r.Class != station.Kept || r.ID <= f.last {
		return
	}
	from := follows[f.told.Status]
	same := st.RequestID == f.told.RequestID && slices.Contains(strings.Fields(from.next), st.Status)
	anew := from.anew && (st.Status == "DownloadScheduled" || st.Status == "Downloading")
	if !same && !anew {
		b.check.fail(b, "the CSMS hears %s of %d behind %s of %d", st.Status, st.RequestID, f.told.Status, f.told.RequestID)
	}
	f.last, f.told = r.ID, st
}

// UpdateTold is the status of an update that the CSMS heard last.
func (b *Bench) UpdateTold() station.FirmwareStatus { return b.fw.told }
