package thermo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

func put(t *testing.T, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sensors(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	put(t, root, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
	put(t, root, "sys/class/hwmon/hwmon0/temp1_input", "41250\n")
	put(t, root, "sys/class/hwmon/hwmon0/temp2_input", "-273000\n")
	put(t, root, "sys/bus/w1/devices/28-0000053a6b12/temperature", "-1500\n")
	return root
}

// TestSensors: named two ways, read beforehand, old after a while.
func TestSensors(t *testing.T) {
	root := sensors(t)
	synctest.Test(t, func(t *testing.T) {
		p := &Poller{Root: root}
		cpu, err := p.Open("hwmon:cpu_thermal/temp1")
		if err != nil {
			t.Fatal(err)
		}
		wire, err := p.Open("w1:28-0000053a6b12")
		if err != nil {
			t.Fatal(err)
		}
		want := func(s *Sysfs, v unit.Temperature) {
			t.Helper()
			if got, err := s.Temperature(); got != v || err != nil {
				t.Errorf("%v, %v; want %v", got, err, v)
			}
		}
		want(cpu, 41250)
		want(wire, -1500)
		p.Start()
		put(t, root, "sys/class/hwmon/hwmon0/temp1_input", "90000\n")
		time.Sleep(Every + Every/2)
		synctest.Wait()
		want(cpu, 90000)
		put(t, root, "sys/class/hwmon/hwmon0/temp1_input", "broken\n")
		time.Sleep(3 * time.Second)
		want(cpu, 90000) // for a while
		time.Sleep(MaxAge)
		synctest.Wait()
		if v, err := cpu.Temperature(); !errors.Is(err, ErrStale) {
			t.Errorf("%v, %v", v, err)
		}
		want(wire, -1500)
		if n := testing.AllocsPerRun(10, func() { _, _ = cpu.Temperature() }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		p.Close()
		p.Close()
	})
}

// TestNobodyReads: a sensor that is not read becomes old.
func TestNobodyReads(t *testing.T) {
	var ago atomic.Int64
	start := time.Now()
	p := &Poller{Root: sensors(t), Clock: func() time.Time { return start.Add(time.Duration(ago.Load())) }}
	defer p.Close()
	s, err := p.Open("hwmon:hwmon0/temp1")
	if err != nil {
		t.Fatal(err)
	}
	ago.Store(int64(MaxAge))
	if _, err := s.Temperature(); err != nil {
		t.Errorf("%v", err)
	}
	ago.Store(int64(MaxAge + time.Second))
	if _, err := s.Temperature(); !errors.Is(err, ErrStale) {
		t.Errorf("%v", err)
	}
}

func TestOpenFails(t *testing.T) {
	p := &Poller{Root: sensors(t)}
	defer p.Close()
	for name, says := range map[string]string{
		"cpu_thermal/temp1":       "want hwmon:NAME/temp1 or w1:",
		"hwmon:cpu_thermal":       "want device and channel",
		"hwmon:gpu_thermal/temp1": "there is hwmon0=cpu_thermal",
		"hwmon:cpu_thermal/temp9": "temp9_input: no such file",
		"hwmon:cpu_thermal/temp2": "so cold",
		"w1:28-000000000000":      `on the bus there is ["28-0000053a6b12"]`,
		"w1:../28-0000053a6b12":   "want the sensor's number",
	} {
		if _, err := p.Open(name); err == nil || !strings.Contains(err.Error(), "thermometer "+name) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestComesBack: a thermometer that was away is another file when it is there again, and is read on.
func TestComesBack(t *testing.T) {
	root := sensors(t)
	synctest.Test(t, func(t *testing.T) {
		p := &Poller{Root: root}
		defer p.Close()
		wire, err := p.Open("w1:28-0000053a6b12")
		if err != nil {
			t.Fatal(err)
		}
		cpu, err := p.Open("hwmon:cpu_thermal/temp1")
		if err != nil {
			t.Fatal(err)
		}
		p.Start()
		put(t, root, "sys/bus/w1/devices/28-0000053a6b12/temperature", "gone\n") // what an open file of a device that is gone gives: no number
		put(t, root, "sys/class/hwmon/hwmon0/temp1_input", "gone\n")
		for _, gone := range []string{"sys/bus/w1/devices/28-0000053a6b12", "sys/class/hwmon/hwmon0"} {
			if err := os.RemoveAll(filepath.Join(root, gone)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * MaxAge)
		synctest.Wait()
		for _, s := range []*Sysfs{wire, cpu} {
			if v, err := s.Temperature(); !errors.Is(err, ErrStale) {
				t.Errorf("%s is away: %v, %v", s.name, v, err)
			}
		}
		put(t, root, "sys/bus/w1/devices/28-0000053a6b12/temperature", "21500\n")
		put(t, root, "sys/class/hwmon/hwmon7/name", "cpu_thermal\n") // under another number
		put(t, root, "sys/class/hwmon/hwmon7/temp1_input", "55000\n")
		time.Sleep(Again + 2*Every)
		synctest.Wait()
		if v, err := wire.Temperature(); v != 21_500 || err != nil {
			t.Errorf("%v, %v", v, err)
		}
		if v, err := cpu.Temperature(); v != 55_000 || err != nil {
			t.Errorf("%v, %v", v, err)
		}
	})
}
