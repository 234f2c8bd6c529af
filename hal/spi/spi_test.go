package spi_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/spi"
	"github.com/evsed/evsed/hal/spi/spitest"
)

func TestDeviceCarriesWhatWasRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := spitest.Parse("ee 00 > 00 92\nee 00 !unplugged\nee 00 > 00 92 # back")
		if err != nil {
			t.Fatal(err)
		}
		d := spi.On("test", p.Open)
		ctx := context.Background()
		w, r := []byte{0xEE, 0}, make([]byte, 2)
		if err := d.Transfer(ctx, w, r); err != nil || r[1] != 0x92 {
			t.Errorf("% x, %v", r, err)
		}
		if err := d.Transfer(ctx, w, r); !errors.Is(err, spi.ErrUnplugged) || !strings.Contains(err.Error(), "SPI device test") {
			t.Errorf("unplugged: %v", err)
		}
		if err := d.Transfer(ctx, w, r); !errors.Is(err, spi.ErrUnplugged) {
			t.Errorf("at once after that: %v", err)
		}
		time.Sleep(time.Second)
		if err := d.Transfer(ctx, w, r); err != nil {
			t.Errorf("a second later: %v", err)
		}
		if err := d.Transfer(ctx, w, r[:1]); err == nil {
			t.Error("two lengths are fine")
		}
		if err := p.Err(); err != nil {
			t.Error(err)
		}
		d.Close()
		if err := d.Transfer(ctx, w, r); !errors.Is(err, spi.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

type stuck chan struct{}

func (s stuck) Transfer(_, r []byte) error { <-s; r[0] = 0xFF; return nil }
func (s stuck) Close() error               { return nil }

func TestDeadlineCountsWhileTheKernelWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := make(stuck)
		d := spi.On("test", func() (spi.Wire, error) { return w, nil })
		defer d.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		r := []byte{0}
		if err := d.Transfer(ctx, []byte{1}, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(w)
		synctest.Wait()
		if r[0] != 0 {
			t.Error("a transfer that nobody waits for any more has written into the caller's buffer")
		}
	})
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  spi.Config
		want string
	}{
		{"no port", spi.Config{Port: "front", Speed: 1e6}, "want bus and chip select"},
		{"half a port", spi.Config{Port: "0.0x", Speed: 1e6}, "want bus and chip select"},
		{"too slow", spi.Config{Port: "0.0", Speed: 1}, "speed 1"},
		{"mode", spi.Config{Port: "0.0", Speed: 1e6, Mode: 4}, "mode 4"},
		{"no SPI device", spi.Config{Port: "/dev/null", Speed: 1e6}, "no SPI device"},
		{"not there", spi.Config{Port: "/dev/spidev-nowhere", Speed: 1e6}, "device is gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := spi.Open(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	d, err := spi.Open(spi.Config{Port: "/dev/spidev-nowhere", Speed: 1e6, Late: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Transfer(context.Background(), []byte{1}, []byte{0}); !errors.Is(err, spi.ErrUnplugged) {
		t.Errorf("a device that has not come: %v", err)
	}
}
