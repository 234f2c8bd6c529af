package uml

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Addresses of chips at the stub of an I2C bus. Their registers are what a test writes and reads; the kernel's own drivers take them
// for chips.
const (
	addrPositive = 0x40 // INA219: voltage0 is the positive peak of the pilot
	addrNegative = 0x41 // INA226: voltage0 is the negative peak; voltage1 the proximity contact
	addrThermo   = 0x48 // LM75
	addrPWM      = 0x60 // PCA9685
)

var chips = []struct {
	name    string
	address uint16
}{{"ina219", addrPositive}, {"ina226", addrNegative}, {"lm75", addrThermo}, {"pca9685", addrPWM}}

func chipAddresses() string {
	var all []string
	for _, c := range chips {
		all = append(all, fmt.Sprintf("%#x", c.address))
	}
	return strings.Join(all, ",")
}

// Registers.
const (
	inaShunt = 1 // signed, high byte first
	inaBus   = 2
	lm75Temp = 0 // signed, in 1/256 degrees, high byte first
	pcaLED0  = 6 // four bytes a channel: on low, on high, off low, off high; bit 4 of a high byte is "always"
)

// bus reads and writes the registers of chips.
type bus struct{ fd int }

func openBus() (*bus, error) {
	fd, err := unix.Open("/dev/i2c-0", unix.O_RDWR|unix.O_CLOEXEC, 0)
	return &bus{fd}, err
}

// smbus is struct i2c_smbus_ioctl_data of linux/i2c-dev.h.
type smbus struct {
	readWrite, command uint8
	size               uint32
	data               unsafe.Pointer
}

// Numbers of linux/i2c.h and linux/i2c-dev.h.
const (
	i2cSlaveForce = 0x0706
	i2cSMBus      = 0x0720
	smbusByte     = 2
	smbusWord     = 3
)

func (b *bus) transfer(address uint16, readWrite, register uint8, size uint32, data *uint16) {
	args := smbus{readWrite, register, size, unsafe.Pointer(data)}
	_, _, err := unix.Syscall(unix.SYS_IOCTL, uintptr(b.fd), i2cSlaveForce, uintptr(address))
	if err == 0 {
		_, _, err = unix.Syscall(unix.SYS_IOCTL, uintptr(b.fd), i2cSMBus, uintptr(unsafe.Pointer(&args)))
	}
	if err != 0 {
		panic(fmt.Sprintf("chip %#x, register %d: %v", address, register, err))
	}
}

// setWord writes a register of two bytes, high byte first.
func (b *bus) setWord(address uint16, register uint8, value int) {
	word := bits.ReverseBytes16(uint16(value))
	b.transfer(address, 0, register, smbusWord, &word)
}

// byteAt reads a register of one byte.
func (b *bus) byteAt(address uint16, register uint8) uint8 {
	var data uint16
	b.transfer(address, 1, register, smbusByte, &data)
	return uint8(data)
}

// duty is what a channel of the PWM chip puts out, in 1/4096; whole is a wire that stays high.
const whole = 4096

func (b *bus) duty(channel uint8) int {
	at := pcaLED0 + 4*channel
	on, off := uint16(b.byteAt(addrPWM, at+1))<<8|uint16(b.byteAt(addrPWM, at)), uint16(b.byteAt(addrPWM, at+3))<<8|uint16(b.byteAt(addrPWM, at+2))
	switch {
	case off&whole != 0:
		return 0
	case on&whole != 0:
		return whole
	}
	return int(off-on) & (whole - 1)
}

// withChips tells the kernel once which chips there are.
var withChips = sync.OnceValue(newChips)

func newChips() error {
	for _, c := range chips {
		if err := os.WriteFile("/sys/bus/i2c/devices/i2c-0/new_device", fmt.Appendf(nil, "%s %#x\n", c.name, c.address), 0); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// checkChips: what is written to a register is what the kernel's drivers show.
func checkChips(t *testing.T) {
	if err := withChips(); err != nil {
		t.Fatal(err)
	}
	b, err := openBus()
	if err != nil {
		t.Fatal(err)
	}
	b.setWord(addrPositive, inaShunt, 9123)
	b.setWord(addrNegative, inaShunt, -12000)
	b.setWord(addrNegative, inaBus, 2500)
	b.setWord(addrThermo, lm75Temp, -7<<8)
	for file, want := range map[string]string{
		"/sys/bus/i2c/devices/0-0040/iio:device*/in_voltage0_raw": "9123",
		"/sys/bus/i2c/devices/0-0041/iio:device*/in_voltage0_raw": "-12000",
		"/sys/bus/i2c/devices/0-0041/iio:device*/in_voltage1_raw": "2500",
		"/sys/bus/i2c/devices/0-0048/hwmon/hwmon*/temp1_input":    "-7000",
	} {
		found, _ := filepath.Glob(file)
		if len(found) != 1 {
			t.Errorf("%s: %d files, want one", file, len(found))
		} else if got := read(found[0]); got != want {
			t.Errorf("%s shows %q, want %q", found[0], got, want)
		}
	}
	if n := read("/sys/class/pwm/pwmchip0/npwm"); n != "17" && n != "16" {
		t.Errorf("PWM chip with %q channels, want 16", n)
	}
}
