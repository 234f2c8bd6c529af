package realtime

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

var ref = term.Ref{EVSE: 1, Connector: 1}

// TestKeeperGoesOnTrying: a guard that cannot be started is a fault of every connector, and is tried again ever more
// seldom, but never not at all.
func TestKeeperGoesOnTrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var tries []time.Duration
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		remote := guard.NewRemote([]term.Ref{ref}, time.Now)
		k := Keep(remote, func() (*Peer, error) {
			tries = append(tries, time.Since(start))
			return nil, errors.New("exec format error")
		}, RetryStart, slog.New(slog.NewTextHandler(&log, nil)))
		if err := k.Run(ctx); err != nil {
			t.Errorf("a guard that is not there is the end: %v", err)
		}
		for i, want := range []time.Duration{0, 0, 100, 300, 700, 1500, 3100, 6300, 12700, 25500, 51100, 81100, 111100} { // ms; Keep's try and Run's first come together
			if i >= len(tries) || tries[i] != want*time.Millisecond {
				t.Fatalf("tries after %v, want number %d after %d ms", tries, i, want)
			}
		}
		if last := tries[len(tries)-1]; last < 4*time.Minute || len(tries) > 20 {
			t.Errorf("tries after %v", tries)
		}
		n := k.Take(nil)
		if len(n) == 0 || n[0].Kind != iec61851.FaultChanged || n[0].Fault != term.FaultInternal || !n[0].Active {
			t.Errorf("the core hears %+v", n)
		}
		if !strings.Contains(log.String(), "code="+CodeNone) || !strings.Contains(log.String(), "exec format error") {
			t.Errorf("the log says %q", log.String())
		}
		if n := strings.Count(log.String(), "\n"); n > 10 {
			t.Errorf("the log says it %d times", n)
		}
	})
}

// TestKeeperForgivesAGuardThatHasLived: the next one comes at once, not after the wait that an old failure had grown to.
func TestKeeperForgivesAGuardThatHasLived(t *testing.T) {
	r := Retry{First: time.Millisecond, Most: time.Hour, Settled: time.Nanosecond}
	reached := make(chan *Peer)
	ctx, cancel := context.WithCancel(t.Context())
	k := Keep(guard.NewRemote([]term.Ref{ref}, time.Now), func() (*Peer, error) { return nil, errors.New("not yet") }, r, slog.New(slog.DiscardHandler))
	k.reach = func() (*Peer, error) {
		select {
		case p := <-reached:
			return p, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	for range 40 { // doubled each time, a wait would be an hour long soon
		mine, theirs := socketPair(t)
		if err := theirs.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case reached <- &Peer{Conn: mine}:
		case <-time.After(20 * time.Second):
			t.Fatal("it waits for too long")
		}
	}
	cancel()
	<-ended // maybe with the error of the last one's end
}

// TestStopBeforeRun: a child that nobody needs is let go of, and waited for.
func TestStopBeforeRun(t *testing.T) {
	mine, theirs := socketPair(t)
	waited := false
	k := Keep(guard.NewRemote([]term.Ref{ref}, time.Now), func() (*Peer, error) {
		return &Peer{Conn: mine, end: func() error { waited = true; return errors.New("exit status 1") }}, nil
	}, RetryStart, slog.New(slog.DiscardHandler))
	if err := k.Stop(); err == nil || !strings.Contains(err.Error(), "exit status 1") || !waited {
		t.Errorf("waited %v, %v", waited, err)
	}
	if n, _ := theirs.Read(make([]byte, 1)); n != 0 {
		t.Error("the socket is open")
	}
	if err := k.Stop(); err != nil {
		t.Error(err)
	}
}

// TestChildThatDoesNotEnd: one that does not see its socket close is killed.
func TestChildThatDoesNotEnd(t *testing.T) {
	c := &Child{cmd: exec.Command("sleep", "1000")}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.end(10 * time.Millisecond); !errors.As(err, &exit) && !errors.Is(err, errUndead) {
		t.Errorf("got %v, want how it was killed", err)
	}
	for end := time.Now().Add(20 * time.Second); syscall.Kill(c.PID(), 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it lives")
		}
	}
}
