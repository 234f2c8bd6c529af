package dryrun

import (
	"testing"

	"github.com/evsed/evsed/boards"
)

// mistake is one thing that can be wrong in a board file.
type mistake struct {
	name string
	make func(*boards.EVSE) bool // false: the EVSE has nothing to make it at
}

func flip(on *bool) bool { *on = !*on; return true }

func line(l *boards.Line) bool { return l != nil && flip(&l.ActiveLow) }

func swap[T any](a, b *T) bool {
	*a, *b = *b, *a
	return true
}

var mistakes = []mistake{
	{"polarity of the main drive", func(e *boards.EVSE) bool { return first(e) != nil && line(&first(e).Drive) }},
	{"polarity of the main feedback", func(e *boards.EVSE) bool { return first(e) != nil && line(first(e).Sense) }},
	{"kind of the main mirror contact", func(e *boards.EVSE) bool { return sensed(e) && flip(&first(e).NormallyClosed) }},
	{"polarity of the extra drive", func(e *boards.EVSE) bool { return second(e) != nil && line(&second(e).Drive) }},
	{"polarity of the extra feedback", func(e *boards.EVSE) bool { return second(e) != nil && line(second(e).Sense) }},
	{"main and extra feedback swapped", func(e *boards.EVSE) bool { return sensedExtra(e) && swap(first(e).Sense, second(e).Sense) }},
	{"main and extra drive swapped", func(e *boards.EVSE) bool { return sensedExtra(e) && swap(&first(e).Drive, &second(e).Drive) }},
	{"main drive and its feedback swapped", func(e *boards.EVSE) bool { return sensed(e) && swap(&first(e).Drive, first(e).Sense) }},
	{"polarity of the generator", func(e *boards.EVSE) bool { return !e.Pilot.MCU && flip(&e.Pilot.PWM.Invert) }},
	{"gain of the high half, sign", func(e *boards.EVSE) bool { return detector(e) && times(&e.Pilot.High.Gain, -1, 1) }},
	{"gain of the high half, a fifth less", func(e *boards.EVSE) bool { return detector(e) && times(&e.Pilot.High.Gain, 4, 5) }},
	{"gain of the low half, sign", func(e *boards.EVSE) bool { return detector(e) && times(&e.Pilot.Low.Gain, -1, 1) }},
	{"gain of the low half, a half", func(e *boards.EVSE) bool { return detector(e) && times(&e.Pilot.Low.Gain, 1, 2) }},
	{"zero of the high half", func(e *boards.EVSE) bool { return detector(e) && add(&e.Pilot.High.Zero, 3000) }},
	{"high and low half swapped", func(e *boards.EVSE) bool { return detector(e) && swap(&e.Pilot.High.Name, &e.Pilot.Low.Name) }},
	{"polarity of the peak's reset", func(e *boards.EVSE) bool { return detector(e) && line(e.Pilot.High.Reset) }},
	{"polarity of the valley's reset", func(e *boards.EVSE) bool { return detector(e) && line(e.Pilot.Low.Reset) }},
	{"no reset of the peak", func(e *boards.EVSE) bool { return detector(e) && drop(&e.Pilot.High.Reset) }},
	{"no reset of the valley", func(e *boards.EVSE) bool { return detector(e) && drop(&e.Pilot.Low.Reset) }},
	{"polarity of a comparator", func(e *boards.EVSE) bool { return len(e.Pilot.Comparators) > 0 && line(&e.Pilot.Comparators[0].Line) }},
	{"two comparators swapped", func(e *boards.EVSE) bool {
		return len(e.Pilot.Comparators) > 1 && swap(&e.Pilot.Comparators[0].Line, &e.Pilot.Comparators[1].Line)
	}},
	{"polarity of the diode's comparator", func(e *boards.EVSE) bool {
		return len(e.Pilot.Comparators) > 4 && line(&e.Pilot.Comparators[4].Line)
	}},
	{"proximity's pull-up", func(e *boards.EVSE) bool { return ppADC(e) && add(&e.Proximity.Pullup, e.Proximity.Pullup) }},
	{"proximity's rail", func(e *boards.EVSE) bool { return ppADC(e) && add(&e.Proximity.Rail, e.Proximity.Rail/2) }},
	{"proximity's gain", func(e *boards.EVSE) bool { return ppADC(e) && times(&e.Proximity.ADC.Gain, 1, 2) }},
	{"lock's motor turns the other way", func(e *boards.EVSE) bool { return motors(e) && swap(&e.Lock.Motor[0], &e.Lock.Motor[1]) }},
	{"polarity of one motor line", func(e *boards.EVSE) bool { return motors(e) && line(&e.Lock.Motor[0]) }},
	{"polarity of the lock's sensor", func(e *boards.EVSE) bool { return sensedLock(e) && line(e.Lock.Sense) }},
	{"lock's pulse too short", func(e *boards.EVSE) bool { return motors(e) && add(&e.Lock.Pulse, -e.Lock.Pulse*5/6) }},
	{"polarity of the RCD's contact", func(e *boards.EVSE) bool { return wiredRCD(e) && line(&e.RCD.Fault) }},
	{"polarity of the RCD's test", func(e *boards.EVSE) bool { return wiredRCD(e) && line(e.RCD.Test) }},
}

func times(g *boards.Gain, by, of boards.Gain) bool {
	*g = *g * by / of
	return true
}

func add[T ~int64](v *T, d T) bool {
	*v += d
	return true
}

func drop[T any](p **T) bool {
	had := *p != nil
	*p = nil
	return had
}

func ppADC(e *boards.EVSE) bool  { return e.Proximity != nil && !e.Proximity.MCU }
func motors(e *boards.EVSE) bool { return e.Lock != nil && len(e.Lock.Motor) == 2 }

// TestMistakesShow: a file that says something else than the board is fails its dry run, whatever it is wrong about.
func TestMistakesShow(t *testing.T) {
	for _, file := range append(shipped(t), comparedBoard) {
		for _, m := range mistakes {
			hardware, software := load(t, file), load(t, file)
			if e := &software.EVSEs[0]; e.Pilot.MCU || !m.make(e) {
				continue
			}
			t.Run(name(file)+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				for i := range hardware.EVSEs {
					for _, sc := range suite(hardware) {
						if s := one(hardware, software, &hardware.EVSEs[i], sc); s.Result == Failed {
							t.Log(s)
							return
						}
					}
				}
				t.Error("nothing shows it")
			})
		}
	}
}
