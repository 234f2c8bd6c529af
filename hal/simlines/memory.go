package simlines

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// MaxConnectors bounds a board.
const MaxConnectors = 64

const magic = 0x45565349_4d000001 // the name and the version of the layout

// memory is the layout. Each connector fills two cache lines of its own.
type memory struct {
	magic atomic.Uint64
	world atomic.Uint64 // 1: a world with power serves the lines
	pets  atomic.Uint64 // written by the guard
	_     [40]byte
	conns [MaxConnectors]connector
}

// connector is one connector. A command carries a count, so that the same level said again shows as well, and the contact
// carries the count of the command that it answers.
type connector struct {
	pilot     atomic.Uint64 // written by the world: levels and the duty they were measured under, see packSample
	contact   atomic.Uint64 // count of the answered command << 1 | closed
	inputs    atomic.Uint64 // input bits
	diagnosis atomic.Uint64 // bit n: term.Fault n is active
	proximity atomic.Int64  // mOhm
	socket    atomic.Int64  // 0.001 degrees
	cable     atomic.Int64
	_         [8]byte
	coil      atomic.Uint64 // written by the guard: count << 8 | phases << 1 | closed
	duty      atomic.Int64
	lock      atomic.Uint64 // count << 1 | locked
	_         [40]byte
}

const (
	inputLocked = 1 << iota
	inputTripped
	inputEmergencyStop
)

const size = int(unsafe.Sizeof(memory{}))

// packSample puts a sample and the duty it belongs to into one word. Levels are within 32 V, a duty within 16 bits.
func packSample(s hal.PilotSample, d unit.Duty) uint64 {
	return uint64(uint16(int16(s.High)))<<48 | uint64(uint16(int16(s.Low)))<<32 | uint64(uint32(d))
}

func unpackSample(w uint64) (hal.PilotSample, unit.Duty) {
	return hal.PilotSample{High: unit.Voltage(int16(w >> 48)), Low: unit.Voltage(int16(w >> 32))}, unit.Duty(uint32(w))
}

func bit(on bool, mask uint64) uint64 {
	if on {
		return mask
	}
	return 0
}

// Lines are the lines of a board.
type Lines struct {
	m    *memory
	file *os.File
}

// New makes lines in memory, for a guard that inherits their File.
func New() (*Lines, error) {
	fd, err := unix.MemfdCreate("evsed-board", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make simulated lines: %w", err)
	}
	return attach(os.NewFile(uintptr(fd), "evsed-board"))
}

// OpenFile makes or finds lines at path, for a guard and an agent that are started by somebody else. The file belongs on a
// file system in memory: it changes all the time.
func OpenFile(path string) (*Lines, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open simulated lines: %w", err)
	}
	return attach(f)
}

// OpenFD finds lines behind an inherited descriptor, with a description of their own: locks belong to it.
func OpenFD(fd int) (*Lines, error) {
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open simulated lines on descriptor %d: %w", fd, err)
	}
	return attach(f)
}

var errOther = errors.New("these are no simulated lines of this version")

func attach(f *os.File) (_ *Lines, err error) {
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != 0 && info.Size() != int64(size) {
		return nil, fmt.Errorf("%s of %d bytes, want %d: %w", f.Name(), info.Size(), size, errOther)
	}
	if err := f.Truncate(int64(size)); err != nil {
		return nil, fmt.Errorf("make simulated lines: %w", err)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map simulated lines: %w", err)
	}
	m := (*memory)(unsafe.Pointer(&b[0]))
	if !m.magic.CompareAndSwap(0, magic) && m.magic.Load() != magic {
		return nil, fmt.Errorf("%s: %w", f.Name(), errOther)
	}
	return &Lines{m: m, file: f}, nil
}

// File is what a guard inherits.
func (l *Lines) File() *os.File { return l.file }

// Close lets go of the lines and of what was locked. They stay mapped: who still looks at them must not fall.
func (l *Lines) Close() error {
	all := unix.Flock_t{Type: unix.F_UNLCK}
	return errors.Join(unix.Flock(int(l.file.Fd()), unix.LOCK_UN), unix.FcntlFlock(l.file.Fd(), unix.F_OFD_SETLK, &all), l.file.Close())
}

// Energised reports what the coil of connector n was told last, whether or not a world follows it.
func (l *Lines) Energised(n int) bool { return l.m.conns[n].coil.Load()&1 != 0 }

// Commands counts what the coil of connector n was told.
func (l *Lines) Commands(n int) uint64 { return l.m.conns[n].coil.Load() >> 8 }

// Pets counts the watchdog's food.
func (l *Lines) Pets() uint64 { return l.m.pets.Load() }
