package boards

import (
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/term"
)

// connectorTypes are the words for connectors, as OCPP spells them, and what their standards let them carry.
var connectorTypes = []struct {
	word, ocpp string
	tethered   bool
	dc         bool
	most       int64 // mA
}{
	{"type2-socket", "sType2", false, false, 63_000},
	{"type2-cable", "cType2", true, false, 63_000},
	{"type1-cable", "cType1", true, false, 80_000},
	{"nacs-cable", "cNACS", true, false, 80_000},
	{"ccs2", "cCCS2", true, true, 800_000},
	{"ccs1", "cCCS1", true, true, 800_000},
}

func connectorWords() []string {
	var words []string
	for _, t := range connectorTypes {
		words = append(words, t.word)
	}
	return words
}

var pwmKeys = []key{
	{name: "chip", form: formChip, need: true, about: "The chip, as the kernel names its device: the last part of where /sys/class/pwm/pwmchipN/device points."},
	{name: "channel", kind: kindInt, least: 0, most: 31, need: true, about: "There."},
	{name: "invert", kind: kindFlag, about: "The wire is high while the channel is low."},
	{name: "frequency", gone: "1 kHz is the standard's, and the program's"},
}

var adcKeys = []key{
	{name: "adc", form: formADC, need: true, about: "Device and channel of the converter."},
	{name: "gain", kind: kindQuantity, q: qGain, least: -1_000_000_000, most: 1_000_000_000, need: true, about: "Voltage on the wire for each count."},
	{name: "zero", kind: kindQuantity, q: qVoltage, least: -50_000, most: 50_000, about: "Voltage on the wire at count 0; 0 V if it is not given."},
}

var peakKeys = append(append([]key(nil), adcKeys...),
	key{name: "peak_reset", kind: kindLine, about: "The line that clears the peak detector in front of the converter."},
	key{name: "reset_pulse", kind: kindQuantity, q: qTime, least: 1000, most: int64(time.Millisecond), about: "For how long; as short as the program can if it is not given."})

func switchKeys(phases bool) []key {
	keys := []key{
		{name: "drive", kind: kindLine, need: true, about: "The line that closes it."},
		{name: "sense", kind: kindLine, about: "The line of its mirror contact."},
		{name: "aux", kind: kindWord, words: []string{"normally-closed", "normally-open"}, about: "How the mirror contact moves: a normally-closed one is closed while the main contacts are open. normally-closed if it is not given."},
	}
	if phases {
		keys = append([]key{{name: "phases", kind: kindWords, words: []string{"L1", "L2", "L3", "N"}, need: true, about: "What it switches."}}, keys...)
	}
	return keys
}

