// Package rfid turns cards at a reader into tokens.
//
// A Scanner is one reader chip, or one port at which a reader types what it has read: pn532, mfrc522, hid and uart
// below this package make them. Watch gives it an owner goroutine and makes a hal.TokenReader of it:
//
//	Scanner ──cards──► presence: one token for each time that a card is shown ──Format──► Next
//	   │
//	   └──errors──► three in a row: Notify(err), once; the first scan that works again: Notify(nil)
//
// A card's identity is its UID as it was read, first byte first. How the CSMS knows that UID is a matter of the
// readers that the operator had before: Format spells it.
package rfid
