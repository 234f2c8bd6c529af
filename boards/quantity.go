package boards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// quantity is a dimension: how its values are written, and how many of its base unit one of each written unit has.
type quantity struct {
	name  string
	about string // an example
	units []scaled
}

type scaled struct {
	unit string
	size int64
}

// Dimensions of board files; the base unit is that of hal/unit, nanoseconds for time and nanovolts for a gain.
var (
	qCurrent     = &quantity{"current", "32 A", []scaled{{"A", int64(unit.Ampere)}, {"mA", 1}}}
	qVoltage     = &quantity{"voltage", "230 V", []scaled{{"V", int64(unit.Volt)}, {"mV", 1}}}
	qPower       = &quantity{"power", "4.2 kW", []scaled{{"kW", int64(unit.KiloWatt)}, {"W", int64(unit.Watt)}}}
	qResistance  = &quantity{"resistance", "330 Ohm", []scaled{{"Ohm", int64(unit.Ohm)}, {"kOhm", int64(unit.KiloOhm)}}}
	qTime        = &quantity{"time", "300 ms", []scaled{{"ms", int64(time.Millisecond)}, {"us", int64(time.Microsecond)}, {"s", int64(time.Second)}, {"min", int64(time.Minute)}, {"h", int64(time.Hour)}}}
	qTemperature = &quantity{"temperature", "80 C", []scaled{{"C", int64(unit.Celsius)}}}
	qPercent     = &quantity{"percentage", "60 %", []scaled{{"%", int64(unit.OnePercent)}}}
	qGain        = &quantity{"voltage per count", "11.31 mV", []scaled{{"mV", 1_000_000}, {"uV", 1000}, {"V", 1_000_000_000}}}
)

// maxQuantity bounds a value in its base unit, so that sums and products of some stay in 64 bits.
const maxQuantity = int64(1) << 53

// unfit is a text that is no value: what it is, and what would be right.
type unfit struct{ text, cure string }

func (u unfit) Error() string { return u.text + ": " + u.cure }

// parse reads a decimal number, one space and a unit. The error is an unfit.
func (q *quantity) parse(s string) (int64, error) {
	number, name, spaced := strings.Cut(s, " ")
	if !spaced {
		return 0, unfit{strconv.Quote(clip(s)), fmt.Sprintf("want a number, a space and a unit, like %q", q.about)}
	}
	for _, u := range q.units {
		if u.unit == name {
			return decimal(number, u.size)
		}
	}
	return 0, unfit{fmt.Sprintf("%q is no unit of a %s", clip(name), q.name), fmt.Sprintf("want %s, like %q", q.names(), q.about)}
}

func (q *quantity) names() string {
	var names []string
	for _, u := range q.units {
		names = append(names, u.unit)
	}
	return strings.Join(names, " or ")
}

// decimal returns s times size, exactly.
func decimal(s string, size int64) (int64, error) {
	rest, negative := strings.CutPrefix(s, "-")
	whole, fraction, dotted := strings.Cut(rest, ".")
	if whole == "" || dotted && fraction == "" || len(whole) > 1 && whole[0] == '0' {
		return 0, unfit{strconv.Quote(clip(s)), "want a decimal number"}
	}
	n, part := int64(0), size
	for i, digits := range []string{whole, fraction} {
		for _, c := range []byte(digits) {
			if c < '0' || c > '9' {
				return 0, unfit{strconv.Quote(clip(s)), "want a decimal number"}
			}
			if i == 0 {
				n = n*10 + int64(c-'0')*size
			} else {
				if part%10 != 0 && c != '0' {
					return 0, unfit{strconv.Quote(clip(s)), "write fewer decimals"}
				}
				part /= 10
				n += int64(c-'0') * part
			}
			if n > maxQuantity {
				return 0, unfit{strconv.Quote(clip(s)), "write a smaller number"}
			}
		}
	}
	if negative {
		n = -n
	}
	return n, nil
}

// show writes v in the largest unit of which it has at least one and no more than four decimals.
func (q *quantity) show(v int64) string {
	best, least := scaled{}, q.units[0]
	for _, u := range q.units {
		if abs(v) >= u.size && v*10_000%u.size == 0 && u.size > best.size {
			best = u
		}
		if u.size < least.size {
			least = u
		}
	}
	switch {
	case v == 0:
		best = q.units[0]
	case best.size == 0:
		best = least
	}
	return fractional(v, best.size) + " " + best.unit
}

func fractional(v, size int64) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%s%d", sign, v/size)
	rest := v % size
	if rest == 0 {
		return s
	}
	digits := []byte{'.'}
	for part := size / 10; rest > 0 && part > 0; part /= 10 {
		digits = append(digits, byte('0'+rest/part))
		rest %= part
	}
	return s + string(digits)
}

func abs(v int64) int64 { return max(v, -v) }
