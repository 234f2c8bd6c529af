package uml

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/light"
	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/hal/rfid/hid"
	"github.com/evsed/evsed/hal/thermo"
	"github.com/evsed/evsed/hal/unit"
)

// soon is how long a wait may take that goes wrong.
const soon = 30 * time.Second

// holds waits until something is so.
func holds(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(soon); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, soon)
		}
	}
}

// diode is an LED of the kernel that a program stands for (/dev/uleds).
type diode struct {
	f *os.File

	mu    sync.Mutex
	level int
}

// newDiode makes an LED of that name, 255 at its brightest.
func newDiode(name string) (*diode, error) {
	f, err := os.OpenFile("/dev/uleds", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	var device [64 + 4]byte // struct uleds_user_dev of linux/uleds.h: name, greatest brightness
	copy(device[:63], name)
	binary.NativeEndian.PutUint32(device[64:], 255)
	if _, err := f.Write(device[:]); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d := &diode{f: f}
	go d.run()
	return d, nil
}

func (d *diode) run() {
	var b [4]byte
	for { // until it is closed
		if _, err := d.f.Read(b[:]); err != nil {
			return
		}
		d.mu.Lock()
		d.level = int(int32(binary.NativeEndian.Uint32(b[:])))
		d.mu.Unlock()
	}
}

func (d *diode) lit() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.level > 0
}

// checkLights: a lamp of the kernel's LEDs shows a connector's state; what the kernel blinked with them itself is switched off, and
// LEDs that are gone are told.
func checkLights(t *testing.T) {
	names := []string{"evse:red", "evse:green", "evse:blue"}
	var all []*diode
	for _, n := range names {
		d, err := newDiode(n)
		if err != nil {
			t.Fatalf("LED %s: %v", n, err)
		}
		defer d.f.Close()
		all = append(all, d)
	}
	trigger := "/sys/class/leds/evse:green/trigger"
	if err := os.WriteFile(trigger, []byte("timer"), 0); err != nil {
		t.Fatal(err)
	}
	lamp, err := light.LEDs("/", names...)
	if err != nil {
		t.Fatal(err)
	}
	if shows := read(trigger); !strings.Contains(shows, "[none]") {
		t.Errorf("the kernel goes on with %q", shows)
	}
	told := make(chan error, 4)
	l, err := light.New(lamp, light.Options{Name: "light", Notify: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	shows := func() (lit []bool) {
		for _, d := range all {
			lit = append(lit, d.lit())
		}
		return lit
	}
	for _, c := range []struct {
		in   hal.Indication
		want []bool
	}{{hal.IndicateAvailable, []bool{false, true, false}}, {hal.IndicateOff, []bool{false, false, false}}, {hal.IndicateCharging, []bool{false, false, true}},
		{hal.IndicateConnected, []bool{false, true, true}}, {hal.IndicateOff, []bool{false, false, false}}} {
		if err := l.Show(c.in); err != nil {
			t.Fatal(err)
		}
		holds(t, fmt.Sprintf("%v shows %v", c.in, c.want), func() bool { return slices.Equal(shows(), c.want) })
	}
	for _, d := range all {
		_ = d.f.Close()
	}
	if err := l.Show(hal.IndicateConnected); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-told:
		if err == nil {
			t.Error("LEDs that are gone work")
		}
	case <-time.After(soon):
		t.Error("nobody is told that the LEDs are gone")
	}
}

// Numbers of linux/uinput.h and linux/input-event-codes.h.
const (
	uiCreate  = 0x5501
	uiDestroy = 0x5502
	uiSetup   = 0x405C5503
	uiEvents  = 0x40045564
	uiKeys    = 0x40045565
	uiName    = 0x8000552C | 32<<16
	evKey     = 1
	keyEnter  = 28
	keyShift  = 42
	busUSB    = 3
)

// keyCodes are what types a digit of a UID.
var keyCodes = map[rune]uint16{'1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10, '0': 11,
	'A': 30, 'B': 48, 'C': 46, 'D': 32, 'E': 18, 'F': 33}

// typist is a keyboard that the kernel takes for one.
type typist struct {
	f    *os.File
	node string
}

func newTypist() (*typist, error) {
	f, err := os.OpenFile("/dev/uinput", os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	k := &typist{f: f}
	do := func(request, argument uintptr) {
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, argument); e != 0 && err == nil {
			err = fmt.Errorf("uinput, request %#x: %w", request, e)
		}
	}
	do(uiEvents, evKey)
	for _, code := range keyCodes {
		do(uiKeys, uintptr(code))
	}
	do(uiKeys, keyEnter)
	do(uiKeys, keyShift)
	var setup [92]byte // struct uinput_setup: bus, vendor, product, version, name, effects
	binary.NativeEndian.PutUint16(setup[0:], busUSB)
	copy(setup[8:], "cards")
	do(uiSetup, uintptr(unsafe.Pointer(&setup)))
	do(uiCreate, 0)
	var name [32]byte
	do(uiName, uintptr(unsafe.Pointer(&name)))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	folder, _, _ := strings.Cut(string(name[:]), "\x00")
	nodes, _ := filepath.Glob("/sys/devices/virtual/input/" + folder + "/event*")
	if len(nodes) != 1 {
		return nil, fmt.Errorf("%s has nodes %q", folder, nodes)
	}
	k.node = filepath.Join("/dev/input", filepath.Base(nodes[0]))
	return k, nil
}

// event writes struct input_event: the time is the kernel's.
func (k *typist) event(kind, code uint16, value int32) {
	var e [24]byte
	binary.NativeEndian.PutUint16(e[16:], kind)
	binary.NativeEndian.PutUint16(e[18:], code)
	binary.NativeEndian.PutUint32(e[20:], uint32(value))
	if _, err := k.f.Write(e[:]); err != nil {
		panic(fmt.Sprintf("type: %v", err))
	}
}

// press waits as long as a reader's USB does: the kernel keeps some tens of events for who does not look.
func (k *typist) press(code uint16, down int32) {
	k.event(evKey, code, down)
	k.event(0, 0, 0)
	time.Sleep(time.Millisecond)
}

// types types a text in capitals, and Enter.
func (k *typist) types(text string) {
	for _, r := range text {
		k.press(keyShift, 1)
		k.press(keyCodes[r], 1)
		k.press(keyCodes[r], 0)
		k.press(keyShift, 0)
	}
	k.press(keyEnter, 1)
	k.press(keyEnter, 0)
}

// pull unplugs it.
func (k *typist) pull() {
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, k.f.Fd(), uiDestroy, 0) // Close does it, too
	_ = k.f.Close()
}

