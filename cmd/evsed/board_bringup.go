package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bringup"
	"github.com/evsed/evsed/boards/fit"
	"github.com/evsed/evsed/boards/seal"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/station/term"
)

// bringupUsage is the command line of evsed board bringup.
const bringupUsage = "start|resume|report --state DIR [--virtual] FILE..."

// stateFiles parses a command line of flags and files in any order; more adds flags.
func stateFiles(name, usage string, args []string, more func(*flag.FlagSet)) (state string, files []string, err error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&state, "state", "", "")
	more(fs)
	for rest := args; ; {
		if err := fs.Parse(rest); err != nil {
			return "", nil, usagef("%w: want %s", err, usage)
		}
		if fs.NArg() == 0 {
			break
		}
		files, rest = append(files, fs.Arg(0)), fs.Args()[1:]
	}
	switch {
	case state == "":
		return "", nil, usagef("--state: want the state directory of the station: %s", usage)
	case len(files) == 0:
		return "", nil, usagef("want a board file, and the product and site files over it: %s", usage)
	}
	return state, files, nil
}

// boardBringup takes a board into service.
func boardBringup(args []string, out, errs io.Writer) error {
	if len(args) == 0 {
		return usagef("want %s", bringupUsage)
	}
	verb, onBench := args[0], false
	state, files, err := stateFiles("bringup", bringupUsage, args[1:], func(fs *flag.FlagSet) { fs.BoolVar(&onBench, "virtual", false, "") })
	if err != nil {
		return err
	}
	dir := filepath.Join(state, seal.Folder)
	switch verb {
	case "report":
		return bringupReport(dir, files, out)
	case "start", "resume":
	default:
		return usagef("%q: want %s", verb, bringupUsage)
	}
	b, err := loadBoard(files)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := bringup.Options{Board: b, Paths: files, Dir: dir, Program: release, Serial: serialOf(b)}
	if onBench {
		return bringupVirtual(ctx, verb, o, out)
	}
	rig := &realRig{kernel: &parts.Linux{}, board: b}
	defer rig.close()
	o.Rig, o.Person = rig, &person{in: lines(os.Stdin), out: out}
	r, err := begin(ctx, verb, o)
	return ended(r, err, out)
}

func begin(ctx context.Context, verb string, o bringup.Options) (*bringup.Report, error) {
	if verb == "start" {
		return bringup.Start(ctx, o)
	}
	return bringup.Resume(ctx, o)
}

// ended says what becomes of it.
func ended(r *bringup.Report, err error, out io.Writer) error {
	switch {
	case errors.Is(err, bringup.ErrPower):
		fmt.Fprintf(out, "\n%v\n", err)
		return nil
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(out, "\nleft; evsed board bringup resume goes on with it\n")
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintln(out)
	if err := r.Text(out); err != nil {
		return err
	}
	return errPassed(r)
}

func errPassed(r *bringup.Report) error {
	if !r.Passed() {
		return errors.New("the bring-up has not passed")
	}
	return nil
}

// bringupReport shows the report of a bring-up of these files; the same stands as JSON in the state directory.
func bringupReport(dir string, files []string, out io.Writer) error {
	r, err := bringup.Read(dir)
	if err != nil {
		return err
	}
	if err := r.Text(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "as JSON: %s\n", filepath.Join(dir, bringup.File))
	now, err := bringup.Sources(files)
	if err != nil {
		return err
	}
	if !bringup.Same(r.Files, now) {
		return fmt.Errorf("%w", bringup.ErrOther)
	}
	return errPassed(r)
}

// serialOf is the board's own serial number, or "".
func serialOf(b *boards.Board) string {
	s, err := b.Identity.Serial.Read("/")
	if err != nil {
		return ""
	}
	return s
}

// realRig is the board that the process runs on.
type realRig struct {
	kernel *parts.Linux
	board  *boards.Board
	fitted *fit.Fitted
}

func (r *realRig) Kernel() parts.Kernel { return r.kernel }
func (r *realRig) Now() time.Time       { return time.Now() }
func (r *realRig) Wall() time.Time      { return time.Now() }

func (r *realRig) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Boot is the kernel's name for this start of the machine.
func (r *realRig) Boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Meter is the meter of an EVSE; of the slow devices nothing else is opened.
func (r *realRig) Meter(id term.EVSEID) (hal.Meter, error) {
	if r.fitted == nil {
		b := *r.board
		b.Inputs, b.Reader, b.Display, b.Cooling = nil, nil, nil, nil
		b.EVSEs = append([]boards.EVSE(nil), b.EVSEs...)
		for i := range b.EVSEs {
			e := &b.EVSEs[i]
			e.Reader, e.Light, e.Temperatures = nil, nil, nil
		}
		var err error
		if r.fitted, err = fit.Open(&b, fit.NewLinux("/"), fit.Options{Now: time.Now}); err != nil {
			return nil, err
		}
	}
	return r.fitted.Meter(id)
}

func (r *realRig) close() {
	if r.fitted != nil {
		r.fitted.Close()
	}
	_ = r.kernel.Close(true)
}

// person is whoever sits at the terminal: a line of 80 characters, and no cursor that moves.
type person struct {
	in  <-chan string
	out io.Writer
}

// lines reads lines until the input ends.
func lines(in io.Reader) <-chan string {
	c := make(chan string)
	go func() { // it ends with the process: reading a terminal cannot be broken off
		defer close(c)
		for s := bufio.NewScanner(in); s.Scan(); {
			c <- s.Text()
		}
	}()
	return c
}

// Say writes a line.
func (p *person) Say(text string) { fmt.Fprintln(p.out, text) }

// Do writes what to do now.
func (p *person) Do(_, text string) { fmt.Fprintln(p.out, "  "+text) }

// idleEvery is how often the board is kept busy while nobody answers.
const idleEvery = 50 * time.Millisecond

// Ask waits for a line.
func (p *person) Ask(ctx context.Context, q bringup.Question) (string, error) {
	fmt.Fprintf(p.out, "  %s [%s]: ", q.Text, q.Given)
	tick := time.NewTicker(idleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-tick.C:
			q.Idle()
		case answer, ok := <-p.in:
			if !ok {
				return "", context.Canceled // nobody is there any more: to be resumed
			}
			if answer = strings.TrimSpace(answer); answer == "" {
				answer = q.Given
			}
			return answer, nil
		}
	}
}
