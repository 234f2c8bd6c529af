package bench_test

import (
	"testing"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bench"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Boards that faults are played on.
var (
	wallbox = []string{"../ac-wallbox-cm4.yaml"}
	socket  = []string{"../ac-socket-imx6ull.yaml", "../product-11kw.yaml"} // charging stops when its meter is silent
	post    = []string{"../ac-post-two-mcu.yaml"}
	ladder  = []string{"../testdata/ac-comparators.yaml"} // comparators measure the pilot
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
	info  string        // what the CSMS is told besides the code; "": whatever it is
}

// TestIdleBoardIsNotReset: the watchdog is fed for as long as the station lives, whatever its timeout and however little happens.
func TestIdleBoardIsNotReset(t *testing.T) {
	for _, timeout := range []time.Duration{10 * time.Second, time.Second, time.Minute} {
		t.Run(timeout.String(), func(t *testing.T) {
			t.Parallel()
			atSite(t, wallbox, func(b *boards.Board) { b.Watchdog.Timeout = timeout }, func(s *site) {
				s.after(5 * time.Minute)
				s.charge()
				s.after(5 * time.Minute)
				s.must(s.World(func(w *halsim.World) error {
					_, err := w.Unplug(1, 1, halsim.UnplugOptions{Side: halsim.SideBoth, Orderly: true})
					return err
				}))
				s.after(5 * time.Minute)
				if n := s.Resets(); n > 0 {
					s.Errorf("the watchdog has reset the board %d times", n)
				}
			})
		})
	}
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
		if said := s.said()[0]; x.info != "" && said.info != x.info {
			s.Errorf("the CSMS is told %q, want %q", said.info, x.info)
		}
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

// TestComparatorContradictsWhileCharging: a level above 10.5 V that is not above 7.5 V is none. Without the offer it reads as an
// empty connector, and the session ends.
func TestComparatorContradictsWhileCharging(t *testing.T) {
	trouble{board: ladder, begin: func(b *bench.Bench) error { return b.Stick("CP_ABOVE_10V5", true) }, end: func(b *bench.Bench) error { return b.Mend("CP_ABOVE_10V5") },
		ends: true, code: term.FaultPilot, opens: 100 * time.Millisecond, told: 5 * time.Second}.play(t)
}

func TestProximityConverterUnpluggedWhileCharging(t *testing.T) {
	trouble{board: socket, begin: func(b *bench.Bench) error { return b.Unplug("2198000.adc/voltage5") }, end: func(b *bench.Bench) error { return b.Thaw("2198000.adc/voltage5") },
		code: term.FaultProximity, opens: 100 * time.Millisecond, told: 5 * time.Second}.play(t)
}

func TestControllerSilentWhileCharging(t *testing.T) {
	trouble{board: post, begin: func(b *bench.Bench) error { return b.Silence("left", true) }, end: func(b *bench.Bench) error { return b.Silence("left", false) },
		code: term.FaultPilot, opens: time.Second, told: 5 * time.Second, info: "safety controller left at ttyS1, connector 1: no frame for 500ms"}.play(t)
}

func TestControllerUnpluggedWhileCharging(t *testing.T) {
	trouble{board: post, begin: func(b *bench.Bench) error { return b.Pull("left", true) }, end: func(b *bench.Bench) error { return b.Pull("left", false) },
		code: term.FaultPilot, opens: time.Second, told: 5 * time.Second, info: "safety controller left at ttyS1, connector 1: its port is gone"}.play(t)
}

func TestControllerWrongCRCWhileCharging(t *testing.T) {
	trouble{board: post, begin: func(b *bench.Bench) error { return b.Garble("left", true) }, end: func(b *bench.Bench) error { return b.Garble("left", false) },
		code: term.FaultPilot, opens: time.Second, told: 5 * time.Second, info: "safety controller left at ttyS1, connector 1: only frames with wrong checksums for 500ms"}.play(t)
}

// TestControllerRefused: one that speaks no version of the protocol that this build speaks. Its start is told, what
// will not pass by itself too, and its end once a right firmware is on it.
func TestControllerRefused(t *testing.T) {
	t.Parallel()
	atSite(t, post, nil, func(s *site) {
		s.must(s.Flash("left", [2]uint16{mcu.Version + 1, mcu.Version + 2}))
		s.after(time.Minute)
		s.want(problem{1, "pilotFault", "safety controller left at ttyS1, connector 1: has started anew", false},
			problem{1, "pilotFault", "safety controller left at ttyS1, connector 1: speaks no common version of the protocol", false})
		s.forget()
		s.must(s.Flash("left", [2]uint16{mcu.Version, mcu.Version}))
		s.after(time.Minute)
		s.once(term.FaultPilot.String(), true)
		s.charge() // it works
	})
}

// atPost changes the post: its left socket derates by the controller's thermometer.
func atPost(b *boards.Board) {
	b.EVSEs[0].Temperatures[0].Derate = []boards.Step{{At: 70 * unit.Celsius, Max: 7 * unit.Ampere}, {At: 85 * unit.Celsius}}
}

// TestDeratingByAControllersThermometer: the guard hears the temperature, and the station lowers the current by it.
func TestDeratingByAControllersThermometer(t *testing.T) {
	t.Parallel()
	atSite(t, post, atPost, func(s *site) {
		flows := func() unit.Current { return s.State().EVSEs[0].Current[0] }
		s.charge()
		full := flows()
		s.must(s.Heat(1, "socket", 75*unit.Celsius))
		s.until("less flows", 10*time.Second, func() bool { return flows() <= 7*unit.Ampere })
		s.after(time.Minute)
		if !s.closed() || flows() < 6*unit.Ampere {
			s.Errorf("at 75 degrees: closed %v, %v flows", s.closed(), flows())
		}
		s.must(s.Heat(1, "socket", 60*unit.Celsius))
		s.until("as much as before flows", 10*time.Second, func() bool { return flows() == full })
		if said := s.said(); len(said) > 0 {
			s.Errorf("the CSMS is told %v: derating is no fault", said)
		}
		s.must(s.Heat(1, "socket", 86*unit.Celsius))
		s.until("contactor opens", 5*time.Second, func() bool { return !s.closed() })
		s.after(time.Minute)
		s.once(term.FaultHighTemperature.String(), false)
	})
}
