package iec61851

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// OpenReason says why a contactor was opened last.
type OpenReason uint8

// Reasons, the zero value before the first opening.
const (
	OpenedNever     OpenReason = iota
	OpenedByVehicle            // the vehicle left C and D
	OpenedByPermit             // the permit was withdrawn and the vehicle had stopped, or Fail was set
	OpenedUnderLoad            // the permit was withdrawn and the vehicle went on drawing
	OpenedByFault              // a stopping fault, or another connector of the EVSE live
)

var openReasonNames = [...]string{"never", "vehicle", "permit", "underLoad", "fault"}

func (r OpenReason) String() string { return openReasonNames[r] }

// Status is all that is known about a connector, as a level: the newest one is the whole truth. Fixed size.
type Status struct {
	Ref        term.Ref
	At         time.Time
	Pilot      term.PilotState
	Cable      CableState   // of a socket; CablePresent for a tethered cable
	Rating     unit.Current // what the cable may carry
	Closed     bool         // by feedback
	Phases     uint8        // lines that are, or were last, closed
	Closings   uint32       // how often it has closed since the start
	Opened     OpenReason   // why it opened last
	HasLock    bool
	Locked     bool // by feedback
	LockFailed bool // the lock does not follow its command
	Offered    unit.Current
	Duty       unit.Duty
	Faults     FaultSet // active now
	Seen       FaultSet // became active since the status was last passed on

	Ailment    hal.Ailment // of the pilot fault: why nobody can see the pilot; none where its line itself is wrong
	SocketHeat Heat
	CableHeat  Heat
}

// Heat is what a thermometer shows; the zero value: nothing is known.
type Heat struct {
	Known bool
	At    unit.Temperature
}

// NoticeKind says what changed.
type NoticeKind uint8

// Kinds of notices.
const (
	PilotChanged NoticeKind = iota + 1 // Pilot
	CableChanged                       // Present, Rating
	PowerChanged                       // Closed, Phases, Reason
	LockChanged                        // Locked, Failed
	FaultChanged                       // Fault, Active, Ailment
	OfferChanged                       // Offered, Duty
)

// Notice is one change at a connector. Only the fields that its kind names mean something.
type Notice struct {
	Kind    NoticeKind
	Ref     term.Ref
	At      time.Time
	Pilot   term.PilotState
	Present bool
	Rating  unit.Current
	Closed  bool
	Phases  uint8
	Reason  OpenReason
	Locked  bool
	Failed  bool
	Fault   term.Fault
	Active  bool
	Ailment hal.Ailment // of a pilot fault that is active
	Offered unit.Current
	Duty    unit.Duty
}

// MaxNotices is the most that one difference of two statuses can give: pilot, cable, lock and offer once, power and
// each fault on and off.
const MaxNotices = 4 + 2 + 2*int(lastFault)

// AppendNotices appends what has changed from old to new: power that ended first, then faults, cable, lock, pilot,
// offer, and power that began last. What came and went in between is told as well: a fault by Seen, a closing by
// Closings. A zero old gives everything that is not in its zero state.
func AppendNotices(dst []Notice, old, new *Status) []Notice {
	add := func(n Notice) {
		n.Ref, n.At = new.Ref, new.At
		dst = append(dst, n)
	}
	closings := new.Closings - old.Closings
	if old.Closed && (!new.Closed || closings > 0) {
		add(Notice{Kind: PowerChanged, Phases: old.Phases, Reason: new.Opened})
	}
	if old.Faults|new.Faults|new.Seen != 0 {
		dst = appendFaults(dst, old, new)
	}
	if old.Cable != new.Cable || old.Rating != new.Rating {
		add(Notice{Kind: CableChanged, Present: new.Cable == CablePresent, Rating: new.Rating})
	}
	if old.Locked != new.Locked || old.LockFailed != new.LockFailed {
		add(Notice{Kind: LockChanged, Locked: new.Locked, Failed: new.LockFailed})
	}
	if old.Pilot != new.Pilot {
		add(Notice{Kind: PilotChanged, Pilot: new.Pilot})
	}
	if old.Offered != new.Offered || old.Duty != new.Duty {
		add(Notice{Kind: OfferChanged, Offered: new.Offered, Duty: new.Duty})
	}
	if new.Closed && (!old.Closed || closings > 0) || !new.Closed && !old.Closed && closings > 0 {
		add(Notice{Kind: PowerChanged, Closed: true, Phases: new.Phases})
	}
	if !new.Closed && !old.Closed && closings > 0 {
		add(Notice{Kind: PowerChanged, Phases: new.Phases, Reason: new.Opened})
	}
	return dst
}

func appendFaults(dst []Notice, old, new *Status) []Notice {
	for f := term.FaultNone + 1; f <= lastFault; f++ {
		n := Notice{Kind: FaultChanged, Ref: new.Ref, At: new.At, Fault: f}
		was, is := old.Faults.Has(f), new.Faults.Has(f)
		if f == term.FaultPilot {
			n.Ailment = new.Ailment
		}
		if !was && (is || new.Seen.Has(f)) || was && is && n.Ailment != hal.AilNone && n.Ailment != old.Ailment {
			n.Active = true
			dst = append(dst, n)
		}
		n.Ailment = hal.AilNone
		if !is && (was || new.Seen.Has(f)) {
			n.Active = false
			dst = append(dst, n)
		}
	}
	return dst
}
