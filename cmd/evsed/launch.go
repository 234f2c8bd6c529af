package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// exitRestart asks who started evsed to start it again: another slot is next. An init system that starts it again anyway
// need not know the code.
const exitRestart = 75

// Times of a trial.
const (
	defaultTrial = 10 * time.Minute // in which the CSMS has to accept what is on trial
	minTrial     = time.Second
	maxTrial     = 24 * time.Hour
	// aloneTrial is how long a station has to run well whose CSMS was away before the update already: it cannot be what is
	// wrong with the new binary.
	aloneTrial = time.Hour
	// minMargin is the least that a trial that hangs is given beyond its time, of which it is given half as much again.
	minMargin = 2 * time.Second
)

// bootVariable is where the launcher tells what it started, as JSON.
const bootVariable = "EVSED_BOOT"

// launched is what the launcher tells.
type launched struct {
	Boot     slot.Boot
	Slots    string   // directory
	Keys     []string // files
	Hardware string
	Trial    time.Duration
	Watcher  int // process that ends a trial that hangs; 0: none
}

// launchOptions are the flags of evsed launch.
type launchOptions struct {
	launched
	keys    several
	respawn bool
	watch   time.Duration // this process is the watcher
	rest    []string
	failed  slot.Boot // for the factory's binary, when nothing else could be started
}

const launchUsage = "--slots DIR --fw-keys FILE --hardware ID[:REVISION] [--trial-time 10m] [--respawn] -- run ..."

func parseLaunch(args []string) (launchOptions, error) {
	var o launchOptions
	fs := flag.NewFlagSet("launch", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.Slots, "slots", "", "")
	fs.Var(&o.keys, "fw-keys", "")
	fs.StringVar(&o.Hardware, "hardware", "", "")
	fs.DurationVar(&o.Trial, "trial-time", defaultTrial, "")
	fs.BoolVar(&o.respawn, "respawn", false, "")
	fs.DurationVar(&o.watch, "watch", 0, "")
	if err := fs.Parse(args); err != nil {
		return o, usagef("%w: want %s", err, launchUsage)
	}
	o.rest, o.Keys = fs.Args(), o.keys
	switch {
	case o.Slots == "":
		return o, usagef("--slots: want a directory for the two slots")
	case o.watch > 0:
		return o, nil
	case len(o.keys) == 0:
		return o, usagef("--fw-keys: want a file with the keys of the firmware's maker")
	case o.Hardware == "":
		return o, usagef("--hardware: want ID or ID:REVISION of this board")
	case o.Trial < minTrial || o.Trial > maxTrial:
		return o, usagef("--trial-time: %v: want %v to %v", o.Trial, minTrial, maxTrial)
	case len(o.rest) == 0 || o.rest[0] != "run":
		return o, usagef("want what to start behind --: run ...")
	}
	return o, nil
}

// launch starts the evsed of the slot that counts, after it has checked it, in place of itself. What stands in no slot is this
// very program, as it came with the system.
func launch(args []string, _, errs io.Writer) error {
	o, err := parseLaunch(args)
	if err != nil {
		return err
	}
	if o.watch > 0 {
		return watch(o)
	}
	if o.respawn {
		return respawn(args)
	}
	argv := append([]string{os.Args[0]}, o.rest...)
	for range 2 { // a trial that the system does not start, and what was good
		c, err := choose(o)
		var usage usageError
		if errors.As(err, &usage) {
			return err
		}
		if err != nil {
			fmt.Fprintf(errs, "evsed launch: %v\n", err)
		}
		if err = o.start(c, argv, errs); !c.Boot.Trial || c.File == nil {
			o.failed = slot.Boot{Slot: slot.Factory, Version: release, ReturnedFrom: c.Boot.Version, Code: slot.CodeExec, Why: err.Error()}
			break
		}
		if err := o.giveUp(err); err != nil {
			fmt.Fprintf(errs, "evsed launch: %v\n", err)
			break
		}
	}
	return o.start(slot.Choice{Boot: o.failed}, argv, errs)
}

