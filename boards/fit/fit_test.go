package fit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/adc"
	"github.com/evsed/evsed/hal/gpio"
	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/pwm"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/serial"
	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/hal/thermo"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// boardFile is a board with one of each device.
const boardFile = `schema: evse.board/1
board:  {vendor: Example, model: TEST, revision: A}
supply: {phases: 3, voltage: 230 V, max_current: 32 A}
safety: {rcd: hw, pe_monitor: hw, overcurrent: [hw, agent], weld_check: agent, open_on_c_exit: agent, watchdog: hw}
watchdog: {device: watchdog0, timeout: 10 s}
buses:
  meters: {rs485: ttyAMA3, baud: 9600, frame: 8N1}
evses:
- id: 1
  phases: 3
  connector: {type: type2-cable, max_current: 32 A}
  pilot:
    pwm:  {chip: fe20c000.pwm, channel: 0}
    high: {adc: mcp3204/voltage0, gain: 7.3242 mV, zero: -15 V, peak_reset: "gpio:CP_PEAK_RST"}
    low:  {adc: mcp3204/voltage1, gain: 7.3242 mV, zero: -15 V, peak_reset: "gpio:CP_VALLEY_RST"}
    sample: {every: 5 ms, filter: median-3}
  contactors:
    wiring: single
    main:   {phases: [L1, L2, L3, N], drive: "gpio:RELAY_EN", sense: {line: "gpio:RELAY_SENSE", bias: pull-up, debounce: 5 ms}, aux: normally-closed}
    timing: {close: 100 ms, open: 40 ms}
  rcd:   {fault: {line: "gpio:!RCM_OK", bias: pull-down}}
  meter: {model: eastron/sdm630-v2, bus: meters, address: 1, silent: report}
  temperature:
  - {id: cable, w1: 28-0316a2795aff, derate: {70 C: 20 A, 80 C: 10 A, 90 C: 0 A}}
  reader: {model: hid/keyboard, device: by-id/usb-reader-event-kbd}
inputs:
  halt: {line: "gpio:HALT", meaning: stop}
  grid_relay: {line: {line: "gpio:!DIGITAL_IN_1", bias: pull-up, debounce: 50 ms}, meaning: curtail, limit: 4.2 kW}
`

func board(t *testing.T, text string) *boards.Board {
	t.Helper()
	b, findings, err := boards.Read(boards.File{Name: "board.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err, findings)
	}
	return b
}

var errGone = errors.New("no such device")

// desk is a Kernel with one of each.
type desk struct {
	line *modbus.Line

	mu      sync.Mutex // of all below
	relay   bool
	halt    bool
	missing bool // the line is not there
	heat    unit.Temperature
	cold    error
	cards   []rfid.Card
	pulled  error
}

func (d *desk) do(f func()) { d.mu.Lock(); defer d.mu.Unlock(); f() }

func (d *desk) Get() (active bool, err error) {
	d.do(func() { active = d.relay })
	return active, nil
}
func (d *desk) Temperature() (t unit.Temperature, err error) {
	d.do(func() { t, err = d.heat, d.cold })
	return t, err
}
func (d *desk) Scan(ctx context.Context) (cards []rfid.Card, err error) {
	d.do(func() { cards, err, d.cards = d.cards, d.pulled, nil })
	if len(cards) == 0 && err == nil {
		time.Sleep(100 * time.Millisecond)
	}
	return cards, err
}
func (d *desk) Input(s gpio.Spec) (gpio.Input, error) {
	if s.Name == "HALT" {
		return halt{d}, nil
	}
	if s.Name != "DIGITAL_IN_1" || !s.ActiveLow || s.Bias != gpio.BiasUp || s.Debounce != 50*time.Millisecond {
		return nil, fmt.Errorf("%+v", s)
	}
	missing := false
	d.do(func() { missing = d.missing })
	if missing {
		return nil, errGone
	}
	return d, nil
}
func (d *desk) Line(c serial.Config) (modbus.Port, error) {
	if c.Port != "ttyAMA3" || c.Baud != 9600 || c.RS485 == nil {
		return nil, fmt.Errorf("%+v", c)
	}
	return d.line, nil
}
func (d *desk) Thermometer(string) (thermo.Source, error) { return d, nil }
func (d *desk) Keyboard(hid.Config) (rfid.Scanner, error) { return cards{d}, nil }
func (d *desk) Output(gpio.Spec) (gpio.Output, error)     { return nil, errGone }
func (d *desk) PWM(string) (pwm.Channel, error)           { return nil, errGone }
func (d *desk) ADC(string) (adc.Channel, error)           { return nil, errGone }
func (d *desk) TCP(string, modbus.Options) *modbus.Bus    { return nil }
func (d *desk) UART(serial.Config) (UART, error)          { return nil, errGone }
func (d *desk) I2C(i2c.Config) (*i2c.Bus, error)          { return nil, errGone }
func (d *desk) SPI(spi.Config) (*spi.Device, error)       { return nil, errGone }
func (d *desk) Close()                                    {}

// halt is the stop button of the desk.
type halt struct{ d *desk }

// Get reads it.
func (h halt) Get() (down bool, err error) {
	h.d.do(func() { down = h.d.halt })
	return down, nil
}

// cards are what is read at the desk.
type cards struct{ *desk }

// Close leaves the desk as it is.
func (cards) Close() error { return nil }

// rig is a fitted board, and what the core hears.
type rig struct {
	*Fitted
	t     *testing.T
	desk  *desk
	slave *meter.Slave
	heard []string
	mu    sync.Mutex // of heard
	leave func()
}

// in runs a test on a board in virtual time.
func in(t *testing.T, test func(*rig), before ...func(*desk)) {
	synctest.Test(t, func(t *testing.T) {
		model, err := meter.Find("eastron/sdm630-v2")
		if err != nil {
			t.Fatal(err)
		}
		slave := meter.NewSlave(model)
		slave.Set(hal.MeterReading{Phases: 3, Voltage: [3]unit.Voltage{230_000, 230_000, 230_000}, Frequency: 50_000, Import: unit.KiloWattHour})
		server := modbus.NewServer(map[uint8]modbus.Unit{1: slave})
		r := &rig{t: t, slave: slave, desk: &desk{line: modbus.NewLine(server, time.Millisecond), heat: 20_000}}
		for _, do := range before {
			do(r.desk)
		}
		r.Fitted, err = Open(board(t, boardFile), r.desk, Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		r.begin()
		r.after(time.Second)
		test(r)
		r.leave()
		r.Close()
	})
}

// begin runs it for a core that knows nothing.
func (r *rig) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx, r.hear) })
	r.leave = func() { cancel(); wg.Wait() }
}

