package meter

import (
	"context"
	"errors"

	"github.com/evsed/evsed/hal"
)

// ErrNoTransaction is what a meter says that is asked to sign a transaction which it does not count.
var ErrNoTransaction = errors.New("the meter counts no transaction")

// Session is what a transaction is signed with.
type Session struct {
	Transaction string // of the station, unique
	EVSE        string // as the car's driver knows it
	User        string // identification; "" is nobody
	Tariff      int    // number of the tariff in the meter, where it has such; 0 is none
	Cable       int    // number of the cable's loss compensation in the meter, where it has such; 0 is none
}

// Signing is a meter that counts transactions and signs them: between Start and Stop it counts one, and Stop returns what it
// signed for that, with begin and end. A transaction that is open from before is ended by Start.
type Signing interface {
	hal.Meter
	Start(context.Context, Session) error
	Stop(ctx context.Context, transaction string) (hal.SignedReading, error)
}
