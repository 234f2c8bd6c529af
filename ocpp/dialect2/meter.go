package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// meterValues tells values outside a transaction (J01), nil where there is no sample in any of them.
func meterValues(b *station.MeterValues) msg2.Message {
	values := appendMeterValues(nil, b.Values)
	if len(values) == 0 {
		return nil
	}
	return &msg2.MeterValuesRequest{EVSEID: int(b.EVSE), MeterValue: values}
}

// appendMeterValues appends values to dst and reuses what lies in its capacity. A value without samples tells nothing
// and has no form on the wire.
func appendMeterValues(dst []msg2.MeterValue, values []term.MeterValue) []msg2.MeterValue {
	for i := range values {
		v := &values[i]
		if len(v.Sampled) == 0 {
			continue
		}
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
		} else {
			dst = append(dst, msg2.MeterValue{})
		}
		m := &dst[len(dst)-1]
		*m = msg2.MeterValue{Timestamp: v.At, SampledValue: appendSampled(m.SampledValue[:0], v.Sampled)}
	}
	return dst
}

func appendSampled(dst []msg2.SampledValue, samples []term.SampledValue) []msg2.SampledValue {
	for _, s := range samples {
		dst = append(dst, sampledValue(s))
	}
	return dst
}

// sampledValue tells one value as an exact decimal of the measurand's unit. The unit is left out where it is the
// default of its measurand, Wh, and for a plain ratio, which has none in the appendix.
func sampledValue(s term.SampledValue) msg2.SampledValue {
	m := msg2.SampledValue{
		Value:     rpc.Milli(s.Value),
		Measurand: msg2.Measurand(s.Measurand.String()),
		Context:   msg2.ReadingContext(s.Context.String()),
		Phase:     msg2.Phase(s.Phase.String()),
	}
	if s.Location != term.LocationOutlet {
		m.Location = msg2.Location(s.Location.String())
	}
	if unit := s.Measurand.Unit(); unit != "" && unit != "Wh" {
		m.UnitOfMeasure = rpc.Some(msg2.UnitOfMeasure{Unit: rpc.Some(unit)})
	}
	return m
}