func (r *rig) hear(ev station.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch ev := ev.(type) {
	case station.FaultChanged:
		r.heard = append(r.heard, fmt.Sprintf("%v %v %v %s", ev.Ref, ev.Fault, ev.Active, ev.Info))
	case station.LimitClaimed:
		r.heard = append(r.heard, fmt.Sprintf("limit %d %v %d %s off=%v", ev.EVSE, ev.Owner, ev.Max, ev.Reason, ev.Off))
	case station.StopPressed:
		r.heard = append(r.heard, fmt.Sprintf("stop %d", ev.EVSE))
	case station.TokenRead:
		r.heard = append(r.heard, fmt.Sprintf("token %s %v", ev.Token.Value, ev.EVSEs))
	default:
		r.heard = append(r.heard, fmt.Sprintf("%+v", ev))
	}
}

func (r *rig) after(d time.Duration) { time.Sleep(d); synctest.Wait() }

// want says what the core heard since the last call.
func (r *rig) want(want ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.heard, want) {
		r.t.Errorf("heard %q, want %q", r.heard, want)
	}
	r.heard = nil
}

// wantFault says that the core heard of one fault since the last call, and of which device and why.
func (r *rig) wantFault(ref, device, why string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.heard) != 1 || !strings.HasPrefix(r.heard[0], ref+" ") || !strings.Contains(r.heard[0], " true "+device+": ") || !strings.Contains(r.heard[0], why) {
		r.t.Errorf("heard %q, want one fault at %s of %s: %s", r.heard, ref, device, why)
	}
	r.heard = nil
}

const meterName = "meter eastron/sdm630-v2 at bus meters, address 1"

// Each way in which a meter fails is one fault with the meter's name, and ends by itself; a reboot of the core hears of it again.
func TestMeterThatFails(t *testing.T) {
	for _, c := range []struct {
		name string
		f    modbus.Fault
		unit uint8
		why  string
	}{
		{"silent", modbus.Silent, 1, "no answer"},
		{"wrong CRC", modbus.WrongCRC, 1, "checksum"},
		{"half frame", modbus.HalfFrame, 1, "ends early"},
		{"unplugged", modbus.Unplugged, 0, "unplugged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(r *rig) {
				m, err := r.Meter(1)
				if err != nil {
					t.Fatal(err)
				}
				if v, err := m.Read(r.t.Context()); err != nil || v.Import != unit.KiloWattHour {
					t.Fatal(v, err)
				}
				r.want()
				r.desk.line.Fail(c.unit, c.f)
				r.after(time.Minute)
				r.wantFault("1", meterName, c.why)
				r.leave()
				r.begin()
				r.after(time.Second)
				r.wantFault("1", meterName, c.why)
				r.desk.line.Fail(c.unit, modbus.NoFault)
				r.after(time.Minute)
				r.want("1 meterFailure false ")
			})
		})
	}
}

