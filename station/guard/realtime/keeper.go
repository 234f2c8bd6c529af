package realtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/guard"
)

// Codes of what a station says about its guard in its log; the core has the fault internalError meanwhile.
const (
	CodeLost = "GRD-LOST" // the guard ended, hung, or said what is no frame
	CodeNone = "GRD-NONE" // it could not be started, or nobody answers at its socket
)

// Peer is a guard that a station has reached.
type Peer struct {
	Conn *os.File     // for guard.Remote
	PID  int          // of a child; 0: not known
	end  func() error // waits for the end of a child, whose socket is closed; nil: it lives on
}

// Reach starts a guard, or calls one.
type Reach func() (*Peer, error)

// grace is how long a child whose socket is closed may take to open everything and end. What hangs is killed: the lines
// have to be free for the next one.
const grace = 5 * time.Second

// ByStarting reaches a guard by starting it; see Start.
func ByStarting(path string, args []string, table *guard.Table, devices []*os.File, env []string, errs io.Writer) Reach {
	return func() (*Peer, error) {
		c, err := Start(path, args, table, devices, env, errs)
		if err != nil {
			return nil, err
		}
		return &Peer{Conn: c.Conn, PID: c.PID(), end: func() error { return c.end(grace) }}, nil
	}
}

// end waits for the child, kills it after grace, and gives it up after as much again: a process that hangs in the kernel
// must not keep its agent from ending. Its lines stay locked.
func (c *Child) end(grace time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for range 2 {
		select {
		case err := <-ended:
			return err
		case <-time.After(grace):
			_ = unix.Kill(c.PID(), unix.SIGKILL)
		}
	}
	return errUndead
}

var errUndead = errors.New("it hangs in the kernel and cannot be killed")

// ByCalling reaches a guard that listens at path.
func ByCalling(path string) Reach {
	return func() (*Peer, error) {
		conn, err := Dial(path)
		if err != nil {
			return nil, err
		}
		return &Peer{Conn: conn}, nil
	}
}

// Retry says when a guard that is gone is reached again: after First, then after twice as long each time, at most after
// Most. One that has lived for Settled begins with First again. There is no last time: without a guard nothing charges, but
// the station still says so.
type Retry struct{ First, Most, Settled time.Duration }

// Retries of the two kinds. To call costs nothing; to start, where it fails, fills a processor and a log.
var (
	RetryStart = Retry{First: 100 * time.Millisecond, Most: 30 * time.Second, Settled: time.Minute}
	RetryCall  = Retry{First: 100 * time.Millisecond, Most: time.Second, Settled: 10 * time.Second}
)

// Keeper keeps a station's guard at work: what guard.Remote is told reaches the guard of the moment, and while there is none
// every connector counts as open and faulty.
type Keeper struct {
	*guard.Remote
	reach Reach
	retry Retry
	log   *slog.Logger
	first *Peer // reached by Keep, for Run
}

// Keep reaches the guard for the first time, so that a child has its lines in the safe state while the station still reads
// its files. It is no error that there is none yet: Run goes on trying.
func Keep(r *guard.Remote, reach Reach, retry Retry, log *slog.Logger) *Keeper {
	k := &Keeper{Remote: r, reach: reach, retry: retry, log: log}
	if p, err := reach(); err == nil {
		k.first = p
	}
	return k
}

// Run keeps the guard at work until ctx ends; a child has opened everything and ended then. The error is that of its end.
func (k *Keeper) Run(ctx context.Context) error {
	wait, said := k.retry.First, ""
	for {
		began := time.Now()
		code, err := k.once(ctx)
		if ctx.Err() != nil {
			return err
		}
		if time.Since(began) >= k.retry.Settled {
			wait = k.retry.First
		}
		if why := fmt.Sprint(code, err); why != said || wait < k.retry.Most { // the same for ever is said no more
			said = why
			k.log.Error("guard", "code", code, "err", err, "again", wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, k.retry.Most)
	}
}

// once lives with one guard.
func (k *Keeper) once(ctx context.Context) (code string, err error) {
	p := k.first
	k.first = nil
	if p == nil {
		if p, err = k.reach(); err != nil {
			k.Absent()
			return CodeNone, err
		}
	}
	k.log.Info("guard", "reached", true, "pid", p.PID)
	err = k.Remote.Run(ctx, p.Conn)
	if errors.Is(err, guard.ErrSilent) && p.PID != 0 {
		_ = unix.Kill(p.PID, unix.SIGKILL) // it would not see its socket close
	}
	return CodeLost, errors.Join(err, p.wait())
}

func (p *Peer) wait() error {
	if p.end == nil {
		return nil
	}
	if err := p.end(); err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// Stop lets go of a guard that Run was never called for.
func (k *Keeper) Stop() error {
	if k.first == nil {
		return nil
	}
	p := k.first
	k.first = nil
	return errors.Join(p.Conn.Close(), p.wait())
}
