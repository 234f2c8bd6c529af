package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// notifyReport tells one part of a device-model report (B07, B08).
func notifyReport(b *station.NotifyReport) msg2.Message {
	m := &msg2.NotifyReportRequest{
		RequestID:   b.RequestID,
		GeneratedAt: b.GeneratedAt,
		SeqNo:       b.SeqNo,
		Tbc:         more(b.More),
	}
	for i := range b.Rows {
		m.ReportData = append(m.ReportData, reportData(&b.Rows[i]))
	}
	return m
}

// more is a "to be continued"; absent means no.
func more(tbc bool) rpc.Opt[bool] { return rpc.Opt[bool]{V: true, Has: tbc} }

func reportData(r *model.ReportRow) msg2.ReportData {
	m := msg2.ReportData{
		Component:               component(&r.Component),
		Variable:                variable(&r.Variable),
		VariableCharacteristics: rpc.Some(characteristics(&r.Characteristics)), // B08.FR.12
	}
	for _, a := range r.Attributes {
		m.VariableAttribute = append(m.VariableAttribute, msg2.VariableAttribute{
			Type:       msg2.Attribute(a.Type.String()),
			Value:      rpc.Opt[string]{V: a.Value, Has: a.HasValue},
			Mutability: msg2.Mutability(a.Mutability.String()),
			Persistent: more(a.Persistent),
			Constant:   more(a.Constant),
		})
	}
	return m
}

func characteristics(c *model.Characteristics) msg2.VariableCharacteristics {
	return msg2.VariableCharacteristics{
		DataType:           msg2.Data(c.DataType.String()),
		Unit:               optional(c.Unit),
		MinLimit:           limit(c.MinLimit),
		MaxLimit:           limit(c.MaxLimit),
		MaxElements:        rpc.Opt[int]{V: c.MaxElements, Has: c.MaxElements > 0},
		ValuesList:         optional(c.ValuesList),
		SupportsMonitoring: c.SupportsMonitoring,
	}
}

func limit(l model.Limit) rpc.Opt[rpc.Decimal] {
	return rpc.Opt[rpc.Decimal]{V: rpc.Milli(int64(l.Value)), Has: l.Set}
}

// getReport reads B08. A variable without a name stands for all of its component (B08.FR.20).
func getReport(m *msg2.GetReportRequest) station.Request {
	r := station.GetReport{RequestID: m.RequestID}
	for _, c := range m.ComponentCriteria {
		r.Query.Criteria = append(r.Query.Criteria, model.Criterion(c))
	}
	for i := range m.ComponentVariable {
		cv := &m.ComponentVariable[i]
		r.Query.Variables = append(r.Query.Variables, model.ComponentVariable{
			Component: componentOf(&cv.Component),
			Variable:  variableOf(&cv.Variable.V),
		})
	}
	return r
}
