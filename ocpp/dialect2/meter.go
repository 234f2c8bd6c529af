package dialect2

import (
	"encoding/base64"
	"slices"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// meterValues tells values outside a transaction (J01), nil where there is no sample in any of them.
func (d *Dialect) meterValues(b *station.MeterValues) msg2.Message {
	values := appendMeterValues(nil, b.Values, d.v)
	if len(values) == 0 {
		return nil
	}
	return &msg2.MeterValuesRequest{EVSEID: int(b.EVSE), MeterValue: values}
}

// appendMeterValues appends values to dst and reuses what lies in its capacity. A value without samples tells nothing
// and has no form on the wire.
func appendMeterValues(dst []msg2.MeterValue, values []term.MeterValue, version rpc.Version) []msg2.MeterValue {
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
		if v.Signed != nil {
			addSigned(m.SampledValue, v.Sampled, v.Signed, version)
		}
	}
	return dst
}

// maxSigned is how many characters of a signed record a message can carry.
var maxSigned = map[rpc.Version]int{rpc.V201: 2500, rpc.V21: 32768}

// addSigned adds what the meter signed to the register among the values. A record that is too long for the version is left out:
// a part of it would be worth nothing.
func addSigned(dst []msg2.SampledValue, samples []term.SampledValue, r *term.SignedMeterValue, version rpc.Version) {
	i := slices.IndexFunc(samples, func(s term.SampledValue) bool { return s.Measurand == term.EnergyActiveImportRegister })
	data := base64.StdEncoding.EncodeToString(r.Data)
	if i < 0 || len(data) > maxSigned[version] {
		return
	}
	dst[i].SignedMeterValue = rpc.Some(msg2.SignedMeterValue{SignedMeterData: data, SigningMethod: rpc.Some(r.SigningMethod),
		EncodingMethod: r.EncodingMethod, PublicKey: rpc.Some(term.OCAPublicKey(r.PublicKey))})
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
