package gpio

import "time"

// Output is a line that the board drives. It is not safe for use by several goroutines.
type Output interface {
	Set(active bool) error
}

// Input is a line that the board reads. It is not safe for use by several goroutines.
type Input interface {
	Get() (active bool, err error)
}

// Source is an Input that can wake its reader: a descriptor to wait for, and the edges that wait behind it. An Input of a Spec
// with Edges is one, where the kernel is behind it.
type Source interface {
	Descriptor() int
	Drain() // takes the edges that wait, without waiting; to be called when the descriptor can be read
}

// Spec says which line, and how it is used. The zero value of each field but Name is a plain line.
type Spec struct {
	Name      string // what the kernel calls the line (gpio-line-names of the device tree)
	ActiveLow bool
	Bias      Bias          // of an input
	Debounce  time.Duration // of an input: how long a level must stand
	Initial   bool          // of an output: active from its first moment on
	Edges     bool          // of an input: both edges wake
}

// Bias is how an input is pulled.
type Bias uint8

// Biases.
const (
	BiasAsIs Bias = iota // as device tree or firmware have left it
	BiasUp
	BiasDown
	BiasNone
)
