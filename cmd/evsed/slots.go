package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/virtual"
	"github.com/evsed/evsed/storage/slot"
)

// errRestart ends the process for another program to start: exit code exitRestart.
var errRestart = errors.New("another slot is next")

// takeLaunched reads what the launcher told; nil when evsed was started without one. Nobody that this process starts hears it.
func takeLaunched() (*launched, error) {
	text, there := os.LookupEnv(bootVariable)
	if !there {
		return nil, nil
	}
	if err := os.Unsetenv(bootVariable); err != nil {
		return nil, err
	}
	l := &launched{}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		return nil, usagef("%s: %w: it is for evsed launch to set", bootVariable, err)
	}
	if l.Slots == "" || l.Trial < minTrial {
		return nil, usagef("%s: want what evsed launch sets", bootVariable)
	}
	// What was started by its descriptor is called after it otherwise; without it they see the path's.
	_ = os.WriteFile("/proc/self/comm", []byte("evsed"), 0)
	return l, nil
}

// reap waits for the watcher, which ends with the trial: this process is its parent.
func (l *launched) reap() {
	if l.Watcher > 0 {
		go func() {
			for err := error(syscall.EINTR); err == syscall.EINTR; {
				_, err = syscall.Wait4(l.Watcher, nil, 0, nil)
			}
		}()
	}
}

// openSlots opens the slots for a station that the launcher started, and its trial if it is on one.
func (a *agent) openSlots(l *launched, vo *virtual.Options) error {
	if l == nil {
		return nil
	}
	o, err := l.options()
	if err != nil {
		return err
	}
	o.Now = a.trustedTime
	o.Alone = func() bool { return a.station.Status().Protocol == "" }
	if a.slots, err = slot.Open(o); err != nil {
		return usagef("--slots %s: %w", l.Slots, err)
	}
	a.log.Info("slots", "slot", string(l.Boot.Slot), "version", l.Boot.Version, "trial", l.Boot.Trial, "returnedFrom", l.Boot.ReturnedFrom, "code", l.Boot.Code, "why", l.Boot.Why)
	vo.Leave = a.leave
	vo.Firmware = a.slots
	if l.Boot.Trial {
		a.trial = &trial{slots: a.slots, time: l.duration(), alone: l.Boot.Alone, guard: func() bool { return a.station.GuardWell() },
			proved: a.proved, restart: func() { a.station.Restart(station.BootFirmwareUpdate) }, log: a.log}
		vo.Watch = witness{vo.Watch, a.trial}
		l.reap()
	}
	return nil
}

// firstTrusted is before any clock that was set: what stands earlier counts from a date of its own.
var firstTrusted = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// trustedTime is the station's time; zero while nobody has set its clock.
func (a *agent) trustedTime() time.Time {
	if now := a.station.Clock().Wall(); now.After(firstTrusted) {
		return now
	}
	return time.Time{}
}

// proved tells the station that it runs what it will run.
func (a *agent) proved() {
	for !a.station.Post(station.ImageProved{}) { // its inbox is full: it has seconds
		time.Sleep(trialTick)
		if !a.station.GuardWell() {
			return // another life begins, and knows by itself
		}
	}
}

// leave tells between two lives of the station whether this process is to end for another slot.
func (a *agent) leave() bool {
	st := a.slots.Status()
	return st.Next != st.Running.Slot || a.trial != nil && a.trial.failed.Load()
}

// ended makes of the end of a station on trial the end of its trial: what cannot even run is not started twice.
func (l *launched) ended(err error) error {
	switch {
	case l == nil || err == nil:
		return err
	case errors.Is(err, virtual.ErrLeave):
		return errRestart
	case !l.Boot.Trial:
		return err
	}
	o, failed := l.options()
	if failed != nil {
		return errors.Join(err, failed)
	}
	slots, failed := slot.Open(o)
	if failed != nil {
		return errors.Join(err, failed)
	}
	if !slots.Status().Trial {
		return err // it was good before
	}
	if failed := slots.Return(slot.CodeEnded, err.Error()); failed != nil {
		return errors.Join(err, failed)
	}
	return fmt.Errorf("%w: %w", errRestart, err)
}
