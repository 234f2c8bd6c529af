package run

import "github.com/evsed/evsed/station"

// Updater downloads, checks and activates firmware, one thing at a time. It posts what the core waits for - FetchEnded,
// InstallEnded, Activated - for each order that is not cancelled. None of its methods blocks.
type Updater interface {
	Fetch(station.Fetch)
	CancelFetch(number uint64)
	Install(station.Install)
	Activate(station.Activate)
}

// CodeNoUpdates is why an update fails that nothing can carry out.
const CodeNoUpdates = "FW-UNSUPPORTED"

// update carries out an order about firmware.
func (r *Runner) update(c station.Command) {
	u := r.ports.Update
	if u == nil {
		if f, ok := c.(station.Fetch); ok {
			r.events = append(r.events, station.FetchEnded{Number: f.Number, Code: CodeNoUpdates, Final: true})
		}
		if i, ok := c.(station.Install); ok { // begun by a program that could
			r.events = append(r.events, station.InstallEnded{Number: i.Number, Code: CodeNoUpdates})
		}
		if a, ok := c.(station.Activate); ok {
			r.events = append(r.events, station.Activated{Number: a.Number, Code: CodeNoUpdates})
		}
		return
	}
	switch c := c.(type) {
	case station.Fetch:
		u.Fetch(c)
	case station.CancelFetch:
		u.CancelFetch(c.Number)
	case station.Install:
		u.Install(c)
	case station.Activate:
		u.Activate(c)
	}
}