var evseKeys = []key{
	{name: "id", kind: kindInt, least: 1, most: maxEVSEs, need: true, about: "From 1 without a gap."},
	{name: "name", form: formEVSE, rule: ruleSet, about: "EvseId that the CSMS is told."},
	{name: "off", kind: kindFlag, rule: ruleOn, about: "The EVSE is not used: its contactor stays open and the CSMS does not hear of it. Only the last EVSEs can be switched off."},
	{name: "phases", kind: kindInt, least: 1, most: 3, rule: ruleLower, about: "Lines that are wired to an AC connector: 1 or 3. As many as the supply has if it is not given."},
	{name: "connector", kind: kindMap, need: true, about: "What the driver sees.", keys: []key{
		{name: "type", kind: kindWord, words: connectorWords(), need: true, about: "Socket or fixed cable."},
		{name: "max_current", kind: kindQuantity, q: qCurrent, least: 6000, most: 1_000_000, need: true, rule: ruleLower, about: "That it, its cable and the contactor may carry, per line."},
		{name: "voltage", kind: kindRange, q: qVoltage, least: 0, most: 2_000_000, about: "Of a DC connector."},
		{name: "ventilated", kind: kindFlag, about: "State D is supplied; a vehicle that asks for ventilation is refused otherwise."},
		{name: "id", gone: "an EVSE has one connector in this schema, and it is number 1"},
		{name: "after_power_loss", gone: "the station resumes a transaction whose vehicle is still there, on every board"},
	}},
	{name: "mcu", kind: kindMap, about: "The safety controller that has what is called mcu here.", keys: []key{
		{name: "unit", form: formName, need: true, about: "Its name in mcus."},
		{name: "port", kind: kindInt, least: 1, most: 8, about: "The connector's number there; 1 if it is not given."},
	}},
	{name: "pilot", kind: kindMap, orMCU: true, need: true, about: "The control pilot.", keys: []key{
		{name: "pwm", kind: kindMap, need: true, about: "The wire that drives it.", keys: pwmKeys},
		{name: "high", kind: kindMap, about: "Measures its upper level.", keys: peakKeys},
		{name: "low", kind: kindMap, about: "Measures its lower level: without it the vehicle's diode is not seen.", keys: peakKeys},
		{name: "comparators", kind: kindDict, most: 5, about: "In place of high and low: lines behind peak detectors that tell levels apart, by a name of their own.", keys: []key{
			{name: "line", kind: kindLine, need: true, about: "The line."},
			{name: "above", kind: kindQuantity, q: qVoltage, least: 1000, most: 12_000, about: "Active while the upper level is above: near 10.5 V, 7.5 V, 4.5 V and 1.5 V."},
			{name: "below", kind: kindQuantity, q: qVoltage, least: -12_000, most: -1000, about: "Active while the lower level is below: near -10.5 V."},
		}},
		{name: "sample", kind: kindMap, need: true, about: "How it is sampled.", keys: []key{
			{name: "every", kind: kindQuantity, q: qTime, least: int64(time.Millisecond), most: int64(time.Second), need: true, about: "Time between samples while a vehicle is plugged in."},
			{name: "filter", kind: kindWord, words: []string{"none", "median-3", "median-5", "median-7", "median-9"}, about: "Of converters: the middle one of so many samples. none if it is not given; the guard debounces behind it."},
			{name: "frozen_after", kind: kindInt, least: 100, most: 10_000_000, about: "Of converters: so many equal counts in a row while PWM runs, and the converter is taken for dead: 400 are 2 s at 5 ms. Never if it is not given."},
		}},
		{name: "duty", gone: "the program knows which duty cycle is due"},
	}},
	{name: "proximity", kind: kindMap, orMCU: true, about: "The proximity circuit of a socket: a pull-up to a rail, and the resistor in the plug.", keys: append(append([]key(nil), adcKeys...),
		key{name: "pullup", kind: kindQuantity, q: qResistance, least: 10_000, most: 100_000_000, need: true, about: "The pull-up."},
		key{name: "rail", kind: kindQuantity, q: qVoltage, least: 1000, most: 24_000, need: true, about: "What it pulls to."},
		key{name: "table", gone: "IEC 61851-1 has one table, and the program has it"})},
	{name: "contactors", kind: kindMap, orMCU: true, need: true, about: "The main switches: main (and extra) of an AC EVSE, plus and minus of a DC one.", keys: []key{
		{name: "wiring", kind: kindWord, words: []string{"single", "serial", "simultaneous", "mutual"}, about: "How main and extra work together: one alone; main first, and extra adds its lines for three; both at once; main for three lines or extra for one. single if it is not given."},
		{name: "main", kind: kindMap, about: "The contactor of an AC EVSE.", keys: switchKeys(true)},
		{name: "extra", kind: kindMap, about: "The second one.", keys: switchKeys(true)},
		{name: "plus", kind: kindMap, about: "The contactor of the positive pole.", keys: switchKeys(false)},
		{name: "minus", kind: kindMap, about: "The contactor of the negative pole.", keys: switchKeys(false)},
		{name: "timing", kind: kindMap, about: "What the contactors' datasheet promises: bring-up measures against it, and opening counts into the 100 ms that the standard gives.", keys: []key{
			{name: "close", kind: kindQuantity, q: qTime, least: int64(time.Millisecond), most: int64(2 * time.Second), need: true, about: "Longest time to close."},
			{name: "open", kind: kindQuantity, q: qTime, least: int64(time.Millisecond), most: int64(2 * time.Second), need: true, about: "Longest time to open."},
		}},
		{name: "open_under_load", gone: "the guard always opens when it must"},
	}},
	{name: "rcd", kind: kindMap, orMCU: true, about: "The fault-current device as far as it can be read.", keys: []key{
		{name: "fault", kind: kindLine, need: true, about: "Active when it has tripped."},
		{name: "test", kind: kindLine, about: "Makes it trip for a test."},
		{name: "selftest", kind: kindMap, about: "The test that runs by itself while no vehicle charges.", keys: []key{
			{name: "every", kind: kindQuantity, q: qTime, least: int64(time.Minute), most: int64(30 * 24 * time.Hour), need: true, rule: ruleLower, about: "Time between tests."},
			{name: "within", kind: kindQuantity, q: qTime, least: int64(time.Millisecond), most: int64(2 * time.Second), need: true, rule: ruleLower, about: "Time in which it must trip."},
		}},
	}},
	{name: "lock", kind: kindMap, orMCU: true, about: "The lock of a socket.", keys: []key{
		{name: "motor", kind: kindLines, least: 1, most: 2, need: true, about: "Two lines: towards locked, towards open. One alone: a bolt that is held while it is active."},
		{name: "sense", kind: kindLine, about: "Active while it is locked."},
		{name: "pulse", kind: kindQuantity, q: qTime, least: int64(20 * time.Millisecond), most: int64(time.Second), about: "How long a motor of two lines is driven."},
		{name: "reserve", gone: "nothing in this build opens a lock behind a power cut: a reserve does that by itself"},
	}},
	{name: "meter", kind: kindMap, about: "The energy meter.", keys: meterKeys},
	{name: "temperature", kind: kindMaps, most: maxTemps, about: "Thermometers, and what they do to the current.", keys: temperatureKeys},
	{name: "reader", kind: kindMap, about: "A reader of tokens for this EVSE alone.", keys: readerKeys},
	{name: "light", kind: kindMap, about: "The light at the connector: three lines, kernel LEDs or PWM wires for red, green and blue.", keys: []key{
		{name: "rgb", kind: kindLines, least: 3, most: 3, about: "Lines."},
		{name: "leds", kind: kindTexts, form: formLED, least: 3, most: 3, about: "Kernel LEDs."},
		{name: "pattern", gone: "there is one pattern in this build"},
	}},
	{name: "diagnosis", kind: kindDict, most: 8, about: "Lines on which the board's hardware reports a fault, by a name of their own.", keys: []key{
		{name: "line", kind: kindLine, need: true, about: "Active while the fault is there."},
		{name: "fault", kind: kindWord, words: diagnosisWords(), need: true, about: "Which fault."},
	}},
	{name: "hlc", kind: kindMap, about: "Communication by ISO 15118 or DIN SPEC 70121: what the hardware is for. This build does not speak it.", keys: []key{
		{name: "bus", form: formName, need: true, about: "The network interface."},
	}},
	{name: "source", kind: kindMap, about: "What feeds a DC EVSE.", keys: []key{
		{name: "modules", kind: kindTexts, form: formName, least: 1, most: maxModules, need: true, about: "Power modules."},
		{name: "precharge", kind: kindMap, need: true, about: "How near the output must be to the vehicle before the contactors close.", keys: []key{
			{name: "tolerance", kind: kindQuantity, q: qVoltage, least: 1000, most: 20_000, need: true, about: "At most 20 V."},
			{name: "timeout", kind: kindQuantity, q: qTime, least: int64(time.Second), most: int64(7 * time.Second), need: true, rule: ruleLower, about: "At most 7 s."},
		}},
		{name: "sharing", gone: "this build does not charge DC"},
		{name: "ramp", gone: "this build does not charge DC"},
		{name: "cable_check", gone: "this build does not charge DC"},
	}},
	{name: "isolation", kind: kindMap, about: "The insulation monitor of a DC EVSE.", keys: []key{
		{name: "model", form: formModel, need: true, about: "Maker and model."},
		{name: "bus", form: formName, need: true, about: "The Modbus bus that it is at."},
		{name: "address", kind: kindInt, least: 1, most: 247, need: true, about: "There."},
		{name: "trip", kind: kindQuantity, q: qResistance, least: 1_000_000, most: 10_000_000_000, need: true, rule: ruleRaise, about: "Below which it is a fault."},
		{name: "settle", gone: "this build does not charge DC"},
		{name: "selftest", gone: "this build does not charge DC"},
	}},
	{name: "rfid", gone: "it is called reader"},
	{name: "leds", gone: "it is called light"},
}

