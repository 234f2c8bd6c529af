package bringup

import (
	"context"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/parts"
	"github.com/evsed/evsed/station/term"
)

// Rig is the board that is brought up.
type Rig interface {
	Kernel() parts.Kernel
	Meter(term.EVSEID) (hal.Meter, error) // of one that has a meter
	Now() time.Time                       // monotonic
	Wall() time.Time
	Wait(context.Context, time.Duration) error
	Boot() string // differs from one start of the machine to the next
}

// Person is who stands at the board.
type Person interface {
	Say(text string)
	// Do asks for something that the program waits for by itself; it returns at once. key says what, for a person who is none.
	Do(key, text string)
	// Ask waits for an answer; an empty one is the given one.
	Ask(context.Context, Question) (string, error)
}

// Question is what a person is asked.
type Question struct {
	Key, Text string
	Given     string // the answer of who only presses Enter
	Idle      func() // to be called every few hundredths of a second while nobody answers
}
