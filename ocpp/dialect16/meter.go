package dialect16

import (
	"encoding/base64"
	"slices"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// meterValues tells values of a connector, nil where there is no sample in any of them. The transaction that runs there is
// told where its id is known (1.6, 4.7 with errata 3.16).
func (d *Dialect) meterValues(b *station.MeterValues, t *ocpp.Table) msg16.Message {
	values := appendMeterValues(nil, b.Values)
	if len(values) == 0 {
		return nil
	}
	m := &msg16.MeterValuesRequest{
		ConnectorID: int(d.topology.number(term.Ref{EVSE: b.EVSE, Connector: b.Connector})),
		MeterValue:  values,
	}
	if b.Transaction != "" {
		if s := stateOf(t, b.Transaction); s.kind == stateNamed {
			m.TransactionID = msg16.Some(int(s.id))
		}
	}
	return m
}

// appendMeterValues appends values to dst. A value without samples tells nothing and has no form on the wire.
func appendMeterValues(dst []msg16.MeterValue, values []term.MeterValue) []msg16.MeterValue {
	for i := range values {
		v := &values[i]
		if len(v.Sampled) == 0 {
			continue
		}
		m := msg16.MeterValue{Timestamp: v.At, SampledValue: make([]msg16.SampledValue, len(v.Sampled), len(v.Sampled)+1)}
		for j, s := range v.Sampled {
			m.SampledValue[j] = sampledValue(s)
		}
		if v.Signed != nil {
			m.SampledValue = appendSigned(m.SampledValue, v.Sampled, v.Signed)
		}
		dst = append(dst, m)
	}
	return dst
}

// sampledValue tells one value as a decimal in the measurand's unit. Measurand, context and unit are told even where they
// are the default: many a CSMS does not know the defaults. A frequency has no unit in 1.6 (errata 3.86), nor has a ratio.
func sampledValue(s term.SampledValue) msg16.SampledValue {
	m := msg16.SampledValue{
		Value:     rpc.Milli(s.Value).String(),
		Context:   msg16.ReadingContext(s.Context.String()),
		Measurand: msg16.Measurand(s.Measurand.String()),
		Phase:     msg16.Phase(s.Phase.String()),
	}
	if s.Location != term.LocationOutlet {
		m.Location = msg16.Location(s.Location.String())
	}
	if s.Measurand != term.Frequency {
		m.Unit = msg16.UnitOfMeasure(s.Measurand.Unit())
	}
	return m
}

// appendSigned appends what the meter signed of the register among the values, behind the register itself: a CSMS that does not
// know the format still has that. Its value is the SignedMeterValueType of 2.x (signed meter values 1.0, 3.2.1).
func appendSigned(dst []msg16.SampledValue, samples []term.SampledValue, r *term.SignedMeterValue) []msg16.SampledValue {
	i := slices.IndexFunc(samples, func(s term.SampledValue) bool { return s.Measurand == term.EnergyActiveImportRegister })
	if i < 0 {
		return dst
	}
	v := sampledValue(samples[i])
	text := rpc.AppendString([]byte(`{"signedMeterData":`), base64.StdEncoding.EncodeToString(r.Data))
	text = rpc.AppendString(append(text, `,"signingMethod":`...), r.SigningMethod)
	text = rpc.AppendString(append(text, `,"encodingMethod":`...), r.EncodingMethod)
	text = rpc.AppendString(append(text, `,"publicKey":`...), term.OCAPublicKey(r.PublicKey))
	v.Value, v.Format = string(append(text, '}')), msg16.ValueFormatSignedData
	return append(dst, v)
}

// wattHours tells a register as the whole watt-hours that it has passed. Rounded down each time, the end of one
// transaction is the begin of the next.
func wattHours(e unit.Energy) int { return int(e / unit.WattHour) }