var meterKeys = []key{
	{name: "model", form: formMeter, need: true, about: "Maker and model (evsed board help meters lists them), or a file with a register table of your own, from the board file's folder."},
	{name: "bus", form: formName, about: "The bus of a Modbus meter."},
	{name: "address", kind: kindInt, least: 1, most: 247, about: "There."},
	{name: "http", form: formHost, about: "Host of a meter that speaks HTTP."},
	{name: "phases", kind: kindWords, words: []string{"L1", "L2", "L3"}, about: "Which line of the EVSE each line of the meter measures. L1, L2, L3 if it is not given."},
	{name: "legal", kind: kindWord, words: []string{"ocmf"}, about: "The meter signs each transaction: no energy flows before it has begun to, and the CSMS gets its record."},
	{name: "public_key", form: formKey, about: "Of what the meter signs, for legal: with another key no transaction begins. from-meter: whatever it says."},
	{name: "silent", kind: kindWord, words: []string{"report", "stop"}, rule: ruleLater, about: "What a meter that does not answer does: it is reported, or charging stops too. report if it is not given."},
	{name: "role", gone: "an EVSE has one meter"},
}

var temperatureKeys = []key{
	{name: "id", form: formName, need: true, about: "What it measures; the guard itself watches socket and cable."},
	{name: "adc", form: formADC, about: "Device and channel of the converter that the divider is at."},
	{name: "gain", kind: kindQuantity, q: qGain, least: -1_000_000_000, most: 1_000_000_000, about: "Of adc: voltage on the wire for each count."},
	{name: "zero", kind: kindQuantity, q: qVoltage, least: -50_000, most: 50_000, about: "Of adc: voltage on the wire at count 0; 0 V if it is not given."},
	{name: "pullup", kind: kindQuantity, q: qResistance, least: 10_000, most: 100_000_000, about: "Of adc: the pull-up above the sensor."},
	{name: "rail", kind: kindQuantity, q: qVoltage, least: 1000, most: 24_000, about: "Of adc: what it pulls to."},
	{name: "curve", kind: kindWord, words: hal.Curves(), about: "Of adc: the sensor."},
	{name: "hwmon", form: formHwmon, about: "A thermometer of the kernel: its name and channel."},
	{name: "w1", form: formW1, about: "A 1-wire thermometer."},
	{name: "mcu", kind: kindFlag, about: "The EVSE's safety controller measures it."},
	{name: "derate", kind: kindSteps, at: qTemperature, q: qCurrent, most: maxSteps, rule: ruleSteps, about: "Greatest current from each temperature on; the last is 0 A."},
	{name: "use", gone: "one entry is one sensor: the hottest counts"},
}

