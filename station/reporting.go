package station

import (
	"slices"
	"time"

	"github.com/evsed/evsed/station/model"
)

// reporting is a device-model report that goes out part by part: the next part leaves when the last was acknowledged,
// so that a report of any size occupies one message.
type reporting struct {
	report ReportID // the part that waits for its acknowledgement
	id     int
	at     time.Time
	seq    int
	cursor model.Cursor
}

const (
	reportRows = 8 // rows of one NotifyReport: with all characteristics below 6 kB
	maxReports = 4 // reports under way at once
)

// getBaseReport (B07).
func (s *Station) getBaseReport(id RequestID, r GetBaseReport) {
	cur, st := s.model.Report(r.Base)
	s.startReport(id, r.RequestID, cur, st)
}

// getReport (B08).
func (s *Station) getReport(id RequestID, r GetReport) {
	cur, st := s.model.Query(r.Query)
	s.startReport(id, r.RequestID, cur, st)
}

func (s *Station) startReport(id RequestID, requestID int, cur model.Cursor, st model.ReportStatus) {
	if st == model.ReportAccepted && len(s.reports) >= maxReports {
		s.answer(id, rejected("InternalError", "too many reports under way"))
		return
	}
	s.answer(id, Status{Status: string(st)})
	if st != model.ReportAccepted {
		return
	}
	s.reports = append(s.reports, reporting{id: requestID, at: s.wall(), cursor: cur})
	s.nextPart(len(s.reports) - 1)
}

// nextPart sends the next part of a report, or forgets the report after the last.
func (s *Station) nextPart(i int) {
	r := &s.reports[i]
	rows := make([]model.ReportRow, reportRows)
	n := r.cursor.Next(rows)
	if n == 0 && r.seq > 0 {
		s.reports = slices.Delete(s.reports, i, i+1)
		return
	}
	for j := range rows[:n] {
		rows[j].Attributes = slices.Clone(rows[j].Attributes)
	}
	r.report = s.report(Now, "", NotifyReport{RequestID: r.id, GeneratedAt: r.at, SeqNo: r.seq, More: r.cursor.More(), Rows: rows[:n]})
	s.early() // B02.FR.02: asked for by the CSMS
	r.seq++
	if !r.cursor.More() {
		s.reports = slices.Delete(s.reports, i, i+1)
	}
}

// partDone goes on with a report whose last part was acknowledged, and gives it up where it was not.
func (s *Station) partDone(id ReportID, ok bool) {
	i := slices.IndexFunc(s.reports, func(r reporting) bool { return r.report == id })
	switch {
	case i < 0:
	case ok:
		s.nextPart(i)
	default:
		s.reports = slices.Delete(s.reports, i, i+1)
	}
}

// forgetReports gives up the reports under way: the connection is gone, and so is whoever asked.
func (s *Station) forgetReports() {
	s.reports = s.reports[:0]
	s.charging.reports = s.charging.reports[:0]
}