// A meter that charges and falls silent is told before the guard takes its readings for old: by then the station would tell the same
// fault without a word of which meter it is, and would have to tell it again.
func TestSilentMeterIsToldWithItsName(t *testing.T) {
	in(t, func(r *rig) {
		m, _ := r.Meter(1)
		if _, err := m.Read(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		good := time.Now()
		r.desk.line.Fail(1, modbus.Silent)
		for time.Since(good) < iec61851.ReadingLimit-time.Second {
			r.after(time.Second)
			ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
			_, err := m.Read(ctx)
			cancel()
			if err == nil {
				t.Fatal("it answered")
			}
		}
		if took := time.Since(good); took >= iec61851.ReadingLimit {
			t.Fatalf("asked for %v", took)
		}
		r.after(0)
		r.wantFault("1", meterName, "")
	})
}

// One disturbed frame is no fault.
func TestMeterThatIsDisturbedOnce(t *testing.T) {
	in(t, func(r *rig) {
		r.desk.line.Fail(1, modbus.WrongCRC)
		m, _ := r.Meter(1)
		if _, err := m.Read(r.t.Context()); err == nil {
			t.Fatal("a wrong checksum is believed")
		}
		r.desk.line.Fail(1, modbus.NoFault)
		r.after(time.Minute)
		r.want()
	})
}

// The relay lowers the station's limit by its power over the lines; one that is not there counts as active, is told, and is
// asked for again.
func TestGridRelay(t *testing.T) {
	in(t, func(r *rig) {
		r.desk.do(func() { r.desk.relay = true })
		r.after(time.Second)
		r.want("limit 0 grid operator 6086 LIM-GRID/grid_relay off=false")
		r.desk.do(func() { r.desk.relay = false })
		r.after(time.Second)
		r.want("limit 0 grid operator 0  off=true")
	})
}

func TestGridRelayThatIsMissing(t *testing.T) {
	missing := func(d *desk) { d.missing = true }
	in(t, func(r *rig) {
		r.after(time.Minute)
		r.want("limit 0 grid operator 6086 LIM-GRID/grid_relay off=false", "0 other true input grid_relay: no such device")
		r.desk.do(func() { r.desk.missing = false })
		r.after(time.Minute)
		r.want("limit 0 grid operator 0  off=true", "0 other false ")
	}, missing)
}

// A step of derating holds until it is clearly cooler; a thermometer that is dead leaves the least that is more than nothing.
func TestDerating(t *testing.T) {
	in(t, func(r *rig) {
		heat := func(t unit.Temperature) {
			r.desk.do(func() { r.desk.heat = t })
			r.after(3 * time.Second)
		}
		heat(70_000)
		r.want("limit 1 temperature 20000 LIM-TEMP/cable off=false")
		heat(69_000)
		r.want()
		heat(91_000)
		r.want("limit 1 temperature 0 LIM-TEMP/cable off=false")
		heat(20_000)
		r.want("limit 1 temperature 0  off=true")
		r.desk.do(func() { r.desk.cold = errGone })
		r.after(time.Minute)
		r.want("limit 1 temperature 10000 LIM-TEMP/cable off=false", "1 other true thermometer cable of EVSE 1: no such device")
		r.desk.do(func() { r.desk.cold = nil })
		r.after(time.Minute)
		r.want("limit 1 temperature 0  off=true", "1 other false ")
	})
}

// A stop button counts when it goes down, once however long it is held.
func TestStopButton(t *testing.T) {
	in(t, func(r *rig) {
		r.desk.do(func() { r.desk.halt = true })
		r.after(time.Minute)
		r.want("stop 0")
		r.desk.do(func() { r.desk.halt = false })
		r.after(time.Second)
		r.want()
	})
}

func TestReader(t *testing.T) {
	in(t, func(r *rig) {
		uid, err := rfid.NewUID([]byte{4, 0xA1, 0xB2, 0xC3})
		if err != nil {
			t.Fatal(err)
		}
		r.desk.do(func() { r.desk.cards = []rfid.Card{{UID: uid, ISO: term.TokenISO14443}} })
		r.after(time.Second)
		r.want("token 04A1B2C3 [1]")
		r.desk.do(func() { r.desk.pulled = errGone })
		r.after(time.Minute)
		r.wantFault("1", "reader of EVSE 1, hid/keyboard at by-id/usb-reader-event-kbd", "no such device")
		r.desk.do(func() { r.desk.pulled = nil })
		r.after(time.Minute)
		r.want("1 readerFailure false ")
	})
}

func TestConnectorsAreTheTable(t *testing.T) {
	in(t, func(r *rig) {
		all := r.Connectors()
		if len(all) != 1 || all[0].MaxCurrent != 32*unit.Ampere || !all[0].HasFeedback || all[0].HasLock || !all[0].Tethered || all[0].MaxCableTemperature != 90_000 {
			t.Errorf("%+v", all)
		}
		if _, err := r.Devices(all[0].Ref); !errors.Is(err, errOwnProcess) {
			t.Error(err)
		}
	})
}
