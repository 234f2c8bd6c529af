package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/rauc"
)

// installer is what firmware is installed into: the slots of evsed launch, or RAUC.
type installer interface {
	slot.Installer
	Return(code, why string) error
}

// Words of --slots.
const (
	raucSlots = "rauc:"
	raucUsage = "[--slots rauc:[unix:path=SOCKET]]"
	// raucFolder is where bundles and the note of RAUC's updates lie, in the state directory.
	raucFolder = "rauc"
)

// everyStart is how long a system that is on no trial may take to run well before the boot loader is told that it does.
const everyStart = time.Minute

func (o runOptions) checkSlots() error {
	switch {
	case o.slots != "" && !strings.HasPrefix(o.slots, raucSlots):
		return usagef("--slots %q: want rauc: or rauc:unix:path=SOCKET; slots in a folder are those of evsed launch", o.slots)
	case o.slots != "" && o.launched != nil:
		return usagef("--slots: evsed launch has slots of its own: want one of both")
	}
	return nil
}

// left makes of the end of a station that RAUC's next system is to follow the wish for a reboot.
func (o runOptions) left(err error) error {
	if o.slots != "" && errors.Is(err, virtual.ErrLeave) {
		return errRestart
	}
	return err
}

// openRAUC makes ready to install by RAUC. One that does not answer is told, and nothing else: the station charges without.
func (a *agent) openRAUC(o runOptions, vo *virtual.Options) error {
	if o.slots == "" {
		return nil
	}
	ctx, end := context.WithCancel(context.Background())
	r, err := rauc.Open(ctx, strings.TrimPrefix(o.slots, raucSlots), filepath.Join(o.state, raucFolder), rauc.Options{
		Version: vo.Station.Identity.FirmwareVersion,
		Alone:   func() bool { return a.station.Status().Protocol == "" },
		Progress: func(p rauc.Progress) {
			a.log.Debug("rauc", "percent", p.Percent, "step", p.Message)
		},
	})
	if err != nil {
		end()
		return usagef("--slots %s: %w", o.slots, err)
	}
	if err := r.Probe(); err != nil {
		a.log.Warn("slots", "rauc", err)
	}
	st := r.Status()
	a.log.Info("slots", "slot", string(st.Running.Slot), "version", st.Running.Version, "trial", st.Running.Trial, "returnedFrom", st.Running.ReturnedFrom, "code", st.Running.Code, "why", st.Running.Why)
	a.slots, a.endSlots = r, end
	vo.Firmware, vo.Leave = r, a.leave
	a.trial = &trial{slots: r, time: defaultTrial, alone: st.Running.Alone, guard: func() bool { return a.station.GuardWell() }, proved: a.proved,
		restart: func() { a.station.Restart(station.BootFirmwareUpdate) }, log: a.log}
	if !st.Running.Trial { // boot loaders count each start that nobody called good
		a.trial.slots, a.trial.time, a.trial.alone = startsOnly{r}, everyStart, true
		a.trial.proved, a.trial.restart = func() {}, func() {}
	}
	vo.Watch = witness{vo.Watch, a.trial}
	return nil
}

// startsOnly calls a start good, and takes back nothing: there is nothing on trial.
type startsOnly struct{ installer }

// Return leaves what runs.
func (startsOnly) Return(string, string) error { return nil }
