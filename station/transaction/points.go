// Package transaction says when a transaction begins and ends, what its charging state is, and how it is kept.
// Pure: facts in, decisions out.
package transaction

import "fmt"

// Points is a set of the points at which a transaction may start or stop (TxCtrlr.TxStartPoint, TxStopPoint).
type Points uint8

// The points of OCPP 2.x (TxStartStopPointEnumType, part 2 section on block E).
const (
	ParkingBayOccupancy Points = 1 << iota
	EVConnected
	Authorized
	DataSigned
	PowerPathClosed
	EnergyTransfer
)

var pointNames = []string{"ParkingBayOccupancy", "EVConnected", "Authorized", "DataSigned", "PowerPathClosed", "EnergyTransfer"}

// ParsePoints reads a member list of point names.
func ParsePoints(names []string) (Points, error) {
	var p Points
next:
	for _, n := range names {
		for i, name := range pointNames {
			if n == name {
				p |= 1 << i
				continue next
			}
		}
		return 0, fmt.Errorf("transaction point %q: want one of %v", n, pointNames)
	}
	return p, nil
}

// Facts are what is true at an EVSE now.
type Facts struct {
	Bay        bool // a car stands in the bay
	Connected  bool // station and car are connected
	Authorized bool // somebody may charge here
	Signed     bool // the meter gives signed values for this session
	Energy     bool // energy is being transferred
}

// Alive reports whether anything is left that a transaction could go on with: a car, a cable or a driver. A transaction
// that loses the last of them ends whatever its stop points are; else it would run for ever.
func (f Facts) Alive() bool { return f.Bay || f.Connected || f.Authorized }

// Points returns the points that hold.
func (f Facts) Points() Points {
	var p Points
	if f.Bay {
		p |= ParkingBayOccupancy
	}
	if f.Connected {
		p |= EVConnected
	}
	if f.Authorized {
		p |= Authorized
	}
	if f.Signed {
		p |= DataSigned
	}
	if f.Connected && f.Authorized { // E01.FR.05
		p |= PowerPathClosed
	}
	if f.Energy {
		p |= EnergyTransfer
	}
	return p
}

// Starts reports whether a transaction begins: a start point holds that no earlier transaction has used up
// (E01.FR.01-06). spent are the points that held when the last transaction ended and have not fallen since.
func (p Points) Starts(now Facts, spent Points) bool { return p&now.Points()&^spent != 0 }

// Stops reports whether a running transaction ends: a stop point held before and does not hold now (E06.FR.01-07).
// The power path is lost with the connection or with the authorization, even if the other was missing (E06.FR.06).
func (p Points) Stops(before, now Facts) bool {
	lost := before.Points() &^ now.Points()
	if lost&(EVConnected|Authorized) != 0 {
		lost |= PowerPathClosed
	}
	return p&lost != 0
}
