package station_test

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

// dialogue is a Bench whose trace is read piece by piece.
type dialogue struct {
	*stationtest.Bench
	t *testing.T
}

func newDialogue(t *testing.T, evses ...station.EVSE) *dialogue {
	return &dialogue{Bench: stationtest.New(stationtest.Options{EVSEs: evses}), t: t}
}

func (d *dialogue) do(lines ...string) {
	d.t.Helper()
	for _, l := range lines {
		if err := d.Do(l); err != nil {
			d.t.Fatalf("%s: %v", l, err)
		}
	}
}

func (d *dialogue) happens(ev station.Event) {
	d.t.Helper()
	if err := d.Step(ev); err != nil {
		d.t.Fatal(err)
	}
}

// lately returns the lines of the trace since the last call that hold a word.
func (d *dialogue) lately(word string) string {
	var lines []string
	for l := range strings.Lines(d.Output()) {
		if _, said, ok := strings.Cut(l, "> "); ok && strings.Contains(said, word) {
			lines = append(lines, strings.TrimSpace(said))
		}
	}
	return strings.Join(lines, "\n")
}

func (d *dialogue) want(word, want string) {
	d.t.Helper()
	if got := d.lately(word); got != want {
		d.t.Errorf("%s: got\n%s\nwant\n%s", word, got, want)
	}
}

func wallbox(id term.EVSEID) station.EVSE {
	return station.EVSE{ID: id, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{{ID: 1, Type: "cType2", Tethered: true}}}
}

// The relay of a grid operator lowers both cars together at once; a derated car leaves its share to the other, once it can no
// longer draw it; and both rise again.
func TestGridOperatorLimitsTheStation(t *testing.T) {
	d := newDialogue(t, wallbox(1), wallbox(2))
	d.do("boot", "link up", "advance 5s", "plug 1.1", "swipe ALICE evses=1", "plug 2.1", "swipe BOB evses=2", "advance 10s")
	d.lately("")
	d.happens(station.LimitClaimed{Owner: limit.GridOperator, Max: 14 * unit.Ampere, Reason: "LIM-GRID"})
	d.want("close", "cut 1.1 close 7A\ncut 2.1 close 7A")
	d.happens(station.LimitClaimed{EVSE: 1, Owner: limit.Temperature, Max: 0, Reason: "LIM-TEMP"})
	d.want("1.1", "cut 1.1 open")
	d.do("advance 30s")
	d.want("close", "permit 2.1 close 14A")
	d.happens(station.LimitClaimed{EVSE: 1, Owner: limit.Temperature, Off: true})
	d.want("close", "cut 2.1 close 7A")
	d.happens(station.LimitClaimed{Owner: limit.GridOperator, Off: true})
	d.want("close", "permit 1.1 close 32A\npermit 2.1 close 32A")
}

// A limit of one EVSE is its own, and only who has claims may make one.
func TestDeratingIsOfOneEVSE(t *testing.T) {
	d := newDialogue(t, wallbox(1), wallbox(2))
	d.do("boot", "link up", "advance 5s", "plug 1.1", "swipe ALICE evses=1", "plug 2.1", "swipe BOB evses=2", "advance 10s")
	d.lately("")
	d.happens(station.LimitClaimed{EVSE: 2, Owner: limit.Temperature, Max: 10 * unit.Ampere, Reason: "LIM-TEMP"})
	d.want("close", "cut 2.1 close 10A")
	d.happens(station.LimitClaimed{EVSE: 2, Owner: limit.Board, Max: 6 * unit.Ampere})
	d.happens(station.LimitClaimed{EVSE: 7, Owner: limit.Temperature})
	d.want("close", "")
}

// Where energy is billed there is none without the meter, and the fault ends by itself.
func TestBillingNeedsItsMeter(t *testing.T) {
	e := wallbox(1)
	e.Billing = true
	d := newDialogue(t, e)
	d.do("boot", "link up", "meter 1 silent", "advance 5s")
	d.lately("")
	gone := station.FaultChanged{Ref: term.Ref{EVSE: 1}, Fault: term.FaultMeter, Active: true, Info: "meter of EVSE 1: no answer"}
	d.happens(gone)
	d.want("latest", "latest StatusNotification 1.1 Faulted\nlatest NotifyEvent EVSE@1/Problem=true meterFailure meter of EVSE 1: no answer")
	d.happens(gone) // the same again is no news
	d.want("", "")
	d.do("plug 1.1", "swipe ALICE evses=1", "advance 10s")
	d.want("refused", "refused 1 SESSION-OUT-OF-SERVICE")
	d.do("meter 1 answer")
	gone.Active = false
	d.happens(gone)
	d.want("latest", "latest StatusNotification 1.1 Occupied\nlatest NotifyEvent EVSE@1/Problem=false")
	d.do("swipe ALICE evses=1", "advance 10s")
	d.want("close", "permit 1.1 close 32A")
}

// An EVSE that this program does not charge at is Unavailable for good, and the CSMS hears why, once.
func TestRefusedEVSE(t *testing.T) {
	e := wallbox(2)
	e.Refused = "BRD-401: DC is not charged by this build"
	d := newDialogue(t, wallbox(1), e)
	d.do("boot", "link up", "advance 5s")
	d.want("2", "record meta/boots=1 -meta/bootReason meta/events=256 sync\nlight 2.1 unavailable\n"+
		"latest StatusNotification 2.1 Unavailable\nrecord meta/problems=EVSE@2\n"+
		"latest NotifyEvent EVSE@2/Problem=true other BRD-401: DC is not charged by this build")
	d.do("swipe ALICE evses=2", "advance 60s")
	d.want("", "refused 2 SESSION-OUT-OF-SERVICE")
}

// Two devices with one fault are two causes of it.
func TestFaultNamesItsDevices(t *testing.T) {
	d := newDialogue(t, wallbox(1))
	d.do("boot", "link up", "advance 5s")
	d.lately("")
	reader := func(info string, on bool) {
		d.happens(station.FaultChanged{Fault: term.FaultReader, Active: on, Info: info})
	}
	reader("reader A", true)
	reader("reader A; reader B", true)
	reader("reader B", true)
	reader("", false)
	d.want("latest", "latest NotifyEvent ChargingStation/Problem=true readerFailure reader A\n"+
		"latest NotifyEvent ChargingStation/Problem=true readerFailure reader A; reader B\n"+
		"latest NotifyEvent ChargingStation/Problem=true readerFailure reader B\n"+
		"latest NotifyEvent ChargingStation/Problem=false")
}
