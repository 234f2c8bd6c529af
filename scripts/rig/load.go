package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"github.com/evsed/evsed/hal/rig"
)

func makeWorlds(n int) ([]*rig.World, error) {
	worlds := make([]*rig.World, n)
	for i := range worlds {
		w, err := rig.NewWorld()
		if err != nil {
			return nil, err
		}
		worlds[i] = w
	}
	return worlds, nil
}

// startLoad starts hogs and agent. They end when their standard input does, so that none outlives the rig.
func startLoad(o options, worlds []*rig.World) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var running []*exec.Cmd
	var inputs []io.Closer
	stop = func() error {
		var all error
		for i, in := range inputs {
			all = errors.Join(all, in.Close(), running[i].Wait())
		}
		return all
	}
	begin := func(cmd *exec.Cmd) error {
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return err
		}
		running, inputs = append(running, cmd), append(inputs, in)
		return nil
	}
	agent := exec.Command(self, "agent", o.evsed, strconv.Itoa(o.guards))
	for _, w := range worlds {
		agent.ExtraFiles = append(agent.ExtraFiles, w.File())
	}
	if err := begin(agent); err != nil {
		return nil, fmt.Errorf("start agent: %w", err)
	}
	for range o.hogs {
		if err := begin(exec.Command(self, "hog")); err != nil {
			return nil, errors.Join(fmt.Errorf("start hog: %w", err), stop())
		}
	}
	return stop, nil
}

// hog keeps a processor busy until its standard input ends.
func hog() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for turns := uint64(0); ; turns++ {
		if turns == 0 {
			runtime.Gosched()
		}
	}
}

// node is what garbage is made of: a collector has to follow it.
type node struct {
	left, right *node
	text        []byte
}

func tree(depth int) *node {
	if depth == 0 {
		return nil
	}
	return &node{tree(depth - 1), tree(depth - 1), make([]byte, 48)}
}

// Garbage: trees that live for a while, so that a collection has work to do, and are dropped one after the other.
const (
	treeDepth = 12 // 4095 nodes, about half a MB
	treesKept = 64
)

func makeGarbage(done <-chan struct{}) {
	var kept [treesKept]*node
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		default:
			kept[n%treesKept] = tree(treeDepth)
		}
	}
}
