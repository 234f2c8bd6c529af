package adc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// converter makes a converter of files, below the hardware that it is of.
func converter(t *testing.T, counts map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	devices := filepath.Join(root, "sys/bus/iio/devices")
	dir := filepath.Join(root, "sys/devices/platform/2198000.adc/iio:device0")
	for _, d := range []string{devices, dir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(devices, "iio:device0")); err != nil {
		t.Fatal(err)
	}
	counts["name"] = "vf610-adc\n"
	for name, text := range counts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRaw(t *testing.T) {
	root := converter(t, map[string]string{"in_voltage2_raw": "1061\n", "in_voltage3_raw": "-5\n", "in_temp0_raw": "99999999999\n"})
	for _, device := range []string{"2198000.adc", "iio:device0", "vf610-adc"} {
		c, err := Open(root, device+"/voltage2")
		if err != nil {
			t.Fatal(err)
		}
		if v, err := c.Raw(); v != 1061 || err != nil {
			t.Errorf("%s: %d, %v", device, v, err)
		}
		path := filepath.Join(root, "sys/bus/iio/devices/iio:device0/in_voltage2_raw")
		if err := os.WriteFile(path, []byte("7\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if v, err := c.Raw(); v != 7 || err != nil {
			t.Errorf("the next conversion: %d, %v", v, err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = c.Raw() }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		if err := os.WriteFile(path, []byte("1061\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	c, err := Open(root, "2198000.adc/temp0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if v, err := c.Raw(); err == nil {
		t.Errorf("%d of a count that no converter has", v)
	}
}

func TestOpenFails(t *testing.T) {
	root := converter(t, map[string]string{"in_voltage2_raw": "1\n", "in_voltage3_raw": "1\n"})
	for name, says := range map[string]string{
		"2198000.adc":             "want device and channel",
		"2198000.adc/a/b":         "want device and channel",
		"2198000.adc/voltage4":    "it has voltage2, voltage3",
		"2198001.adc/voltage2":    "there is iio:device0=vf610-adc=2198000.adc",
		"2198000.adc/voltage2_x/": "want device and channel",
	} {
		if _, err := Open(root, name); err == nil || !strings.Contains(err.Error(), "adc "+name) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
