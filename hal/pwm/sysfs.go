package pwm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/sysfs"
)

// Sysfs is a channel of the kernel's.
//
// A change of the period never makes the wire be high for a greater part of the time than before and after it: the order in which
// the two attributes are written sees to it.
type Sysfs struct {
	period, duty, enable *sysfs.Attribute
	was                  time.Duration // period that is set
	on                   bool          // enabled
}

const (
	appears   = 200 * time.Millisecond // an exported channel's files may take so long
	lookAgain = 5 * time.Millisecond
)

// Open opens a channel by chip and number: 20fc000.pwm/0, or pwmchip0/0. root is "/", or a folder in its place. Who has opened a
// channel has it alone; one that is held is waited for while patience says that there is time. Nothing is driven before the first
// Set, but a channel that its boot loader has left at an inverted polarity is switched off and turned round.
func Open(root, name string, patience func() time.Duration) (*Sysfs, error) {
	c, err := open(root, name, patience)
	if err != nil {
		return nil, fmt.Errorf("pwm %s: %w", name, err)
	}
	return c, nil
}

func open(root, name string, patience func() time.Duration) (*Sysfs, error) {
	chip, number, ok := strings.Cut(name, "/")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return nil, errors.New("want chip and channel, like 20fc000.pwm/0")
	}
	d, err := sysfs.Find(filepath.Join(root, "sys/class/pwm"), "pwmchip", chip)
	if err != nil {
		return nil, err
	}
	dir, err := export(d.Path, n)
	if err != nil {
		return nil, err
	}
	c := &Sysfs{}
	for _, a := range []struct {
		file string
		at   **sysfs.Attribute
	}{{"duty_cycle", &c.duty}, {"period", &c.period}, {"enable", &c.enable}} {
		if *a.at, err = sysfs.Open(filepath.Join(dir, a.file), true); err != nil {
			c.Close()
			return nil, err
		}
	}
	if err := c.take(patience); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.begin(dir); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// export makes the files of a channel and returns their folder.
func export(chip string, n int) (string, error) {
	dir := filepath.Join(chip, fmt.Sprintf("pwm%d", n))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := sysfs.Put(filepath.Join(chip, "export"), strconv.Itoa(n)); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return "", fmt.Errorf("%w: a driver of the kernel uses the channel", err)
		}
		count, _ := sysfs.Text(filepath.Join(chip, "npwm"))
		return "", fmt.Errorf("%w: the chip has %s channels", err, count)
	}
	for range appears / lookAgain { // and for udev to give it to our group
		if unix.Access(filepath.Join(dir, "enable"), unix.W_OK) == nil {
			break
		}
		time.Sleep(lookAgain)
	}
	return dir, nil
}

// take waits until nobody else has the channel.
func (c *Sysfs) take(patience func() time.Duration) error {
	for {
		err := c.duty.Lock()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		if patience == nil || patience() <= 0 {
			return fmt.Errorf("%w: another evsed drives it", err)
		}
		time.Sleep(min(lookAgain, patience()))
	}
}

// begin finds the channel as its boot loader, or whoever had it last, has left it.
func (c *Sysfs) begin(dir string) error {
	period, err := c.period.Read()
	if err != nil {
		return fmt.Errorf("read period: %w", err)
	}
	on, err := c.enable.Read()
	if err != nil {
		return fmt.Errorf("read enable: %w", err)
	}
	c.was, c.on = time.Duration(period), on != 0
	polarity := filepath.Join(dir, "polarity")
	if p, err := sysfs.Text(polarity); err != nil || p == "normal" {
		return nil // a chip without the attribute cannot turn it round
	}
	if err := c.enable.Write(0); err != nil {
		return fmt.Errorf("switch off: %w", err)
	}
	c.on = false
	if err := sysfs.Put(polarity, "normal"); err != nil {
		return fmt.Errorf("set polarity: %w", err)
	}
	return nil
}

// Set makes pulses. Between a shorter period and a longer one the longer pulse comes last, so that the wire is never high for a
// greater part than it was or will be.
func (c *Sysfs) Set(period, on time.Duration) error {
	if period <= 0 || on < 0 || on > period {
		return unix.EINVAL
	}
	if period > c.was {
		if err := c.setPeriod(period); err != nil {
			return err
		}
	}
	if err := c.duty.Write(int64(on)); err != nil {
		return err
	}
	if period < c.was {
		if err := c.setPeriod(period); err != nil {
			return err
		}
	}
	if !c.on {
		if err := c.enable.Write(1); err != nil {
			return err
		}
		c.on = true
	}
	return nil
}

func (c *Sysfs) setPeriod(period time.Duration) error {
	if err := c.period.Write(int64(period)); err != nil {
		return err
	}
	c.was = period
	return nil
}

// Close gives the channel back. It goes on as it is: a pilot must not float while a vehicle hangs at it.
func (c *Sysfs) Close() {
	for _, a := range []*sysfs.Attribute{c.duty, c.period, c.enable} {
		if a != nil {
			a.Close()
		}
	}
}
