package pn532

import (
	"bytes"
	"testing"

	"github.com/evsed/evsed/hal/rfid"
)

func TestCommandIsSpelledAsTheManualSays(t *testing.T) {
	// Frames of the manual's own example and of published captures.
	for _, c := range []struct {
		name string
		got  []byte
		want []byte
	}{
		{"GetFirmwareVersion", command(getFirmwareVersion), []byte{0, 0, 0xFF, 2, 0xFE, 0xD4, 0x02, 0x2A, 0}},
		{"SAMConfiguration", command(samConfiguration, 1, 0, 0), []byte{0, 0, 0xFF, 5, 0xFB, 0xD4, 0x14, 1, 0, 0, 0x17, 0}},
		{"InListPassiveTarget", command(inListPassiveTarget, 2, 0), []byte{0, 0, 0xFF, 4, 0xFC, 0xD4, 0x4A, 2, 0, 0xE0, 0}},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, c.got, c.want)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(ackBytes)
	f.Add(nackBytes)
	f.Add(command(getFirmwareVersion))
	f.Add([]byte{0, 0, 0xFF, 6, 0xFA, 0xD5, 3, 0x32, 1, 6, 7, 0xE8, 0})
	f.Add([]byte{0, 0, 0xFF, 1, 0xFF, 0x7F, 0x81, 0})
	f.Add([]byte{0, 0, 0xFF, 0xFF, 0xFF, 1, 0, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; ; {
			got, n, err := next(rest)
			if n < 0 || n > len(rest) {
				t.Fatalf("%d of %d bytes done with", n, len(rest))
			}
			if err == errShort {
				if len(rest)-n > maxFrame {
					t.Fatalf("%d bytes wait for a frame of at most %d", len(rest)-n, maxFrame)
				}
				break
			}
			if n == 0 {
				t.Fatal("no step forward")
			}
			if err == nil && got.kind == data {
				if len(got.body) >= 2 && got.body[0] == toChip && !bytes.Contains(rest[:n], command(got.body[1], got.body[2:]...)[1:5]) {
					t.Fatalf("% x is no frame of % x", rest[:n], got.body)
				}
				if cards, err := targets(got.body); err == nil && len(cards) > 1 {
					t.Fatal("two cards without an error")
				}
			}
			rest = rest[n:]
		}
		if cards, err := targets(b); err == nil && len(cards) == 1 && len(cards[0].UID.Bytes()) > rfid.MaxUID {
			t.Fatal("too long")
		}
	})
}
