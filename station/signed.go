package station

import (
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/station/term"
)

// Signing is what the meter of an EVSE can sign.
type Signing uint8

// What a meter can sign.
const (
	SignsNothing      Signing = iota
	SignsTransactions         // begin and end of a transaction, in one record at its end: hal.SigningMeter
	SignsReadings             // a transaction as far as it goes, too: hal.Signer
)

// SignBegin asks the EVSE's meter to begin to count a transaction that it will sign; MeterSigned answers it.
type SignBegin struct {
	EVSE    term.EVSEID
	Session hal.MeterSession
}

// SignNow asks for a record of the transaction that the meter counts, as far as it goes; MeterSigned answers it.
type SignNow struct {
	EVSE        term.EVSEID
	Transaction term.TransactionID
}

// SignEnd asks the meter to end a transaction and to sign it; MeterSigned answers it.
type SignEnd struct {
	EVSE    term.EVSEID
	Session hal.MeterSession
}

func (SignBegin) command() {}
func (SignNow) command()   {}
func (SignEnd) command()   {}

// SignStep says which of the three a MeterSigned answers.
type SignStep uint8

// Steps of a transaction that a meter signs.
const (
	SignedBegin SignStep = iota + 1
	SignedNow
	SignedEnd
)

// MeterSigned tells what became of SignBegin, SignNow or SignEnd. It comes once for each.
type MeterSigned struct {
	EVSE        term.EVSEID
	Transaction term.TransactionID
	Step        SignStep
	Signed      *hal.SignedReading // nil where the meter gives no record of this step, or Err is set
	Err         string             // why it did not sign; "": it did
}

// MeterKey tells the public key of what an EVSE's meter signs (SubjectPublicKeyInfo, DER), once it is known.
type MeterKey struct {
	EVSE term.EVSEID
	Key  []byte
}

func (MeterSigned) event() {}
func (MeterKey) event()    {}