// start starts what was chosen, in place of this process. It returns only if that does not go.
func (o *launchOptions) start(c slot.Choice, argv []string, errs io.Writer) (err error) {
	o.Boot, o.Watcher = c.Boot, 0
	if c.Boot.Trial {
		if o.Watcher, err = o.startWatcher(); err != nil {
			fmt.Fprintf(errs, "evsed launch: nobody will end a trial that hangs: %v\n", err)
		}
	}
	text, err := json.Marshal(o.launched)
	if err == nil {
		err = os.Setenv(bootVariable, string(text))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(errs, "evsed launch: evsed %s of slot %s, trial %v\n", c.Boot.Version, c.Boot.Slot, c.Boot.Trial)
	if c.File == nil {
		return syscall.Exec("/proc/self/exe", argv, os.Environ())
	}
	err = slot.Exec(c.File, argv, os.Environ())
	fmt.Fprintf(errs, "evsed launch: %v\n", err)
	return err
}

// giveUp ends a trial that the system does not start: its watcher ends with it.
func (o *launchOptions) giveUp(why error) error {
	files, err := slot.Dir(o.Slots)
	if err != nil {
		return err
	}
	return slot.GiveUp(files, slot.CodeExec, why.Error())
}

// choose asks the slots what to start; what is wrong with them is an error beside a choice.
func choose(o launchOptions) (slot.Choice, error) {
	options, err := o.options()
	if err != nil {
		return slot.Choice{}, err
	}
	c, err := slot.Choose(options)
	if c.File == nil {
		c.Boot.Version = release
	}
	return c, err
}

// options are how the slots are opened.
func (l launched) options() (o slot.Options, err error) {
	if o.Files, err = slot.Dir(l.Slots); err != nil {
		return o, usagef("--slots: %w: want a directory that can be made", err)
	}
	if o.Trust, err = readTrust(l.Keys); err != nil {
		return o, err
	}
	o.Machine.Target = image.Target()
	if o.Machine.Hardware, o.Machine.Revision, err = image.ParseHardware(l.Hardware); err != nil {
		return o, usagef("--hardware: %w", err)
	}
	if o.Machine.Agent, err = image.ParseVersion(release); err != nil {
		return o, fmt.Errorf("version of this build: %w", err)
	}
	o.Boot = l.Boot
	return o, nil
}

// duration is how long what was started has to prove itself.
func (l launched) duration() time.Duration {
	if l.Boot.Alone {
		return max(l.Trial, aloneTrial)
	}
	return l.Trial
}

// startWatcher starts a process that outlives the exec: what is on trial may hang so that it cannot even end itself. It is
// this program, not the one on trial.
func (o *launchOptions) startWatcher() (int, error) {
	me, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return 0, fmt.Errorf("pidfd: %w", err)
	}
	f := os.NewFile(uintptr(me), "pidfd")
	defer f.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], "launch", "--slots", o.Slots, "--watch", (o.duration() + max(o.duration()/2, minMargin)).String()},
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, nil, os.Stderr, f}})
	if err != nil {
		return 0, err
	}
	pid := p.Pid
	return pid, p.Release() // it is for the program that this process becomes to bury
}

// lookEvery is how often the watcher looks whether the trial is over.
const lookEvery = time.Second

// watch ends the trial of the process on descriptor 3 when it has lasted too long, and then the process. It ends itself with
// the trial or with the process.
func watch(o launchOptions) error {
	files, err := slot.Dir(o.Slots)
	if err != nil {
		return err
	}
	const pidfd = 3
	for end := time.Now().Add(o.watch); time.Now().Before(end); {
		n, err := unix.Poll([]unix.PollFd{{Fd: pidfd, Events: unix.POLLIN}}, int(lookEvery.Milliseconds()))
		if n > 0 || err == nil && !slot.OnTrial(files) {
			return nil
		}
		if err != nil && err != syscall.EINTR {
			return fmt.Errorf("watch a trial: %w", err)
		}
	}
	return errors.Join(slot.GiveUp(files, slot.CodeHung, "it neither proved itself nor gave up in its time"), unix.PidfdSendSignal(pidfd, syscall.SIGKILL, nil, 0))
}

// respawnPause keeps a program that dies at once from taking the processor.
const respawnPause = time.Second

// respawn stays, and starts the launcher again each time the station ends: for systems that nobody else does this on.
func respawn(args []string) error {
	var rest []string
	for i, a := range args {
		if a == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if a != "--respawn" && a != "-respawn" && a != "--respawn=true" {
			rest = append(rest, a)
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	runtime.LockOSThread() // it is the thread whose end a child is told of
	for mistakes := 0; ; {
		p, err := os.StartProcess("/proc/self/exe", append([]string{os.Args[0], "launch"}, rest...),
			&os.ProcAttr{Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}})
		if err != nil {
			return fmt.Errorf("start the launcher: %w", err)
		}
		ended := make(chan *os.ProcessState, 1)
		go func() { s, _ := p.Wait(); ended <- s }()
		select {
		case sig := <-signals:
			_ = p.Signal(sig)
			return ending(<-ended)
		case s := <-ended:
			if s == nil || s.ExitCode() != exitUsage {
				mistakes = 0
			} else if mistakes++; mistakes > slot.Tries { // what is on trial may not know a word that the others know
				return ending(s) // no start cures a mistake on the command line
			}
			select {
			case <-signals:
				return ending(s)
			case <-time.After(respawnPause):
			}
		}
	}
}

// ending is how a child's end ends this process.
func ending(s *os.ProcessState) error {
	switch {
	case s == nil || s.Success():
		return nil
	case s.ExitCode() == exitUsage:
		return usagef("it has said why")
	}
	return errors.New("the station ended: " + s.String() + " (" + strconv.Itoa(s.ExitCode()) + ")")
}
