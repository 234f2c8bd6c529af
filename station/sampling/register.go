package sampling

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
)

// Registers follows the import and export registers of one transaction from its begin.
type Registers struct {
	Begin, Last       unit.Energy // import register at the begin and now, as the meter has them
	BeginExp, LastExp unit.Energy // export register likewise
	Imported          unit.Energy // delivered so far; survives the replacement of the meter
	Exported          unit.Energy
	Known             bool // a reading has been taken
}

// Take follows a reading. The first one is the begin. A register that fell belongs to another meter: what it shows
// counts from there (J02.FR.16).
func (g *Registers) Take(r hal.MeterReading) {
	if !g.Known {
		*g = Registers{Begin: r.Import, BeginExp: r.Export, Last: r.Import, LastExp: r.Export, Known: true}
		return
	}
	g.Imported += max(r.Import-g.Last, 0)
	g.Exported += max(r.Export-g.LastExp, 0)
	g.Last, g.LastExp = r.Import, r.Export
}
