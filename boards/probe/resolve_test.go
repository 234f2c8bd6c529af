package probe

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/boards"
)

// The names of a board on a machine that has some of them, one twice, one in use, and a line that the board does not name.
func TestResolve(t *testing.T) {
	raw, err := boards.Starter("ac-wallbox-cm4")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := boards.Read(boards.File{Name: "b.yaml", Data: raw})
	if err != nil {
		t.Fatal(err)
	}
	count, heat := int64(4095), int64(-1500)
	m := &Machine{
		GPIO: []Chip{{Name: "gpiochip0", Lines: []Line{
			{Offset: 3, Name: "RELAY_EN", Output: true}, {Offset: 4, Name: "RELAY_SENSE"}, {Offset: 5, Name: "RCM_OK", Used: true, Consumer: "other"},
			{Offset: 6, Name: "RCM_TEST", Twice: true}, {Offset: 7, Name: "SPARE"}, {Offset: 8, Name: "TAKEN", Used: true}, {Offset: 9},
		}}},
		PWM:          []PWM{{Chip: "fe20c000.pwm", Class: "pwmchip0", Channels: 1}},
		ADC:          []Converter{{Device: "mcp3204", Channels: []Channel{{Name: "voltage0", Raw: &count}, {Name: "voltage1"}}}},
		Thermometers: []Thermometer{{Source: "w1:28-0316a2795aff", Milli: &heat}},
		Serial:       []Port{{Port: "ttyAMA3", Driver: "pl011"}},
		I2C:          []I2C{{Bus: 1, Name: "bcm2835", Node: true}},
		Watchdogs:    []Watchdog{{Device: "watchdog0", Identity: "Broadcom"}},
		LEDs:         []LED{{Name: "evse:red"}},
	}
	text, missing := Resolve(b, m)
	got := strings.Join(text, "\n") + "\n"
	for _, want := range []string{
		"RELAY_EN           -> gpiochip0 line 3, output  (evses[1].contactors.main.drive)",
		"RELAY_SENSE        -> gpiochip0 line 4, input  (",
		"RCM_OK             -> gpiochip0 line 5, used by other  (",
		"RCM_TEST           -> gpiochip0 line 6, and another of this name: neither can be used  (",
		"fe20c000.pwm/0     -> pwmchip0 channel 0 of 1  (",
		"mcp3204/voltage0   -> reads 4095  (",
		"mcp3204/voltage1   -> cannot be read  (",
		"w1:28-0316a2795aff -> reads -1.500 C  (",
		"ttyAMA3            -> serial port of pl011  (",
		"/dev/watchdog0     -> Broadcom  (",
		"i2c-1              -> I2C bus bcm2835  (",
		"evse:green         -> not on this machine  (",
		"not used: SPARE (gpiochip0 line 7)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "TAKEN") {
		t.Errorf("a line in use is offered:\n%s", got)
	}
	if missing != 8 { // RCM_OK, RCM_TEST, voltage1, CP_PEAK_RST, CP_VALLEY_RST, DIGITAL_IN_1, two LEDs
		t.Errorf("%d missing", missing)
	}
}
