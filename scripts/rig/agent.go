package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
	"github.com/evsed/evsed/station/guard/realtime"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// firstWorld is the agent's descriptor of the first board.
const firstWorld = 3

// heartbeat is how often the agent's loop says that it moves.
const heartbeat = time.Second

// link is the station's side of a guard, of either kind.
type link interface {
	Permit(term.Permit) bool
	Heartbeat()
	Take([]iec61851.Notice) []iec61851.Notice
}

// agent runs guards of both kinds and makes garbage, until its standard input ends. args: the product's binary, and how
// many guards of each kind.
func agent(args []string) error {
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var links []link
	var group sync.WaitGroup
	failed := make(chan error, 2*count)
	start := func(run func() error) {
		group.Go(func() {
			if err := run(); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	for i := range 2 * count {
		l, run, err := oneGuard(ctx, args[0], firstWorld+i, i < count)
		if err != nil {
			cancel()
			group.Wait()
			return err
		}
		links = append(links, l)
		start(run)
	}
	for range runtime.NumCPU() {
		group.Go(func() { makeGarbage(ctx.Done()) })
	}
	live(ctx, links)
	group.Wait()
	close(failed)
	var all error
	for err := range failed {
		all = errors.Join(all, err)
	}
	return all
}

// oneGuard makes a guard for the board behind a descriptor, in a process of its own or within this one. run is its life.
func oneGuard(ctx context.Context, evsed string, fd int, own bool) (link, func() error, error) {
	if own {
		return childGuard(ctx, evsed, fd)
	}
	t := table(fd)
	board, err := rig.Open(fd, 0)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := t.Config(func(d guard.Device, _ guard.Parts) (any, error) { return board.Wire(int(d.Line)) })
	if err != nil {
		return nil, nil, err
	}
	cfg.Clock = time.Now
	pipe := guard.NewPipe(refs())
	g, err := guard.New(cfg, pipe)
	return pipe, func() error { return g.Run(ctx) }, err
}

func childGuard(ctx context.Context, evsed string, fd int) (link, func() error, error) {
	child, err := realtime.Start(evsed, []string{"guard"}, table(realtime.DeviceFD), []*os.File{os.NewFile(uintptr(fd), "board")}, os.Environ(), os.Stderr)
	if err != nil {
		return nil, nil, err
	}
	remote := guard.NewRemote(refs(), time.Now)
	return remote, func() error {
		err := remote.Run(ctx, child.Conn)
		if ended := child.Wait(); ended != nil {
			err = errors.Join(err, fmt.Errorf("guard: %w", ended))
		}
		return err
	}, nil
}

// live is the station's loop: everything is permitted, and what the guards say is taken.
func live(ctx context.Context, links []link) {
	for _, l := range links {
		for _, ref := range refs() {
			l.Permit(term.Permit{Ref: ref, Close: true, Max: 16 * unit.Ampere})
		}
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	var notices []iec61851.Notice
	for {
		for _, l := range links {
			l.Heartbeat()
			notices = l.Take(notices[:0])
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// refs are the connectors of a board: an EVSE for each, since of one EVSE only one connector may be live.
func refs() []term.Ref {
	r := make([]term.Ref, rig.MaxWires)
	for i := range r {
		r[i] = term.Ref{EVSE: term.EVSEID(i + 1), Connector: 1}
	}
	return r
}

// table describes a board behind a descriptor.
func table(fd int) *guard.Table {
	t := &guard.Table{Board: "rig"}
	for i, ref := range refs() {
		d := guard.Device{Kind: guard.DeviceRig, Chip: uint16(fd), Line: uint32(i)}
		t.Connectors = append(t.Connectors, guard.TableConnector{Pilot: d, Contactor: d,
			Config: iec61851.Config{Ref: ref, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: true, HasFeedback: true}})
	}
	return t
}
