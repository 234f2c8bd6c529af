package parts

import (
	"errors"

	"github.com/evsed/evsed/hal"
)

// What the devices of parts answer besides what the kernel says. They are values made beforehand: the guard's cycle allocates
// nothing. Those of the pilot are told to the station.
const (
	errFrozen     = hal.AilFrozen
	errLowStands  = hal.AilLowStands
	errHighStands = hal.AilHighStands
)

var (
	errBeyondRail  = errors.New("the converter shows a voltage that no resistor gives: rail, gain or converter is wrong")
	errContradicts = errors.New("the mirror contacts contradict each other")
	errTooSlow     = errors.New("the mirror contact has not followed within the time of the board")
	errStillClosed = errors.New("the other contactor has not opened")
	errTooCold     = errors.New("the sensor reads as colder than it can be: its wire is broken")
	errTooHot      = errors.New("the sensor reads as hotter than it can tell: its wire is short")
	errTwoLines    = errors.New("the motor's two lines could not both be let go")
)
