// Package rig is a board without hardware for test rigs: the wires of its connectors lie in shared memory, where another
// process plays the vehicle, sees what the guard commands and when, and takes no part in the guard's Go runtime.
//
//	rig (World)  --pilot level-->  shared memory  <--samples, drives--  guard (Board)
//	             <--contactor, duty, pets, instants of CLOCK_MONOTONIC--
//
// Every access is one atomic word: neither side can hold the other up.
package rig

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/unit"
)

// MaxWires bounds a board.
const MaxWires = 64

const magic = 0x45565249_47000001 // the name and the version of the layout

// memory is the layout. Each wire fills two cache lines of its own.
type memory struct {
	magic atomic.Uint64
	pets  atomic.Uint64
	safe  atomic.Int64 // the first contactor was told to open
	_     [40]byte
	wires [MaxWires]wire
}

type wire struct {
	high   atomic.Int64 // written by the rig: level of the pilot, mV
	closed atomic.Int64 // the rest is written by the guard
	duty   atomic.Int64
	closes atomic.Int64
	opens  atomic.Int64
	ready  atomic.Int64 // last sample that showed C or D
	out    atomic.Int64 // first sample after it that did not
	last   atomic.Int64 // newest sample
	opened Opening      // as of the last opening
	_      [128 - 8*8 - openingSize]byte
}

// Opening is how a contactor was opened last, in ns of CLOCK_MONOTONIC.
type Opening struct {
	Ready, Out, Sampled, Commanded atomic.Int64
}

const openingSize = 4 * 8

const size = int(unsafe.Sizeof(memory{}))

// Board is the guard's side.
type Board struct {
	m     *memory
	start time.Time // the runtime's clock, which costs no call of the kernel,
	nanos int64     // and what CLOCK_MONOTONIC was then
	file  *os.File  // holds the lock
	told  bool
}

// Open maps the board behind a descriptor and locks it: there is one guard. wait is how long it waits for a guard that is
// about to end.
func Open(fd int, wait time.Duration) (*Board, error) {
	// A description of our own: a lock belongs to the description, and the parent shares the one of fd.
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open rig on descriptor %d: %w", fd, err)
	}
	if err := lock(f, wait); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock rig on descriptor %d: %w: another guard drives it", fd, err)
	}
	m, err := mapped(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	if m.magic.Load() != magic {
		f.Close()
		return nil, fmt.Errorf("descriptor %d is no rig", fd)
	}
	b := &Board{m: m, file: f, start: time.Now()}
	b.nanos = Now()
	return b, nil
}

const lockRetry = 5 * time.Millisecond

func lock(f *os.File, wait time.Duration) error {
	for end := time.Now().Add(wait); ; time.Sleep(lockRetry) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || err != unix.EWOULDBLOCK || time.Now().After(end) {
			return err
		}
	}
}

func mapped(f *os.File) (*memory, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != int64(size) {
		return nil, fmt.Errorf("rig of %d bytes, want %d", info.Size(), size)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map rig: %w", err)
	}
	return (*memory)(unsafe.Pointer(&b[0])), nil
}

// Now returns CLOCK_MONOTONIC in ns.
func Now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(fmt.Sprintf("rig: this kernel has no monotonic clock: %v", err))
	}
	return t.Nano()
}

func (b *Board) now() int64 { return b.nanos + int64(time.Since(b.start)) }

// Wire returns connector n of the board.
func (b *Board) Wire(n int) (*Wire, error) {
	if n < 0 || n >= MaxWires {
		return nil, fmt.Errorf("rig has no connector %d: at most %d", n, MaxWires)
	}
	return &Wire{b, &b.m.wires[n]}, nil
}

// levels of the pilot that the rig gives.
const readyBelow = 7500 * unit.Millivolt
