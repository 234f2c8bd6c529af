package realtime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/guard"
)

// Descriptors that Start gives to a guard. Devices of a test rig follow.
const (
	SocketFD = 3
	TableFD  = 4
	DeviceFD = 5
)

// settleTime is how long a guard waits for each device behind another processor before its first cycle.
const settleTime = 300 * time.Millisecond

// processName is what tools that list processes show.
const processName = "evsed-guard"

// Options say how a guard runs.
type Options struct {
	Table   *guard.Table
	Open    guard.Open      // opens and locks a device
	Begin   func() []Source // begins what goes on beside the cycles, and returns what wakes the loop; called after the safe state; nil: nothing
	Conn    int             // the station's socket; -1 with Listen
	Listen  string          // path of the socket where stations call; "": the station is the parent
	Cycles  uint64          // for a self-test: so many cycles in quick succession, then the end; 0: never
	Confine func() error    // gives up what a guard at work does not need, after the safe state; nil: nothing
	Errs    io.Writer       // what the kernel refuses is said here once
}

// Run guards until a signal asks it to end, or until the station's socket closes if the station is the parent; both
// return nil. It opens everything before it returns, whatever the reason. The lines are locked and in the safe state
// before anything else is done.
func Run(o Options) (Figures, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cfg, err := o.Table.Config(o.Open)
	if err != nil {
		return Figures{}, err
	}
	cfg.Clock = time.Now
	link := guard.NewSocketLink(o.Conn, time.Now)
	g, err := guard.New(cfg, link)
	if err != nil {
		return Figures{}, err
	}
	l := &loop{g: g, link: link, conn: o.Conn, socket: -1, least: o.Cycles}
	defer l.close()
	if o.Begin != nil {
		l.sources = o.Begin()
	}
	l.fds = make([]unix.PollFd, others+len(l.sources))
	if err := l.prepare(o); err != nil {
		return Figures{}, errors.Join(err, g.Stop())
	}
	for _, err := range g.Settle(settleTime) {
		fmt.Fprintf(o.Errs, "guard: %v: its connectors stay open until it answers\n", err)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	defer signal.Stop(asked)
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-asked:
			l.end()
		case <-ended:
		}
	}()
	for _, step := range []func() error{lockMemory, func() error { return First(guardPriority) }} {
		if err := step(); err != nil {
			fmt.Fprintf(o.Errs, "guard: %v: goes on without\n", err)
		}
	}
	name()
	oneProcessor()
	if err = confine(o.Confine); err == nil {
		err = l.measured()
	} else {
		err = errors.Join(err, g.Stop())
	}
	close(ended)
	<-watched
	if errors.Is(err, guard.ErrClosed) {
		err = nil
	}
	return l.figures, err
}

// name is for those who look at processes. Theirs is the name of the first thread, which is that of a loop whose caller has
// kept it there.
func name() {
	if unix.Gettid() == unix.Getpid() {
		text := append([]byte(processName), 0)
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&text[0])), 0, 0, 0) // without it they see the program's
	}
}

func confine(do func() error) error {
	if do == nil {
		return nil
	}
	return do()
}

// measured runs the loop and counts what it allocates.
func (l *loop) measured() error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := l.run()
	runtime.ReadMemStats(&after)
	l.figures.Mallocs, l.figures.Collections = after.Mallocs-before.Mallocs, after.NumGC-before.NumGC
	return err
}

// prepare makes the descriptors of the loop.
func (l *loop) prepare(o Options) (err error) {
	if l.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("make an eventfd: %w", err)
	}
	if o.Listen == "" {
		return l.checkSocket()
	}
	l.socket, err = listen(o.Listen)
	return err
}

// checkSocket refuses what is no socket of the right kind, so that a mistake shows at once.
func (l *loop) checkSocket() error {
	kind, err := unix.GetsockoptInt(l.conn, unix.SOL_SOCKET, unix.SO_TYPE)
	if err == nil && kind != unix.SOCK_SEQPACKET {
		err = unix.EPROTOTYPE
	}
	if err != nil {
		return fmt.Errorf("descriptor %d: %w: want the SOCK_SEQPACKET socket of a station", l.conn, err)
	}
	return nil
}

func (l *loop) close() {
	for _, fd := range []int{l.bell, l.conn, l.socket} {
		if fd > 0 {
			_ = unix.Close(fd)
		}
	}
}
