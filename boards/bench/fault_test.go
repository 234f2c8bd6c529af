package bench_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/station/term"
)

// Boards that faults are played on.
var (
	wallbox = []string{"../ac-wallbox-cm4.yaml"}
	socket  = []string{"../ac-socket-imx6ull.yaml", "../product-11kw.yaml"} // charging stops when its meter is silent
	post    = []string{"../ac-post-two-mcu.yaml"}
)

// trouble is a device that goes wrong while a car charges, and is well again after a while.
type trouble struct {
	board []string
	edit  func(*boards.Board)
	begin func(*bench.Bench) error
	end   func(*bench.Bench) error
	code  term.Fault
	opens time.Duration // the contactor is open by then; 0: it stays closed
	told  time.Duration // the CSMS has heard by then
	ends  bool          // the session ends by it: the driver shows the card again
}

// play raises the fault while a car charges. It must be told to the CSMS once, the contactor must open if it has to, and all
// must be well again by itself once the device is: charging goes on, and the end of the fault is told once.
func (x trouble) play(t *testing.T) {
	t.Helper()
	t.Parallel()
	atSite(t, x.board, x.edit, func(s *site) {
		s.charge()
		s.must(x.begin(s.Bench))
		if x.opens > 0 {
			s.until("contactor opens", x.opens, func() bool { return !s.closed() })
		}
		s.until("the CSMS hears of it", x.told, func() bool { return len(s.said()) > 0 })
		s.after(2 * time.Minute)
		if (x.opens > 0) == s.closed() {
			s.Errorf("two minutes later the contactor is closed: %v", s.closed())
		}
		s.once(x.code.String(), false)
		s.must(x.end(s.Bench))
		if x.ends {
			s.after(time.Minute)
			s.swipe()
		}
		s.until("the car charges again", 2*time.Minute, func() bool { return s.State().EVSEs[0].Power > 0 })
		s.after(time.Minute)
		s.once(x.code.String(), true)
	})
}

// meterAt makes the meter of EVSE 1, or its whole line, do something wrong.
func meterAt(address uint8, f modbus.Fault) func(*bench.Bench) error {
	return func(b *bench.Bench) error { return b.FailMeter("meters", address, f) }
}

func TestMeterSilentWhileCharging(t *testing.T) {
	trouble{board: socket, begin: meterAt(1, modbus.Silent), end: meterAt(1, modbus.NoFault), code: term.FaultMeter, opens: 7 * time.Second, told: 10 * time.Second}.play(t)
}

func TestMeterWrongCRCWhileCharging(t *testing.T) {
	trouble{board: socket, begin: meterAt(1, modbus.WrongCRC), end: meterAt(1, modbus.NoFault), code: term.FaultMeter, opens: 7 * time.Second, told: 10 * time.Second}.play(t)
}

func TestMeterHalfFrameWhileCharging(t *testing.T) {
	trouble{board: socket, begin: meterAt(1, modbus.HalfFrame), end: meterAt(1, modbus.NoFault), code: term.FaultMeter, opens: 7 * time.Second, told: 10 * time.Second}.play(t)
}

func TestMeterLineUnpluggedWhileCharging(t *testing.T) {
	trouble{board: socket, begin: meterAt(0, modbus.Unplugged), end: meterAt(0, modbus.NoFault), code: term.FaultMeter, opens: 7 * time.Second, told: 10 * time.Second}.play(t)
}

func TestMeterSilentWhereItMayBe(t *testing.T) {
	trouble{board: wallbox, begin: meterAt(1, modbus.Silent), end: meterAt(1, modbus.NoFault), code: term.FaultMeter, told: 10 * time.Second}.play(t)
}

func TestReaderUnpluggedWhileCharging(t *testing.T) {
	trouble{board: wallbox, begin: func(b *bench.Bench) error { return b.PullReader("front", true) }, end: func(b *bench.Bench) error { return b.PullReader("front", false) },
		code: term.FaultReader, told: time.Minute}.play(t)
}

