package boards

import (
	"time"

	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
)

// Bounds of what a file may describe.
const (
	maxEVSEs   = 32
	maxBuses   = 16
	maxMCUs    = 8
	maxModules = 32
	maxInputs  = 16
	maxFans    = 8
	maxSteps   = 8
	maxTemps   = 4
	maxLabel   = 20
)

// Schemas of the three layers.
var schemas = map[Layer]string{LayerBoard: "evse.board/1", LayerProduct: "evse.product/1", LayerSite: "evse.site/1"}

var layerNames = [...]string{"", "board", "product", "site"}

func (l Layer) String() string { return layerNames[l] }

// Ways of writing a text.
var (
	formLabel  = &form{name: "1 to 20 printable characters", pattern: `^[ -~]{1,20}$`}
	formName   = &form{name: "a name of letters, digits, '_', '-' and '.'", pattern: `^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$`}
	formPort   = &form{name: "a serial device below /dev, like ttymxc2", pattern: `^[A-Za-z0-9][A-Za-z0-9_.:+-]*(/[A-Za-z0-9][A-Za-z0-9_.:+-]*){0,3}$`}
	formNet    = &form{name: "a network interface, like can0", pattern: `^[A-Za-z][A-Za-z0-9_.-]{0,14}$`}
	formHost   = &form{name: "a host, or host:port", pattern: `^[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$`}
	formSPI    = &form{name: "bus.select, like 0.0", pattern: `^[0-9]{1,2}\.[0-9]{1,2}$`}
	formADC    = &form{name: "device/channel, like 2198000.adc/voltage2", pattern: `^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,30}/[a-z][A-Za-z0-9_-]{0,14}$`}
	formChip   = &form{name: "the chip's name in the kernel, like 20fc000.pwm", pattern: `^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,38}$`}
	formModel  = &form{name: "maker/model, like eastron/sdm630-v2", pattern: `^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*$`}
	formMeter  = &form{name: "maker/model, like eastron/sdm630-v2, or a .yaml file", pattern: `^([a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*|[A-Za-z0-9_./-]{1,100}\.yaml)$`}
	formSerial = &form{name: "text:NUMBER, or eeprom:BUS-ADDRESS@OFFSET, or file:PATH", pattern: `^(text:[ -~]{1,25}|eeprom:[0-9]{1,2}-00[0-9a-f]{2}@0x[0-9a-f]{1,4}|file:/[ -~]{1,120})$`}
	formLED    = &form{name: "a LED's name below /sys/class/leds", pattern: `^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$`}
	formKey    = &form{name: "hex digits, or from-meter", pattern: `^([0-9a-fA-F]{40,400}|from-meter)$`}
	formLine   = &form{name: "gpio:NAME, or gpio:!NAME for one that is active low", pattern: `^gpio:!?[!-~]([ -~]{0,29}[!-~])?$`}
	formHwmon  = &form{name: "hwmon/channel, like cpu_thermal/temp1", pattern: `^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}/temp[0-9]{1,2}$`}
	formW1     = &form{name: "a 1-wire id, like 28-0316a2795aff", pattern: `^[0-9a-f]{2}-[0-9a-f]{12}$`}
	formEVSE   = &form{name: "an EVSE id of at most 38 letters, digits and '*'", pattern: `^[A-Za-z0-9*]{1,38}$`}
)

// owner rows of the table: which owners a protective function may have.
func owner(name, about string, owners ...string) key {
	return key{name: name, kind: kindWords, words: owners, about: about}
}

