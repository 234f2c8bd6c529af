package mfrc522

import (
	"context"
	"fmt"

	"github.com/evsed/evsed/hal/rfid"
	"github.com/evsed/evsed/station/term"
)

// What cards are told (ISO/IEC 14443-3, 6.4 to 6.5).
const (
	wakeUp     = 0x52 // WUPA, 7 bits: idle cards and those that were halted
	anticoll   = 0x20 // NVB: nothing of the UID is known
	selectAll  = 0x70 // NVB: all of it
	cascadeTag = 0x88 // in the place of the first UID byte: more follows at the next level
	moreUID    = 0x04 // of SAK
	halt       = 0x50
)

// levels are the SEL codes of the cascade: three UID bytes at each but the last one, which has four.
var levels = [...]byte{0x93, 0x95, 0x97}

// look wakes a card, reads its UID and halts it, so that the next look can wake it again.
func (c *Chip) look(ctx context.Context) (card rfid.Card, found bool, err error) {
	atqa, found, err := c.exchange(ctx, []byte{wakeUp}, 7)
	if err != nil || !found {
		return card, false, err
	}
	if len(atqa.bytes) != 2 || atqa.bits != 0 {
		return card, false, fmt.Errorf("ATQA of %d bytes: %w", len(atqa.bytes), rfid.ErrGarbled)
	}
	uid, err := c.uid(ctx)
	if err != nil {
		return card, false, err
	}
	u, err := rfid.NewUID(uid)
	if err != nil {
		return card, false, err
	}
	// A card does not answer HLTA.
	if _, _, err := c.exchange(ctx, withCRC(halt, 0), 0); err != nil {
		return card, false, err
	}
	return rfid.Card{UID: u, ISO: term.TokenISO14443}, true, nil
}

// uid climbs the cascade.
func (c *Chip) uid(ctx context.Context) ([]byte, error) {
	var uid []byte
	for _, sel := range levels {
		part, err := c.part(ctx, sel)
		if err != nil {
			return nil, err
		}
		more, err := c.choose(ctx, sel, part)
		if err != nil {
			return nil, err
		}
		if !more {
			return append(uid, part[:4]...), nil
		}
		if part[0] != cascadeTag {
			return nil, fmt.Errorf("UID goes on without a cascade tag: %w", rfid.ErrGarbled)
		}
		uid = append(uid, part[1:4]...)
	}
	return nil, fmt.Errorf("UID goes on behind its third level: %w", rfid.ErrGarbled)
}

// part reads four bytes of UID and their checksum, BCC.
func (c *Chip) part(ctx context.Context, sel byte) ([]byte, error) {
	a, found, err := c.exchange(ctx, []byte{sel, anticoll}, 0)
	switch {
	case err != nil:
		return nil, err
	case a.clash:
		return nil, rfid.ErrTwoCards
	case !found || len(a.bytes) != 5 || a.bits != 0:
		return nil, fmt.Errorf("UID of %d bytes, want 5: %w", len(a.bytes), rfid.ErrGarbled)
	case a.bytes[0]^a.bytes[1]^a.bytes[2]^a.bytes[3] != a.bytes[4]:
		return nil, fmt.Errorf("UID with a wrong checksum: %w", rfid.ErrGarbled)
	}
	return a.bytes, nil
}

// choose selects the card with that part of UID and says whether its UID goes on.
func (c *Chip) choose(ctx context.Context, sel byte, part []byte) (more bool, err error) {
	a, found, err := c.exchange(ctx, withCRC(append([]byte{sel, selectAll}, part...)...), 0)
	switch {
	case err != nil:
		return false, err
	case a.clash:
		return false, rfid.ErrTwoCards
	case !found || len(a.bytes) != 3 || a.bits != 0:
		return false, fmt.Errorf("SAK of %d bytes, want 3: %w", len(a.bytes), rfid.ErrGarbled)
	case crc(a.bytes) != 0:
		return false, fmt.Errorf("SAK with a wrong checksum: %w", rfid.ErrGarbled)
	}
	return a.bytes[0]&moreUID != 0, nil
}

// withCRC appends CRC_A, least significant byte first.
func withCRC(b ...byte) []byte {
	sum := crc(b)
	return append(b, byte(sum), byte(sum>>8))
}

// crc is CRC_A (ISO/IEC 14443-3, annex B): x16 + x12 + x5 + 1, reflected, preset 6363. Over a frame that has it, it is 0.
func crc(b []byte) uint16 {
	sum := uint16(0x6363)
	for _, x := range b {
		sum ^= uint16(x)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0x8408
			} else {
				sum >>= 1
			}
		}
	}
	return sum
}
