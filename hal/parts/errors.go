package parts

import "errors"

// What the devices of parts answer besides what the kernel says. They are values made beforehand: the guard's cycle allocates
// nothing.
var (
	errBeyondRail  = errors.New("the converter shows a voltage that no resistor gives: rail, gain or converter is wrong")
	errFrozen      = errors.New("the converter is frozen: it shows one count only")
	errLowStands   = errors.New("the low half shows -12 V that nobody drives: its converter is frozen, or the generator runs by itself")
	errHighStands  = errors.New("the high half shows a voltage while the line is held low: its converter is frozen, or the generator does not follow")
	errContradicts = errors.New("the mirror contacts contradict each other")
	errTooSlow     = errors.New("the mirror contact has not followed within the time of the board")
	errStillClosed = errors.New("the other contactor has not opened")
	errTooCold     = errors.New("the sensor reads as colder than it can be: its wire is broken")
	errTooHot      = errors.New("the sensor reads as hotter than it can tell: its wire is short")
	errTwoLines    = errors.New("the motor's two lines could not both be let go")
)
