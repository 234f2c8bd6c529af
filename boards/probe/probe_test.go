package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files are those of a machine; a text that begins with "-> " is a link.
var files = map[string]string{
	"proc/sys/kernel/osrelease":                                "6.6.31\n",
	"sys/firmware/devicetree/base/model":                       "Acme CC22 rev B\x00",
	"sys/bus/gpio/devices/gpiochip0/dev":                       "254:0\n",
	"sys/bus/gpio/devices/gpiochip1/dev":                       "254:1\n",
	"sys/bus/gpio/devices/gpiochip10/dev":                      "254:10\n",
	"sys/devices/soc/20fc000.pwm/pwm/pwmchip0/npwm":            "2\n",
	"sys/class/pwm/pwmchip0":                                   "-> ../../devices/soc/20fc000.pwm/pwm/pwmchip0",
	"sys/devices/soc/20fc000.pwm/pwm/pwmchip0/device":          "-> ../../../20fc000.pwm",
	"sys/devices/soc/2198000.adc/iio:device0/name":             "2198000.adc\n",
	"sys/devices/soc/2198000.adc/iio:device0/in_voltage2_raw":  "1702\n",
	"sys/devices/soc/2198000.adc/iio:device0/in_voltage_scale": "0.805664062\n",
	"sys/devices/soc/2198000.adc/iio:device0/in_temp_raw":      "900\n",
	"sys/bus/iio/devices/iio:device0":                          "-> ../../../devices/soc/2198000.adc/iio:device0",
	"sys/devices/i2c-1/1-0048/iio:device1/name":                "ads1015\n",
	"sys/devices/i2c-1/1-0048/iio:device1/in_voltage0_raw":     "12\n",
	"sys/bus/iio/devices/iio:device1":                          "-> ../../../devices/i2c-1/1-0048/iio:device1",
	"sys/devices/i2c-1/1-0049/iio:device2/name":                "ads1015\n",
	"sys/devices/i2c-1/1-0049/iio:device2/in_voltage0_raw":     "broken\n",
	"sys/devices/i2c-1/1-0049/iio:device2/in_voltage0_scale":   "3\n",
	"sys/bus/iio/devices/iio:device2":                          "-> ../../../devices/i2c-1/1-0049/iio:device2",
	"sys/devices/i2c-1/1-0060/iio:device3/name":                "a light sensor\n",
	"sys/bus/iio/devices/iio:device3":                          "-> ../../../devices/i2c-1/1-0060/iio:device3",
	"sys/bus/iio/devices/trigger0/name":                        "a trigger\n",
	"sys/class/hwmon/hwmon0/name":                              "cpu_thermal\n",
	"sys/class/hwmon/hwmon0/temp1_input":                       "48312\n",
	"sys/class/hwmon/hwmon0/fan1_input":                        "900\n",
	"sys/class/hwmon/hwmon1/name":                              "lm75\n",
	"sys/class/hwmon/hwmon1/temp1_input":                       "-7500\n",
	"sys/bus/w1/devices/28-0316a2795aff/temperature":           "\n",
	"sys/class/tty/tty0/dev":                                   "4:0\n",
	"sys/class/tty/ttyS0/type":                                 "0\n",
	"sys/class/tty/ttyS0/device/x":                             "",
	"sys/class/tty/ttymxc2/type":                               "62\n",
	"sys/class/tty/ttymxc2/device/driver":                      "-> ../../../../bus/platform/drivers/imx-uart",
	"sys/class/tty/ttyUSB0/device/driver":                      "-> ../../../../bus/usb-serial/drivers/ftdi_sio",
	"sys/bus/i2c/devices/i2c-1/name":                           "21a0000.i2c\n",
	"dev/i2c-1":                                                "",
	"sys/bus/i2c/devices/1-0048/name":                          "ads1015\n",
	"sys/bus/i2c/devices/1-0048/driver/x":                      "",
	"sys/bus/i2c/devices/1-0050/name":                          "24c02\n",
	"sys/bus/i2c/devices/i2c-10/name":                          "HDMI\n",
	"sys/bus/i2c/devices/10-0048/driver/x":                     "",
	"dev/spidev0.1":                                            "",
	"sys/class/net/lo/type":                                    "772\n",
	"sys/class/net/eth0/type":                                  "1\n",
	"sys/class/net/eth0/flags":                                 "0x1003\n",
	"sys/class/net/can0/type":                                  "280\n",
	"sys/class/net/can0/flags":                                 "0x40080\n",
	"sys/class/watchdog/watchdog0/identity":                    "imx2+ watchdog\n",
	"sys/class/watchdog/watchdog0/timeout":                     "60\n",
	"sys/class/watchdog/watchdog0/state":                       "active\n",
	"sys/class/leds/evse:green:1/trigger":                      "none [heartbeat] timer\n",
	"sys/class/input/event0/device/name":                       "Power Button\n",
	"sys/class/input/event0/device/capabilities/key":           "10000000000000 0\n",
	"sys/class/input/event1/device/name":                       "Sycreader RFID\n",
	"sys/class/input/event1/device/capabilities/key":           "e080ffdf01cfffff fffffffffffffffe\n",
	"sys/class/input/mouse0/device/name":                       "no keyboard\n",
}

func machine(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// lines are three chips: one as it should be, one that may not be read, one whose line has the name of another.
func lines(node string) (string, []Line, error) {
	switch filepath.Base(node) {
	case "gpiochip0":
		return "209c000.gpio", []Line{
			{Offset: 0}, {Offset: 1, Name: "RELAY_1", Output: true}, {Offset: 2, Name: "RELAY_1_SENSE"},
			{Offset: 3, Name: "ESTOP", Used: true, Consumer: "evsed"}, {Offset: 4, Name: "RESET", Used: true}}, nil
	case "gpiochip10":
		return "mcp23017", []Line{{Offset: 7, Name: "RELAY_1"}}, nil
	}
	return "", nil, errors.New("permission denied")
}

// TestText: what a person reads. Every name is as a board file has it.
func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := Look(machine(t), lines).Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "machine.txt", b.Bytes())
}

// TestJSON: what a program reads.
func TestJSON(t *testing.T) {
	b, err := json.MarshalIndent(Look(machine(t), lines), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "machine.json", append(b, '\n'))
}

// TestNothing: a machine without any wires is told as such, kind by kind.
func TestNothing(t *testing.T) {
	var b bytes.Buffer
	if err := Look(t.TempDir(), lines).Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "nothing.txt", b.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
