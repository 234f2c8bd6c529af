package meter

import "errors"

// ErrNoTransaction is what a meter says that is asked to sign a transaction which it does not count.
var ErrNoTransaction = errors.New("the meter counts no transaction")
