// Package thermo reads the kernel's thermometers (hwmon, 1-wire).
package thermo

import "github.com/evsed/evsed/hal"

// Source is one thermometer. Temperature never waits: a bus that is slow is read beforehand, and a value that is too old is an
// error.
type Source interface {
	hal.Thermometer
}
