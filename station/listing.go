package station

import "github.com/evsed/evsed/station/model"

// maxListing bounds the rows of one answer; the table of variables is far smaller.
const maxListing = 10_000

// listVariables answers with everything that the query names and a CSMS may see, at once.
func (s *Station) listVariables(r ListVariables) Inventory {
	cur, status := s.model.Query(r.Query)
	if status != model.ReportAccepted {
		return Inventory{}
	}
	return Inventory{Rows: rowsOf(cur)}
}

// inventory lists variables for the fitter.
func (s *Station) inventory(r GetInventory) Inventory {
	return Inventory{Rows: rowsOf(s.model.Inventory(r.Component, r.Variable))}
}

// rowsOf reads a cursor to its end; each row keeps attributes of its own.
func rowsOf(cur model.Cursor) []model.ReportRow {
	var rows []model.ReportRow
	var buf [32]model.ReportRow
	for len(rows) < maxListing {
		n := cur.Next(buf[:])
		if n == 0 {
			break
		}
		for _, row := range buf[:n] {
			row.Attributes = append([]model.AttributeValue(nil), row.Attributes...)
			rows = append(rows, row)
		}
	}
	return rows
}