// table is the table of keys.
var table = key{kind: kindMap, keys: []key{
	{name: "schema", kind: kindWord, need: true, in: inBoard | inProduct | inSite, about: "What kind of a file this is.",
		words: []string{"evse.board/1", "evse.product/1", "evse.site/1"}},
	{name: "board", kind: kindMap, need: true, about: "What the board is; the station tells it to its CSMS.", keys: []key{
		{name: "vendor", form: formLabel, need: true, about: "Who makes it."},
		{name: "model", form: formLabel, need: true, about: "Its name."},
		{name: "revision", form: formLabel, about: "Of the hardware."},
		{name: "serial", form: formSerial, about: "Where the board's serial number is kept."},
	}},
	{name: "product", kind: kindMap, in: inProduct, about: "What the product is that the board is in: in place of the board's own names.", keys: []key{
		{name: "vendor", form: formLabel, rule: ruleSet, in: inProduct, about: "Who sells it."},
		{name: "model", form: formLabel, rule: ruleSet, in: inProduct, about: "Its name."},
	}},
	{name: "supply", kind: kindMap, need: true, about: "What feeds the station.", keys: []key{
		{name: "phases", kind: kindInt, least: 1, most: 3, need: true, rule: ruleLower, about: "Lines that arrive: 1 or 3."},
		{name: "voltage", kind: kindQuantity, q: qVoltage, least: 100_000, most: 500_000, need: true, about: "Line to neutral."},
		{name: "max_current", kind: kindQuantity, q: qCurrent, least: 6000, most: 1_000_000, need: true, rule: ruleLower,
			about: "Per line. No EVSE offers more; the fuse of a site is written here, in the site file."},
		{name: "kind", gone: "the supply of a station is AC in this build", about: "ac"},
		{name: "rotation", gone: "nothing shares a fuse between EVSEs in this build"},
		{name: "earthing", gone: "nothing in this build depends on it"},
		{name: "main_contactor", gone: "nothing in this build drives it: give it to hardware or an MCU"},
	}},
	{name: "safety", kind: kindMap, need: true, about: "Who carries out each protective function: hw (wires and relays alone), mcu (a safety controller) or agent (the guard of this program, on Linux). Several owners act one behind the other.", keys: []key{
		owner("rcd", "Fault currents switch off.", "hw", "mcu", "agent"),
		owner("pe_monitor", "A missing protective earth switches off.", "hw", "mcu", "agent"),
		owner("overcurrent", "A vehicle that takes more than is offered is switched off.", "hw", "mcu", "agent"),
		owner("weld_check", "A contact that did not open is noticed.", "mcu", "agent"),
		owner("open_on_c_exit", "The contactor opens when the vehicle leaves state C.", "mcu", "agent"),
		owner("emergency_stop", "The emergency stop opens everything.", "hw", "mcu", "agent"),
		owner("overvoltage", "Too high a DC output is switched off.", "hw", "mcu", "agent"),
		owner("isolation", "Bad insulation of a DC output switches off.", "hw", "mcu", "agent"),
		owner("door", "An open housing switches off.", "hw", "mcu", "agent"),
		owner("watchdog", "A program that hangs is noticed, and everything opens.", "hw", "mcu", "agent"),
	}},
	{name: "watchdog", kind: kindMap, about: "The watchdog that guard and station pet together.", keys: []key{
		{name: "device", form: &form{name: "a watchdog below /dev, like watchdog0", pattern: `^watchdog[0-9]{0,2}$`}, need: true, about: "Its device below /dev."},
		{name: "timeout", kind: kindQuantity, q: qTime, least: int64(time.Second), most: int64(time.Minute), need: true, rule: ruleLower,
			about: "After which it resets the board: whole seconds."},
	}},
	{name: "buses", kind: kindDict, most: maxBuses, about: "Buses that devices share, by a name of their own. Each has one of rs485, uart, i2c, spi, can, tcp and net.", keys: []key{
		{name: "rs485", form: formPort, about: "Serial device with an RS-485 transceiver whose direction the kernel turns."},
		{name: "uart", form: formPort, about: "Serial device."},
		{name: "baud", kind: kindInt, least: 300, most: 4_000_000, about: "Of rs485 and uart."},
		{name: "frame", kind: kindWord, words: []string{"8N1", "8E1", "8O1", "8N2", "7E1"}, about: "Data bits, parity and stop bits of rs485 and uart; 8N1 if it is not given."},
		{name: "i2c", kind: kindInt, least: 0, most: 99, about: "Number of the adapter: 1 is /dev/i2c-1."},
		{name: "spi", form: formSPI, about: "Bus and chip select: 0.1 is /dev/spidev0.1."},
		{name: "can", form: formNet, about: "CAN interface. Its bit rate is set where the system sets up its network."},
		{name: "tcp", form: formHost, about: "Host and port of a Modbus TCP gateway; port 502 if it is not given."},
		{name: "net", form: formNet, about: "Network interface of a power-line modem."},
		{name: "bitrate", gone: "the kernel's CAN interface has it: set it where the system sets up its network"},
		{name: "modem", gone: "this build does not speak SLAC"},
		{name: "services", gone: "no service of this build binds to a bus"},
	}},
	{name: "mcus", kind: kindDict, most: maxMCUs, about: "Safety controllers that speak the protocol of docs/mcu.md, by a name of their own.", keys: []key{
		{name: "uart", form: formPort, need: true, about: "Serial device that it is at."},
		{name: "baud", kind: kindInt, least: mcu.MinBaud, most: 4_000_000, about: "115200 if it is not given."},
		{name: "heartbeat", kind: kindQuantity, q: qTime, least: int64(20 * time.Millisecond), most: int64(600 * time.Millisecond), about: "How often each end says that it lives; 100 ms if it is not given."},
		{name: "silence", kind: kindQuantity, q: qTime, least: int64(60 * time.Millisecond), most: int64(2 * time.Second), rule: ruleLower, about: "After which each end takes the other for gone; three heartbeats if it is not given."},
		{name: "on_silence", kind: kindWord, words: []string{"lowest", "open"}, rule: ruleLater, about: "What the controller does then: go on at its own lowest limit, or open. open if it is not given."},
	}},
	{name: "evses", kind: kindMaps, need: true, most: maxEVSEs, about: "Supply points, each with its one connector; ids run from 1 without a gap.", keys: evseKeys},
	{name: "power_modules", kind: kindMaps, most: maxModules, about: "Rectifiers of DC EVSEs.", keys: moduleKeys},
	{name: "cooling", kind: kindMap, about: "Fans, by the hottest thermometer.", keys: []key{
		{name: "fans", kind: kindMaps, most: maxFans, need: true, about: "The fans.", keys: []key{
			{name: "id", form: formName, need: true, about: "Its name."},
			{name: "pwm", kind: kindMap, need: true, about: "The wire that sets its speed.", keys: pwmKeys},
			{name: "tach", kind: kindLine, about: "The line that pulses while it turns."},
		}},
		{name: "curve", kind: kindSteps, at: qTemperature, q: qPercent, most: maxSteps, need: true, about: "Speed from each temperature on."},
	}},
	{name: "inputs", kind: kindDict, most: maxInputs, about: "Lines with a meaning, by a name of their own.", keys: []key{
		{name: "line", kind: kindLine, about: "The line."},
		{name: "mcu", form: formName, about: "The safety controller that reports it, in place of a line."},
		{name: "meaning", kind: kindWord, need: true, words: []string{"curtail", "stop", "emergency_stop", "door_open"}, about: "What it says while it is active."},
		{name: "limit", kind: kindQuantity, q: qPower, least: 0, most: 1_000_000_000, rule: ruleLower, about: "Of curtail: what the whole station may take."},
	}},
	{name: "reader", kind: kindMap, about: "A reader of tokens for the whole station.", keys: readerKeys},
	{name: "display", kind: kindMap, about: "A display of text.", keys: displayKeys},
}}

var displayKeys = []key{
	{name: "model", kind: kindWord, words: []string{"hd44780/pcf8574"}, need: true, about: "Its chip."},
	{name: "bus", form: formName, need: true, about: "The bus that it is at."},
	{name: "address", kind: kindInt, least: 8, most: 119, need: true, about: "There."},
	{name: "drm", gone: "this build draws no pictures"},
	{name: "page", gone: "this build draws no pages"},
}

var moduleKeys = []key{
	{name: "id", form: formName, need: true, about: "Its name."},
	{name: "model", form: formModel, need: true, about: "Maker and model."},
	{name: "bus", form: formName, need: true, about: "The CAN bus that it is at."},
	{name: "address", kind: kindInt, least: 0, most: 63, need: true, about: "There."},
	{name: "voltage", kind: kindRange, q: qVoltage, least: 0, most: 2_000_000, need: true, about: "That it can give."},
	{name: "power", kind: kindQuantity, q: qPower, least: int64(unit.KiloWatt), most: int64(1000 * unit.KiloWatt), need: true, about: "That it can give."},
	{name: "stop_on_silence", gone: "the module has its own time, which this build does not set"},
}
