package rig

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// World is the rig's side: the vehicles, and what is seen of the guard.
type World struct {
	m    *memory
	file *os.File
}

// NewWorld makes a board in memory, without vehicles. Its file is what a guard is given.
func NewWorld() (*World, error) {
	fd, err := unix.MemfdCreate("evsed-rig", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make rig: %w", err)
	}
	f := os.NewFile(uintptr(fd), "evsed-rig")
	if err := f.Truncate(int64(size)); err != nil {
		f.Close()
		return nil, fmt.Errorf("make rig: %w", err)
	}
	w, err := Attach(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	for i := range w.m.wires {
		w.m.wires[i].high.Store(int64(12 * unit.Volt))
	}
	w.m.magic.Store(magic)
	return w, nil
}

// Attach is the world of a board that another process made.
func Attach(f *os.File) (*World, error) {
	m, err := mapped(f)
	if err != nil {
		return nil, err
	}
	return &World{m: m, file: f}, nil
}

// File is the board's memory.
func (w *World) File() *os.File { return w.file }

// levels of the pilot by vehicle state.
var levels = [...]unit.Voltage{term.StateA: 12 * unit.Volt, term.StateB: 9 * unit.Volt, term.StateC: 6 * unit.Volt, term.StateD: 3 * unit.Volt, term.StateE: 0}

// SetPilot puts the vehicle at connector n into a state from A to E.
func (w *World) SetPilot(n int, s term.PilotState) { w.m.wires[n].high.Store(int64(levels[s])) }

// Closed reports whether the contactor of connector n is closed.
func (w *World) Closed(n int) bool { return w.m.wires[n].closed.Load() != 0 }

// Duty is what the generator of connector n drives.
func (w *World) Duty(n int) unit.Duty { return unit.Duty(w.m.wires[n].duty.Load()) }

// Opens and Closes count what the contactor of connector n was told.
func (w *World) Opens(n int) int64 { return w.m.wires[n].opens.Load() }

// Closes counts the commands to close.
func (w *World) Closes(n int) int64 { return w.m.wires[n].closes.Load() }

// Opened is the last opening of connector n; it holds until the next.
func (w *World) Opened(n int) *Opening { return &w.m.wires[n].opened }

// Safe is when the guard told a contactor to open for the first time; 0: not yet.
func (w *World) Safe() int64 { return w.m.safe.Load() }

// Pets counts the watchdog's food.
func (w *World) Pets() uint64 { return w.m.pets.Load() }