func TestSerialReaderUnpluggedWhileCharging(t *testing.T) {
	trouble{board: post, begin: func(b *bench.Bench) error { return b.PullReader("cards", true) }, end: func(b *bench.Bench) error { return b.PullReader("cards", false) },
		code: term.FaultReader, told: time.Minute}.play(t)
}

func TestFeedbackStuckAtOpenWhileCharging(t *testing.T) { // normally closed: high is open
	trouble{board: wallbox, begin: func(b *bench.Bench) error { return b.Stick("RELAY_SENSE", true) }, end: func(b *bench.Bench) error { return b.Mend("RELAY_SENSE") },
		ends: true, code: term.FaultContactor, opens: time.Second, told: 5 * time.Second}.play(t)
}

func TestFeedbacksContradictWhileCharging(t *testing.T) {
	trouble{board: socket, begin: func(b *bench.Bench) error { return b.Stick("RELAY_2_SENSE", true) }, end: func(b *bench.Bench) error { return b.Mend("RELAY_2_SENSE") },
		ends: true, code: term.FaultContactor, opens: time.Second, told: 5 * time.Second}.play(t)
}

func TestStuckInputLineWhileCharging(t *testing.T) {
	trouble{board: socket, begin: func(b *bench.Bench) error { return b.Stick("ESTOP_OK", false) }, end: func(b *bench.Bench) error { return b.Mend("ESTOP_OK") },
		ends: true, code: term.FaultEmergencyStop, opens: 100 * time.Millisecond, told: 5 * time.Second}.play(t)
}

func TestFaultCurrentLineCutWhileCharging(t *testing.T) {
	trouble{board: wallbox, begin: func(b *bench.Bench) error { return b.Cut("RCM_OK") }, end: func(b *bench.Bench) error { return b.Mend("RCM_OK") },
		ends: true, code: term.FaultGround, opens: 100 * time.Millisecond, told: 5 * time.Second}.play(t)
}

// TestPilotConverterFrozenWhileCharging: a converter that shows one count only is noticed after as many as the board says.
func TestPilotConverterFrozenWhileCharging(t *testing.T) {
	trouble{board: wallbox, edit: func(b *boards.Board) { b.EVSEs[0].Pilot.Frozen = 200 },
		begin: func(b *bench.Bench) error { return b.Freeze("mcp3204/voltage0") }, end: func(b *bench.Bench) error { return b.Thaw("mcp3204/voltage0") },
		code: term.FaultPilot, opens: 2 * time.Second, told: 10 * time.Second}.play(t)
}

func TestPilotConverterUnpluggedWhileCharging(t *testing.T) {
	trouble{board: wallbox, begin: func(b *bench.Bench) error { return b.Unplug("mcp3204/voltage0") }, end: func(b *bench.Bench) error { return b.Thaw("mcp3204/voltage0") },
		code: term.FaultPilot, opens: 100 * time.Millisecond, told: 5 * time.Second}.play(t)
}

func TestProximityConverterUnpluggedWhileCharging(t *testing.T) {
	trouble{board: socket, begin: func(b *bench.Bench) error { return b.Unplug("2198000.adc/voltage5") }, end: func(b *bench.Bench) error { return b.Thaw("2198000.adc/voltage5") },
		code: term.FaultProximity, opens: 100 * time.Millisecond, told: 5 * time.Second}.play(t)
}

func TestControllerSilentWhileCharging(t *testing.T) {
	trouble{board: post, begin: func(b *bench.Bench) error { return b.Silence("left", true) }, end: func(b *bench.Bench) error { return b.Silence("left", false) },
		code: term.FaultPilot, opens: time.Second, told: 5 * time.Second}.play(t)
}

func TestControllerUnpluggedWhileCharging(t *testing.T) {
	trouble{board: post, begin: func(b *bench.Bench) error { return b.Pull("left", true) }, end: func(b *bench.Bench) error { return b.Pull("left", false) },
		code: term.FaultPilot, opens: time.Second, told: 5 * time.Second}.play(t)
}
