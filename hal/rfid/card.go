package rfid

import (
	"errors"
	"fmt"

	"github.com/evsed/evsed/station/term"
)

// MaxUID is the longest UID there is: a triple size one of ISO/IEC 14443-3.
const MaxUID = 10

// What keeps a card at the reader from being a token. The reader works.
var (
	ErrCard     = errors.New("no token")                              // in all of the following
	ErrTwoCards = fmt.Errorf("%w: more than one card", ErrCard)       // which one was meant?
	ErrRandom   = fmt.Errorf("%w: the card's UID is random", ErrCard) // a phone, or a card that hides who it is
	ErrGarbled  = fmt.Errorf("%w: not read as a UID", ErrCard)        // what the reader has sent is none
)

// UID is a card's number as it was read, first byte first. It is comparable.
type UID struct {
	n     uint8
	bytes [MaxUID]byte
}

// NewUID takes a UID of 1 to MaxUID bytes. Chips give 4, 7 or 10 of ISO 14443 and 8 of ISO 15693; readers that type
// what they have read may cut it.
func NewUID(b []byte) (UID, error) {
	if len(b) == 0 || len(b) > MaxUID {
		return UID{}, fmt.Errorf("UID of %d bytes: want 1 to %d: %w", len(b), MaxUID, ErrGarbled)
	}
	u := UID{n: uint8(len(b))}
	copy(u.bytes[:], b)
	return u, nil
}

// Bytes returns the UID, first byte first.
func (u UID) Bytes() []byte { return append([]byte(nil), u.bytes[:u.n]...) }

// Random says that the UID was made up when the card came into the field: a single size UID that begins with 08
// (ISO/IEC 14443-3, 6.5.4). The next time it is another.
func (u UID) Random() bool { return u.n == 4 && u.bytes[0] == 0x08 }

// Card is a card in the field of a reader.
type Card struct {
	UID UID
	ISO term.IdTokenType // ISO14443 or ISO15693; ISO14443 where the reader does not tell
}
