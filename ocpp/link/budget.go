package link

import (
	"time"

	"github.com/evsed/evsed/station"
)

// What a CSMS may make the station keep. Each such request is a write to flash with a sync, which thousands of them per
// second wear out within weeks. A fitter's script that configures a station all at once fits into the burst; at the rate
// a page of 4 KiB is written 86,400 times a day, 350 MB. Lists have a budget of their own, by their length: a few of the
// longest at once.
const (
	KeptBurst = 256         // requests at once
	KeptEvery = time.Second // and another one each

	ListBurst = 3 * MaxMessage / page // pages of lists at once, and another one each KeptEvery
	listCost  = 8                     // pages of the shortest list: it is a file of its own
	page      = 4 << 10               // bytes
)

// budget is how much the CSMS has left. It is the station's flash that wears out: a new connection brings no new budget.
type budget struct {
	spent int
	since time.Time // from when on time gives back what was spent
}

// take spends n, on credit if there is less but something; false: there is nothing.
func (b *budget) take(now time.Time, n, burst int) bool {
	if back := int(now.Sub(b.since) / KeptEvery); back > 0 {
		b.spent = max(b.spent-back, 0)
		b.since = b.since.Add(time.Duration(back) * KeptEvery)
	}
	if b.spent == 0 {
		b.since = now
	}
	if b.spent >= burst {
		return false
	}
	b.spent += n
	return true
}

// kept tells whether a request ends on flash, or moves something that wears out, if the core grants it. A SendLocalList
// does so while it is read.
func kept(r station.Request) bool {
	switch r := r.(type) {
	case station.ChangeAvailability, station.ClearCache, station.SetVariables, station.SetNetworkProfile, station.RaiseSecurity, station.RequestStart,
		station.RequestStop, station.Reset, station.UnlockConnector, station.ReserveNow, station.CancelReservation,
		station.SetChargingProfile, station.ClearChargingProfile:
		return true
	case station.CustomerInformation:
		return r.Clear
	case station.TriggerMessage:
		return r.Message == "TransactionEvent"
	}
	return false
}
