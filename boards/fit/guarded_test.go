package fit

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// postFile is a board whose EVSE is at a safety controller's second port.
const postFile = `schema: evse.board/1
board:  {vendor: Example, model: TEST, revision: A}
supply: {phases: 3, voltage: 230 V, max_current: 32 A}
safety: {rcd: mcu, pe_monitor: mcu, overcurrent: mcu, weld_check: mcu, open_on_c_exit: mcu, watchdog: mcu}
mcus:
  left: {uart: ttyS1, silence: 400 ms}
evses:
- id: 1
  connector: {type: type2-cable, max_current: 32 A}
  mcu: {unit: left, port: 2}
  pilot: mcu
  contactors: mcu
  rcd: mcu
  temperature:
  - {id: cable, mcu: true, derate: {70 C: 20 A, 80 C: 10 A, 90 C: 0 A}}
`

// A thermometer of a safety controller derates by what the guard tells of it; one that the guard cannot read leaves the least
// step above nothing, and is the guard's own fault to tell.
func TestThermometerOfAController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, desk: &desk{line: modbus.NewLine(modbus.NewServer(nil), time.Millisecond)}}
		var err error
		if r.Fitted, err = Open(board(t, postFile), r.desk, Options{Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		var said bool
		var heat iec61851.Heat
		r.Guarded(func(ref term.Ref) (iec61851.Status, bool) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return iec61851.Status{Ref: ref, CableHeat: heat}, said
		})
		tell := func(h iec61851.Heat) {
			r.mu.Lock()
			said, heat = true, h
			r.mu.Unlock()
			r.after(2 * time.Second)
		}
		r.begin()
		r.after(5 * time.Second)
		r.want() // the guard has said nothing
		tell(iec61851.Heat{Known: true, At: 20_000})
		r.want()
		tell(iec61851.Heat{Known: true, At: 71_000})
		r.want("limit 1 temperature 20000 LIM-TEMP/cable off=false")
		tell(iec61851.Heat{})
		r.want("limit 1 temperature 10000 LIM-TEMP/cable off=false")
		tell(iec61851.Heat{Known: true, At: 92_000})
		r.want("limit 1 temperature 0 LIM-TEMP/cable off=false")
		tell(iec61851.Heat{Known: true, At: 66_000})
		r.want("limit 1 temperature 0  off=true")
		r.leave()
		r.Close()
	})
}

// What ails is told by the names of the board's files.
func TestExplain(t *testing.T) {
	post := &Fitted{board: board(t, postFile)}
	unset := &Fitted{board: board(t, postFile)}
	unset.board.MCUs[0].Silence = 0
	wired := &Fitted{board: board(t, boardFile)}
	compared := &Fitted{board: board(t, boardFile)}
	compared.board.EVSEs[0].Pilot = boards.Pilot{Comparators: []boards.Comparator{{Line: boards.Line{Name: "CP_A"}}, {Line: boards.Line{Name: "CP_B"}}}}
	at := term.Ref{EVSE: 1, Connector: 1}
	for _, row := range []struct {
		of   *Fitted
		ref  term.Ref
		a    hal.Ailment
		want string
	}{
		{post, at, hal.AilSilent, "safety controller left at ttyS1, connector 2: no frame for 400ms"},
		{unset, at, hal.AilSilent, "safety controller left at ttyS1, connector 2: no frame for 300ms"},
		{post, at, hal.AilGarbled, "safety controller left at ttyS1, connector 2: only frames with wrong checksums for 400ms"},
		{post, at, hal.AilLine, "safety controller left at ttyS1, connector 2: its port is gone"},
		{post, at, hal.AilFunctions, "safety controller left at ttyS1, connector 2: does not own what the board gives to it"},
		{wired, at, hal.AilFrozen, "pilot of EVSE 1 (mcp3204/voltage0, mcp3204/voltage1): the converter is frozen: it shows one count only"},
		{compared, at, hal.AilUnreadable, "pilot of EVSE 1 (CP_A, CP_B): a device of the pilot cannot be read"},
		{wired, term.Ref{EVSE: 7}, hal.AilUnreadable, "a device of the pilot cannot be read"},
	} {
		if got := row.of.Explain(row.ref, row.a); got != row.want {
			t.Errorf("%v: %q, want %q", row.a, got, row.want)
		}
	}
	for a := hal.AilNone; a <= hal.Ailments; a++ {
		if text := post.Explain(at, a); a.Error() == "" || len(text) > 255 {
			t.Errorf("%d: %q", a, text)
		}
	}
}
