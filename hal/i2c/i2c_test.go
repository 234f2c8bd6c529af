package i2c_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/hal/i2c/i2ctest"
)

func device(t *testing.T, b *i2c.Bus, address uint8) *i2c.Device {
	t.Helper()
	d, err := b.Device(address)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBusCarriesWhatWasRecorded(t *testing.T) {
	text, err := os.ReadFile("testdata/traffic.txt")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p, err := i2ctest.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		b := i2c.On("test", p.Open)
		defer b.Close()
		ctx := context.Background()
		chip, nobody := device(t, b, 0x50), device(t, b, 0x51)
		r := make([]byte, 2)
		if err := chip.Transfer(ctx, []byte{0}, r); err != nil || r[0] != 0xA1 || r[1] != 0xB2 {
			t.Errorf("read % x, %v", r, err)
		}
		if err := chip.Transfer(ctx, []byte{0x10, 0x01}, nil); err != nil {
			t.Error(err)
		}
		if err := nobody.Transfer(ctx, nil, r[:1]); !errors.Is(err, i2c.ErrNoAnswer) || !strings.Contains(err.Error(), "0x51 on I2C bus test") {
			t.Errorf("a chip that is not there: %v", err)
		}
		if err := chip.Transfer(ctx, []byte{0}, r); !errors.Is(err, i2c.ErrUnplugged) {
			t.Errorf("an adapter that was pulled out: %v", err)
		}
		if err := chip.Transfer(ctx, []byte{0}, r); !errors.Is(err, i2c.ErrUnplugged) {
			t.Errorf("at once after that: %v", err)
		}
		time.Sleep(time.Second)
		if err := chip.Transfer(ctx, []byte{0}, r); err != nil {
			t.Errorf("a second later: %v", err)
		}
		if err := p.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestAddressHasOneDriver(t *testing.T) {
	b := i2c.On("test", func() (i2c.Adapter, error) { return nil, i2c.ErrUnplugged })
	defer b.Close()
	d := device(t, b, 0x24)
	if _, err := b.Device(0x24); err == nil {
		t.Error("two drivers at one address")
	}
	d.Release()
	device(t, b, 0x24)
	for _, a := range []uint8{0x00, 0x07, 0x78, 0xFF} {
		if _, err := b.Device(a); err == nil {
			t.Errorf("address 0x%02x is reserved", a)
		}
	}
}

// stuck is an adapter whose transfers end when the test says so.
type stuck chan struct{}

func (s stuck) Transfer(_ uint8, _, r []byte) error { <-s; r[0] = 0xFF; return nil }
func (s stuck) Close() error                        { return nil }

func TestDeadlineCountsWhileTheKernelWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := make(stuck)
		b := i2c.On("test", func() (i2c.Adapter, error) { return a, nil })
		d := device(t, b, 0x24)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		r := []byte{0}
		start := time.Now()
		if err := d.Transfer(ctx, nil, r); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		queued, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := d.Transfer(queued, nil, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("behind a transfer that hangs: %v", err)
		}
		close(a)
		synctest.Wait()
		if r[0] != 0 {
			t.Error("a transfer that nobody waits for any more has written into the caller's buffer")
		}
		if err := d.Transfer(context.Background(), nil, r); err != nil || r[0] != 0xFF {
			t.Errorf("afterwards: %v", err)
		}
		b.Close()
		if err := d.Transfer(context.Background(), nil, r); !errors.Is(err, i2c.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, bus, want string }{
		{"no number", "front", "want an adapter's number"},
		{"not an adapter", "/dev/null", "no I2C adapter"},
		{"not there", "/dev/i2c-nowhere", "adapter is gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := i2c.Open(i2c.Config{Bus: c.bus}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	b, err := i2c.Open(i2c.Config{Bus: "/dev/i2c-nowhere", Late: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := device(t, b, 0x24).Transfer(context.Background(), nil, make([]byte, 1)); !errors.Is(err, i2c.ErrUnplugged) {
		t.Errorf("an adapter that has not come: %v", err)
	}
}

func TestPlaybackRefusesOtherTraffic(t *testing.T) {
	p, err := i2ctest.Parse("50 < 00 > 01")
	if err != nil {
		t.Fatal(err)
	}
	if p.Err() == nil {
		t.Error("a recording that was not played is fine")
	}
	if p.Transfer(0x50, []byte{1}, make([]byte, 1)) == nil || p.Err() == nil {
		t.Error("another register is fine")
	}
}
