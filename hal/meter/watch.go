package meter

import (
	"context"
	"errors"
	"fmt"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// Watch notices what a meter does wrong over several readings. It belongs to one meter and its owner.
type Watch struct {
	Notify func(err error) // hears once that the meter cannot be read, and once (nil) that it can again; may be nil

	failed   bool
	imported unit.Energy
	exported unit.Energy
	falls    int
}

// Tell reports a change from readable to not readable and back. That the caller gave up says nothing of the meter.
func (w *Watch) Tell(err error) {
	if errors.Is(err, context.Canceled) || w.failed == (err != nil) {
		return
	}
	w.failed = err != nil
	if w.Notify != nil {
		w.Notify(err)
	}
}

// fallsRefused is how many readings in a row are refused because a register is lower than before.
const fallsRefused = 2

// Risen refuses a register that has fallen, for as long as that may be a disturbance. What stays lower is handed on:
// another meter is not for the driver to hide.
func (w *Watch) Risen(r hal.MeterReading) error {
	if r.Import >= w.imported && r.Export >= w.exported || w.falls >= fallsRefused {
		w.imported, w.exported, w.falls = r.Import, r.Export, 0
		return nil
	}
	w.falls++
	return fmt.Errorf("%w: from %v to %v (export %v to %v)", ErrFell, w.imported, r.Import, w.exported, r.Export)
}
