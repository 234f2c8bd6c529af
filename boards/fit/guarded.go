package fit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Guarded says where the guard's newest statuses are.
func (f *Fitted) Guarded(status func(term.Ref) (iec61851.Status, bool)) {
	f.statusMu.Lock()
	defer f.statusMu.Unlock()
	f.status = status
}

// Explain says which device of a connector ails, and from what: by the names and places of the board's files.
func (f *Fitted) Explain(ref term.Ref, a hal.Ailment) string {
	e := f.board.EVSE(ref.EVSE)
	if e == nil {
		return a.Error()
	}
	if m := f.board.MCU(e.MCU); m != nil && a.OfController() {
		what := strings.TrimPrefix(a.Error(), "the safety controller ")
		wait := f.board.MCUSpec(m).Patience()
		switch a {
		case hal.AilSilent:
			what = fmt.Sprintf("no frame for %v", wait)
		case hal.AilGarbled:
			what = fmt.Sprintf("only frames with wrong checksums for %v", wait)
		case hal.AilLine:
			what = "its port is gone"
		}
		return fmt.Sprintf("safety controller %s at %s, connector %d: %s", m.Name, m.Port, e.Port, what)
	}
	return fmt.Sprintf("pilot of EVSE %d (%s): %s", e.ID, wiresOf(&e.Pilot), a.Error())
}

// WatchdogTimeout is that of the board; 0: it has none.
func (f *Fitted) WatchdogTimeout() time.Duration {
	if w := f.board.Watchdog; w != nil {
		return w.Timeout
	}
	return 0
}

// wiresOf names what a pilot is measured by.
func wiresOf(p *boards.Pilot) string {
	var names []string
	for _, a := range []*boards.ADC{p.High, p.Low} {
		if a != nil {
			names = append(names, a.Name)
		}
	}
	for i := range p.Comparators {
		names = append(names, p.Comparators[i].Line.Name)
	}
	return strings.Join(names, ", ")
}

// What the guard says of a thermometer that is its alone.
var (
	errUnheard = errors.New("the guard has said nothing yet")
	errUnfelt  = errors.New("the guard cannot read the safety controller's thermometer")
)

// felt is a thermometer of a safety controller, as the guard tells it.
type felt struct {
	f   *Fitted
	ref term.Ref
	id  string
}

// Temperature is the newest that the guard has told.
func (t felt) Temperature() (unit.Temperature, error) {
	t.f.statusMu.Lock()
	status := t.f.status
	t.f.statusMu.Unlock()
	if status == nil {
		return 0, errUnheard
	}
	s, ok := status(t.ref)
	if !ok {
		return 0, errUnheard
	}
	h := s.SocketHeat
	if t.id == "cable" {
		h = s.CableHeat
	}
	if !h.Known {
		return 0, errUnfelt
	}
	return h.At, nil
}