// checkKeyboard: a reader that is a keyboard to the kernel, over evdev: cards are read, nobody else has it, and it comes back.
func checkKeyboard(t *testing.T) {
	k, err := newTypist()
	if err != nil {
		t.Fatal(err)
	}
	r, err := hid.New(hid.Config{Device: k.node})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	within := func(d time.Duration) ([]rfid.Card, error) {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		return r.Scan(ctx)
	}
	scan := func() ([]rfid.Card, error) { return within(300 * time.Millisecond) }
	reads := func(uid string) {
		t.Helper()
		done := make(chan struct{})
		go func() { defer close(done); k.types(uid) }()
		defer func() { <-done }()
		if cards, err := within(soon); err != nil || len(cards) != 1 || fmt.Sprintf("%X", cards[0].UID.Bytes()) != uid {
			t.Fatalf("card %s: %v, %v", uid, cards, err)
		}
	}
	if cards, err := scan(); len(cards) > 0 || err != nil {
		t.Fatalf("before a card: %v, %v", cards, err)
	}
	reads("04A1B2C3D4E5F6")
	reads("12345678")
	other, err := hid.New(hid.Config{Device: k.node})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Scan(t.Context()); !errors.Is(err, hid.ErrHeld) {
		t.Errorf("a second program at the keyboard: %v, want %v", err, hid.ErrHeld)
	}
	k.pull()
	holds(t, "it is missed", func() bool { _, err := scan(); return errors.Is(err, hid.ErrUnplugged) })
	was := k.node
	if k, err = newTypist(); err != nil {
		t.Fatal(err)
	}
	defer k.pull()
	if k.node != was {
		t.Fatalf("it comes back as %s, it was %s", k.node, was)
	}
	holds(t, "it is there again", func() bool { _, err := scan(); return err == nil })
	reads("0A0B0C0D")
}

// checkHeat: a thermometer of the kernel's is read by its name, is stale once its chip is away, and is read on when that is back.
func checkHeat(t *testing.T) {
	if err := withChips(); err != nil {
		t.Fatal(err)
	}
	b, err := openBus()
	if err != nil {
		t.Fatal(err)
	}
	b.setWord(addrThermo, lm75Temp, 25<<8)
	p := &thermo.Poller{Root: "/"}
	s, err := p.Open("hwmon:lm75/temp1")
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	defer p.Close()
	shows := func(want unit.Temperature) func() bool {
		return func() bool { v, err := s.Temperature(); return err == nil && v == want }
	}
	holds(t, "25 degrees", shows(25*unit.Celsius))
	b.setWord(addrThermo, lm75Temp, 61<<8|0x80)
	holds(t, "61.5 degrees", shows(61_500))
	const driver, chip = "/sys/bus/i2c/drivers/lm75/", "0-0048"
	if err := os.WriteFile(driver+"unbind", []byte(chip), 0); err != nil {
		t.Fatal(err)
	}
	holds(t, "the chip is missed", func() bool { _, err := s.Temperature(); return errors.Is(err, thermo.ErrStale) })
	if err := os.WriteFile(driver+"bind", []byte(chip), 0); err != nil {
		t.Fatal(err)
	}
	b.setWord(addrThermo, lm75Temp, 30<<8)
	holds(t, "30 degrees", shows(30*unit.Celsius))
	b.setWord(addrThermo, lm75Temp, 25<<8)
}
