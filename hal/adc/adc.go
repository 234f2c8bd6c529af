// Package adc reads the kernel's converters (industrial I/O).
package adc

// Channel is one channel of a converter.
type Channel interface {
	// Raw converts once and returns the count, as the converter has it.
	Raw() (int32, error)
}
