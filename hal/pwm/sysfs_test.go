package pwm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// chip makes a PWM chip of files with one channel, which is exported already.
func chip(t *testing.T, period, duty, enable int, polarity string) (root string, attribute func(string) string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, "sys/class/pwm/pwmchip0")
	if err := os.MkdirAll(filepath.Join(dir, "pwm0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../../20fc000.pwm", filepath.Join(dir, "device")); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"export": "", "npwm": "1\n", "pwm0/period": fmt.Sprintln(period), "pwm0/duty_cycle": fmt.Sprintln(duty), "pwm0/enable": fmt.Sprintln(enable)}
	if polarity != "" {
		files["pwm0/polarity"] = polarity + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root, func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, "pwm0", name))
		if err != nil {
			t.Fatal(err)
		}
		s, _, _ := strings.Cut(string(b), "\n")
		return s
	}
}

func TestSet(t *testing.T) {
	root, attribute := chip(t, 1111111, 0, 0, "normal")
	c, err := Open(root, "20fc000.pwm/0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := attribute("enable"); got != "0" {
		t.Errorf("enabled before anything is set: %s", got)
	}
	if err := c.Set(time.Millisecond, 266700); err != nil {
		t.Fatal(err)
	}
	// Files keep what a longer number has left behind; the kernel does not.
	if p, d, e := attribute("period"), attribute("duty_cycle"), attribute("enable"); p != "1000000" || d != "266700" || e != "1" {
		t.Errorf("period %s, duty %s, enable %s", p, d, e)
	}
	for _, bad := range [][2]time.Duration{{0, 0}, {1000, 1001}, {1000, -1}} {
		if err := c.Set(bad[0], bad[1]); !errors.Is(err, unix.EINVAL) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = c.Set(time.Millisecond, 100000) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, err := Open(root, "pwmchip0/0", nil); err == nil || !strings.Contains(err.Error(), "another evsed drives it") {
		t.Errorf("opened twice: %v", err)
	}
	patience := 3
	if _, err := Open(root, "pwmchip0/0", func() time.Duration {
		if patience--; patience == 1 {
			c.Close()
		}
		return time.Duration(patience)
	}); err != nil {
		t.Errorf("given up, and not taken: %v", err)
	}
}

// TestNeverUpward: whatever the channel did, and whatever it is to do, no step between makes the wire be high for a greater part of
// the time.
func TestNeverUpward(t *testing.T) {
	for _, from := range [][2]int{{1000000, 900000}, {1000000, 0}, {2000000, 100000}, {500000, 500000}, {0, 0}} {
		for _, to := range [][2]int{{1000000, 100000}, {1000000, 1000000}, {3000000, 30000}, {400000, 399999}} {
			root, attribute := chip(t, from[0], from[1], 1, "normal")
			c, err := Open(root, "pwmchip0/0", nil)
			if err != nil {
				t.Fatal(err)
			}
			ratio := func(period, on int) float64 {
				if period == 0 {
					return 0
				}
				return float64(on) / float64(period)
			}
			most := max(ratio(from[0], from[1]), ratio(to[0], to[1]))
			// The step between: which of the two numbers is new already when the second write fails.
			second := c.period
			if to[0] > from[0] {
				second = c.duty
			}
			second.Close()
			if err := c.Set(time.Duration(to[0]), time.Duration(to[1])); err == nil && to[0] != from[0] {
				t.Fatal("the second write did not fail")
			}
			between := [2]int{from[0], to[1]}
			if to[0] > from[0] {
				between = [2]int{to[0], from[1]}
			}
			if got := ratio(between[0], between[1]); got > most || between[1] > between[0] {
				t.Errorf("%v to %v by way of %v", from, to, between)
			}
			if d := attribute("duty_cycle"); to[0] <= from[0] && !strings.HasPrefix(d, fmt.Sprint(to[1])) {
				t.Errorf("%v to %v: duty %s is not written first", from, to, d)
			}
			if p := attribute("period"); to[0] > from[0] && !strings.HasPrefix(p, fmt.Sprint(to[0])) {
				t.Errorf("%v to %v: period %s is not written first", from, to, p)
			}
		}
	}
}

// TestPolarity: a channel that was turned round is switched off before it is turned back.
func TestPolarity(t *testing.T) {
	root, attribute := chip(t, 1000000, 1000000, 1, "inversed")
	c, err := Open(root, "20fc000.pwm/0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if p, e := attribute("polarity"), attribute("enable"); !strings.HasPrefix(p, "normal") || e != "0" {
		t.Errorf("polarity %s, enable %s", p, e)
	}
	if err := c.Set(time.Millisecond, time.Millisecond); err != nil || attribute("enable") != "1" {
		t.Errorf("%v, enable %s", err, attribute("enable"))
	}
	plain, _ := chip(t, 0, 0, 0, "")
	if _, err := Open(plain, "20fc000.pwm/0", nil); err != nil {
		t.Errorf("a chip that cannot turn round: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	root, _ := chip(t, 0, 0, 0, "normal")
	for name, says := range map[string]string{
		"20fc000.pwm":   "want chip and channel",
		"20fc000.pwm/x": "want chip and channel",
		"other.pwm/0":   "there is pwmchip0=20fc000.pwm",
		"pwmchip0/1":    "no such file", // what is exported does not appear here
	} {
		if _, err := Open(root, name, nil); err == nil || !strings.Contains(err.Error(), "pwm "+name) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir(), "pwmchip0/0", nil); err == nil || !strings.Contains(err.Error(), "is its driver loaded?") {
		t.Errorf("%v", err)
	}
}
