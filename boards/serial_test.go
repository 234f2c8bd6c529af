package boards

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSerialNumber(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sys/bus/i2c/devices/0-0050/eeprom", strings.Repeat("\xff", 32)+"SN-0815\x00\xff\xff")
	write("proc/device-tree/serial-number", "10000000abcdef\x00")
	write("bad", "SN\x01")
	for _, tt := range []struct{ in, want, err string }{
		{"text:4711", "4711", ""},
		{"eeprom:0-0050@0x20", "SN-0815", ""},
		{"eeprom:0-0050@0x0", "", "was never written"},
		{"file:/proc/device-tree/serial-number", "10000000abcdef", ""},
		{"file:/bad", "", "is no letter"},
		{"eeprom:1-0050@0x20", "", "no such file"},
	} {
		got, err := decodeSerial(tt.in).Read(root)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v", tt.in, got, err)
		}
	}
	if _, err := (Serial{}).Read(root); !errors.Is(err, ErrNoSerial) {
		t.Error(err)
	}
}
