package uml

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/evsed/evsed/boards/probe"
)

// checkProbe: evsed board probe sees what this kernel has.
func checkProbe(t *testing.T) {
	if err := withChips(); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("/evsed", "board", "probe").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	t.Logf("evsed board probe:\n%s", text)
	b, err := exec.Command("/evsed", "board", "probe", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var m probe.Machine
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/sys/kernel/config/gpio-sim/first"); err != nil {
		t.Skip("its lines are those of the check gpio, which did not run in this kernel")
	}
	if len(m.GPIO) == 0 || len(m.GPIO[0].Lines) != 2 || m.GPIO[0].Label != "first" || m.GPIO[0].Lines[1].Name != "IN" || m.GPIO[0].Lines[1].Used {
		t.Errorf("GPIO %+v, want the chip first with lines OUT and IN, free", m.GPIO)
	}
	if len(m.PWM) != 1 || m.PWM[0].Chip != "0-0060" {
		t.Errorf("PWM %+v, want the chip 0-0060", m.PWM)
	}
	if len(m.ADC) != 2 || m.ADC[0].Device != "ina219" || len(m.ADC[1].Channels) != 2 || m.ADC[1].Channels[1].Raw == nil {
		t.Errorf("ADC %+v, want ina219 and ina226 with two voltages each", m.ADC)
	}
	if len(m.Thermometers) != 1 || m.Thermometers[0].Source != "hwmon:lm75/temp1" || m.Thermometers[0].Milli == nil {
		t.Errorf("thermometers %+v, want hwmon:lm75/temp1", m.Thermometers)
	}
	if len(m.Watchdogs) != 1 || m.Watchdogs[0].Device != "watchdog0" || m.Watchdogs[0].Active {
		t.Errorf("watchdogs %+v, want watchdog0, not active", m.Watchdogs)
	}
	if len(m.I2C) != 1 || len(m.I2C[0].Drivers) != 4 || !m.I2C[0].Node {
		t.Errorf("I2C %+v, want one bus with four chips", m.I2C)
	}
}
