package dialect15

import (
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
)

const register = msg16.MeasurandEnergyActiveImportRegister

// appendValues appends what can be told of meter values, as the elements of a list.
func (d *Dialect) appendValues(dst []byte, values []msg16.MeterValue) []byte {
	for i := range values {
		if d.v == soap.V12 {
			dst = appendRegister(dst, &values[i])
		} else {
			dst = appendAttributed(dst, &values[i])
		}
	}
	if len(dst) > 0 && dst[0] == ',' {
		return dst[1:]
	}
	return dst
}

// appendRegister tells the register in whole Wh, the only value that 1.2 knows.
func appendRegister(dst []byte, v *msg16.MeterValue) []byte {
	for i := range v.SampledValue {
		s := &v.SampledValue[i]
		wh, ok := wattHours(s)
		if !ok {
			continue
		}
		dst = rpc.AppendTime(add(dst, `,{"timestamp":"`), v.Timestamp)
		return add(rpc.Int(wh).Append(add(dst, `","value":`)), "}")
	}
	return dst
}

// wattHours returns the register that a value is, in Wh as a meter shows it; false if it is another value.
func wattHours(s *msg16.SampledValue) (int64, bool) {
	if s.Phase != "" || s.Format == msg16.ValueFormatSignedData || s.Measurand != "" && s.Measurand != register {
		return 0, false
	}
	v, err := rpc.ParseDecimal(s.Value)
	if err != nil {
		return 0, false
	}
	digits := 0
	switch s.Unit {
	case "", msg16.UnitOfMeasureWh:
	case msg16.UnitOfMeasureKWh:
		digits = 3
	default:
		return 0, false
	}
	return v.Units(digits)
}

// appendAttributed tells the values that 1.5 has words for.
func appendAttributed(dst []byte, v *msg16.MeterValue) []byte {
	start, sep := len(dst), ""
	dst = add(rpc.AppendTime(add(dst, `,{"timestamp":"`), v.Timestamp), `","value":[`)
	for i := range v.SampledValue {
		s := &v.SampledValue[i]
		unit, ok := unit15(s)
		if !ok {
			continue
		}
		dst = rpc.AppendString(add(dst, sep, `{"value":`), s.Value)
		dst = appendWord(dst, "context", context15(s.Context))
		dst = appendWord(dst, "format", string(s.Format))
		dst = appendWord(dst, "measurand", string(s.Measurand))
		dst = appendWord(dst, "location", string(s.Location))
		dst = add(appendWord(dst, "unit", unit), "}")
		sep = ","
	}
	if sep == "" {
		return dst[:start]
	}
	return add(dst, "]}")
}

func appendWord(dst []byte, name, word string) []byte {
	if word == "" {
		return dst
	}
	return add(dst, `,"`, name, `":"`, word, `"`)
}

// context15 returns the word of 1.5, "" where it has none: it has no triggered values.
func context15(c msg16.ReadingContext) string {
	if c == msg16.ReadingContextTrigger || c == msg16.ReadingContextOther {
		return ""
	}
	return string(c)
}

// unit15 returns the unit in the word of 1.5; false for a value that it cannot tell: of one phase, of a measurand, place or unit
// that came with 1.6.
func unit15(s *msg16.SampledValue) (string, bool) {
	if s.Format == msg16.ValueFormatSignedData { // of 1.6 and later (signed meter values 1.0)
		return "", false
	}
	switch s.Measurand {
	case msg16.MeasurandCurrentOffered, msg16.MeasurandFrequency, msg16.MeasurandPowerFactor, msg16.MeasurandPowerOffered,
		msg16.MeasurandRPM, msg16.MeasurandSoC:
		return "", false
	}
	if s.Phase != "" || s.Location == msg16.LocationCable || s.Location == msg16.LocationEV {
		return "", false
	}
	switch s.Unit {
	case msg16.UnitOfMeasureA:
		return "Amp", true
	case msg16.UnitOfMeasureV:
		return "Volt", true
	case msg16.UnitOfMeasureCelcius:
		return "Celsius", true
	case msg16.UnitOfMeasureFahrenheit, msg16.UnitOfMeasureK, msg16.UnitOfMeasureVA, msg16.UnitOfMeasureKVA, msg16.UnitOfMeasurePercent:
		return "", false
	}
	return string(s.Unit), true
}