var readerKeys = []key{
	{name: "model", kind: kindWord, words: []string{"nxp/pn532", "nxp/mfrc522", "hid/keyboard", "uart/ascii"}, need: true, about: "Its chip or its way of speaking."},
	{name: "bus", form: formName, about: "The bus that it is at."},
	{name: "address", kind: kindInt, least: 8, most: 119, about: "On an I2C bus; the chip's own if it is not given."},
	{name: "device", form: formPort, about: "Of hid/keyboard: the input device below /dev/input."},
	{name: "reset", kind: kindLine, about: "The line that resets the chip."},
	{name: "typed", kind: kindMap, about: "How a reader that types (hid/keyboard, uart/ascii) writes the UID of a card; hexadecimal, first byte first, if it is not given.", keys: []key{
		{name: "base", kind: kindWord, words: []string{"hex", "decimal"}, about: "Digits."},
		{name: "bytes", kind: kindInt, least: 1, most: 10, about: "Of decimal: how long the UID is. 4 if it is not given."},
		{name: "reverse", kind: kindFlag, about: "The UID's last byte comes first."},
	}},
	{name: "uid", kind: kindMap, about: "How the UID of a card is written to the CSMS; hexadecimal in upper case, first byte first, if it is not given.", keys: []key{
		{name: "base", kind: kindWord, words: []string{"hex-upper", "hex-lower", "decimal"}, about: "Digits."},
		{name: "reverse", kind: kindFlag, about: "Last byte first."},
		{name: "separator", form: &form{name: "one or two of : - . _ and space", pattern: `^[:._ -]{1,2}$`}, about: "Between the bytes of a hexadecimal one."},
		{name: "width", kind: kindInt, least: 1, most: 25, about: "Of a decimal one: leading zeros up to so many digits."},
		{name: "random", kind: kindFlag, about: "Random UIDs are told too; a card with one is another each time."},
	}},
}

// diagnosisWords are the faults of an EVSE that a line of its own can report.
func diagnosisWords() []string {
	var words []string
	for f := term.FaultGround; f <= term.FaultOther; f++ {
		words = append(words, f.String())
	}
	return words
}
