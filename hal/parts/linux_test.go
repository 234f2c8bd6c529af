package parts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/mcu"
	"github.com/evsed/evsed/hal/unit"
)

// machine is a folder in place of a kernel's: a PWM chip, a converter, a thermometer.
func machine(t *testing.T) (l *Linux, put func(name string, v int)) {
	t.Helper()
	root := t.TempDir()
	put = func(name string, v int) {
		t.Helper()
		path := filepath.Join(root, "sys", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "%d\n", v), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, v := range map[string]int{"class/pwm/pwmchip0/pwm0/period": 0, "class/pwm/pwmchip0/pwm0/duty_cycle": 0, "class/pwm/pwmchip0/pwm0/enable": 0,
		"bus/iio/devices/iio:device0/in_voltage0_raw": 1200, "bus/iio/devices/iio:device0/in_voltage1_raw": 0, "class/hwmon/hwmon0/temp1_input": 41000} {
		put(name, v)
	}
	l = &Linux{Root: root}
	t.Cleanup(func() {
		if err := l.Close(true); err != nil {
			t.Error(err)
		}
	})
	return l, put
}

// TestLinux makes a pilot and a thermometer of the kernel's files, and lets a guard's cycles run on them.
func TestLinux(t *testing.T) {
	l, put := machine(t)
	d, err := Open(l, []hal.Part{part(hal.PartPWM, hal.RolePilotPWM, "pwmchip0/0", period),
		part(hal.PartADC, hal.RolePilotHigh, "iio:device0/voltage0", 10_000_000), part(hal.PartADC, hal.RolePilotLow, "iio:device0/voltage1", 10_000_000)})
	if err != nil {
		t.Fatal(err)
	}
	p := d.(hal.ControlPilot)
	if err := p.SetDuty(1000); err != nil {
		t.Fatal(err)
	}
	put("bus/iio/devices/iio:device0/in_voltage0_raw", 600)
	put("bus/iio/devices/iio:device0/in_voltage1_raw", -1200)
	if s, err := p.Sample(); err != nil || s != (hal.PilotSample{High: 6 * unit.Volt, Low: -12 * unit.Volt}) {
		t.Errorf("%v, %v", s, err)
	}
	if b, err := os.ReadFile(filepath.Join(l.Root, "sys/class/pwm/pwmchip0/pwm0/duty_cycle")); string(b) != "100000" {
		t.Errorf("duty %q, %v", b, err)
	}
	d, err = Open(l, []hal.Part{part(hal.PartThermometer, hal.RoleTemperature, "hwmon:hwmon0/temp1")})
	if err != nil {
		t.Fatal(err)
	}
	th := d.(hal.Thermometer)
	l.Begin()
	if v, err := th.Temperature(); v != 41*unit.Celsius || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	if again, err := l.ADC("iio:device0/voltage0"); err != nil || again != l.adcs["iio:device0/voltage0"] {
		t.Errorf("a converter is not shared: %v", err)
	}
	pilot := p.(*measured)
	noAllocations(t, func() {
		pilot.sampled = time.Time{}
		_ = p.SetDuty(1000)
		_, _ = p.Sample()
		_, _ = th.Temperature()
	})
	if len(l.Sources()) != 0 {
		t.Error("somebody wakes")
	}
}

// TestLinuxFails: what is not there says what is.
func TestLinuxFails(t *testing.T) {
	l, _ := machine(t)
	for says, p := range map[string]hal.Part{
		"is the driver of the board's chip loaded?": out(hal.RoleMainDrive, "K1"),
		"thermometer hwmon:hwmon1/temp1":            part(hal.PartThermometer, hal.RoleTemperature, "hwmon:hwmon1/temp1"),
		"watchdog " + l.Root + "/dev/watchdog0":     part(hal.PartWatchdog, hal.RoleWatchdog, "/dev/watchdog0", 30_000),
		"adc iio:device0/voltage7":                  part(hal.PartADC, hal.RoleProximity, "iio:device0/voltage7", 1, 0, 1, 1),
	} {
		if d, err := Open(l, []hal.Part{p}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, %v; want %q", d, err, says)
		}
	}
	spec := mcu.Spec{Port: "/dev/null-and-void", Connectors: 1, Owns: mcu.OwnPilot}
	if _, err := l.MCU(spec); err == nil || !strings.Contains(err.Error(), spec.Port) {
		t.Errorf("%v", err)
	}
}
