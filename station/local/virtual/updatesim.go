package virtual

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
)

// firmwareFile keeps which firmware a simulated station runs.
const firmwareFile = "firmware.json"

// FirmwarePlan is how the next simulated update goes.
type FirmwarePlan struct {
	Download  bool // whether the file comes
	Signature bool // whether it is what was signed
	Install   bool // whether it can be installed
	Unfit     bool // why not: the image itself is to blame
	Step      time.Duration
	Live      bool // it runs without a restart
	number    uint64
}

// simulated is firmware of a station that has none: an update changes the version that it tells. Without a plan the file is
// really downloaded and its signature really checked; then it is thrown away.
type simulated struct {
	s *Station

	mu   sync.Mutex // of at
	at   simulatedImage
	plan *FirmwarePlan
}

// simulatedImage is what the file keeps.
type simulatedImage struct {
	Version string `json:"version,omitempty"` // "": that of the seed
	Slot    string `json:"slot,omitempty"`
	Next    string `json:"next,omitempty"` // runs from the next start on
	Updates int    `json:"updates,omitempty"`
}

func newSimulated(s *Station) (*simulated, error) {
	f := &simulated{s: s}
	data, err := os.ReadFile(filepath.Join(s.o.Dir, firmwareFile))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &f.at)
	}
	if err != nil {
		return nil, fmt.Errorf("simulated firmware: %w: delete %s to begin anew", err, firmwareFile)
	}
	return f, nil
}

// keep writes what runs. The caller holds mu.
func (f *simulated) keep() error {
	data, err := json.Marshal(f.at)
	if err != nil {
		return err
	}
	path := filepath.Join(f.s.o.Dir, firmwareFile)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// start begins a life: what was activated runs from now on. A factory reset brings the seed's firmware back.
func (f *simulated) start(reset bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case reset:
		f.at = simulatedImage{}
	case f.at.Next != "":
		f.at.Version, f.at.Slot, f.at.Next = f.at.Next, other(f.at.Slot), ""
	default:
		return nil
	}
	return f.keep()
}

func other(slot string) string {
	if slot == "b" {
		return "a"
	}
	return "b"
}

func (f *simulated) running() station.Image {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := station.Image{Version: f.at.Version, Slot: f.at.Slot}
	if i.Version == "" {
		i.Version = f.s.o.Station.Identity.FirmwareVersion
	}
	if i.Slot == "" {
		i.Slot = "a"
	}
	return i
}

// planned returns the plan of an update, and forgets the one of an update before.
func (f *simulated) planned(number uint64) (FirmwarePlan, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.plan
	if p == nil {
		return FirmwarePlan{Install: true}, false
	}
	if p.number == 0 {
		p.number = number
	}
	if p.number != number {
		f.plan = nil
		return FirmwarePlan{Install: true}, false
	}
	return *p, true
}

func (f *simulated) fetch(ctx context.Context, c station.Fetch, from *transfer.Client, moved func()) station.FetchEnded {
	ended := station.FetchEnded{Number: c.Number}
	p, ok := f.planned(c.Number)
	if !ok {
		d := digest{Hash: sha256.New(), moved: moved}
		if err := from.Get(ctx, c.URL, &d); err != nil {
			ended.Code, ended.Final = fetchCode(err)
			return ended
		}
		ended.Digest, ended.Size = d.Sum(nil), d.n
		return ended
	}
	f.s.wait(ctx, p.Step)
	if !p.Download {
		ended.Code, ended.Final = codeSimulated, true
		return ended
	}
	sum := sha256.Sum256([]byte(c.URL))
	ended.Digest, ended.Verdict = sum[:], "fail"
	if p.Signature {
		ended.Verdict = "ok"
	}
	return ended
}

// codeSimulated is why a step fails that was planned to.
const codeSimulated = "FW-SIMULATED"

// digest is a transfer.Sink that keeps the sum of a file alone.
type digest struct {
	hash.Hash
	n     int64
	moved func()
}

func (d *digest) Write(p []byte) (int, error) {
	n, err := d.Hash.Write(p)
	d.n += int64(n)
	d.moved()
	return n, err
}

func (d *digest) Offset() int64 { return d.n }

func (d *digest) Truncate(size int64) error {
	if size != 0 {
		return errors.New("a sum has no middle")
	}
	d.Reset()
	d.n = 0
	return nil
}

func (f *simulated) install(ctx context.Context, c station.Install) station.InstallEnded {
	p, _ := f.planned(c.Number)
	f.s.wait(ctx, p.Step)
	if !p.Install {
		return station.InstallEnded{Number: c.Number, Code: codeSimulated, Unfit: p.Unfit}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return station.InstallEnded{Number: c.Number, Version: f.successor()}
}

// successor is the version behind the one that runs. The caller holds mu.
func (f *simulated) successor() string {
	v := f.s.o.Station.Identity.FirmwareVersion
	suffix := fmt.Sprintf("+%d", f.at.Updates+1)
	return v[:min(len(v), maxVersion-len(suffix))] + suffix
}

// maxVersion is how long a version may be that BootNotification tells, in characters.
const maxVersion = 50

func (f *simulated) activate(ctx context.Context, c station.Activate) station.Activated {
	p, _ := f.planned(c.Number)
	f.mu.Lock()
	defer f.mu.Unlock()
	a := station.Activated{Number: c.Number, Live: p.Live}
	next := f.successor()
	f.at.Updates++
	if p.Live {
		f.at.Version, f.at.Next = next, ""
	} else {
		f.at.Next = next
	}
	if err := f.keep(); err != nil {
		f.s.o.Log.Error("firmware", "err", err)
		a.Code, a.Live = "FW-SLOT", false
	}
	return a
}

// PlanFirmware says how the next simulated update goes, with all its attempts. false: updates are not simulated.
func (s *Station) PlanFirmware(p FirmwarePlan) bool {
	f, ok := s.firmware.(*simulated)
	if !ok {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p.number = 0
	f.plan = &p
	return true
}
