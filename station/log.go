package station

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/diag"
)

// The logs that a CSMS can have (LogEnumType).
const (
	DiagnosticsLog = "DiagnosticsLog" // N01.FR.04
	SecurityLogs   = "SecurityLog"    // N01.FR.03
)

// logNames are they in the names of files.
var logNames = map[string]string{DiagnosticsLog: "-diagnostics-", SecurityLogs: "-security-"}

// LogAddresses and FirmwareAddresses say by which ways files go, to a CSMS that named another one.
const (
	LogAddresses      = "logs go by HTTP and FTP, with or without TLS"
	FirmwareAddresses = "firmware comes by HTTP and FTP, with or without TLS"
)

// Fetchable reports whether a log can be put where a URL points, as far as its scheme goes.
func Fetchable(url string) bool {
	scheme, rest, _ := strings.Cut(url, "://")
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "ftps":
		return rest != ""
	case "sftp":
		return rest != "" && sftp
	}
	return false
}

// getLog (N01).
func (s *Station) getLog(r GetLog) Log {
	switch {
	case logNames[r.LogType] == "" || r.LogType == SecurityLogs && !s.cfg.SecurityLog.Kept: // N01.FR.05
		return Log{Status: rejected("UnsupportedParam", "this station keeps no "+r.LogType)}
	case !Fetchable(r.URL):
		return Log{Status: rejected("InvalidURL", LogAddresses)}
	}
	u := diag.Upload{Asker: diag.Asker{RequestID: r.RequestID, Has: r.HasRequestID}, URL: r.URL, Log: r.LogType, File: s.logFile(r.LogType),
		Oldest: r.Oldest, Latest: r.Latest, Retries: -1, Interval: r.RetryInterval}
	if r.HasRetries {
		u.Retries = r.Retries
	}
	turn, ok := s.uploads.Begin(s.now, u)
	if !ok {
		return Log{Status: rejected("Unspecified", "too many uploads; try later")}
	}
	s.takeUpload(turn)
	l := Log{Status: accepted(), File: u.File} // N01.FR.01
	if len(turn.Notices) > 1 {
		l.Status.Status = string(diag.AcceptedCanceled) // N01.FR.12
	}
	return l
}

// takeUpload carries out what follows for the uploads.
func (s *Station) takeUpload(t diag.Turn) {
	if t.Cancel != 0 {
		s.command(CancelUpload{Number: t.Cancel})
	}
	if t.Start { // N01.FR.02
		u := s.uploads.Current()
		s.command(Upload{Number: u.Number, URL: u.URL, Log: u.Log, File: u.File, Oldest: u.Oldest, Latest: u.Latest})
	}
	for _, n := range t.Notices {
		l := logStatus(n)
		// Each status has a slot of its own: one that waits for the link may not be lost to the next.
		s.report(Latest, logSlot(l), l)
	}
}

func logSlot(l LogStatus) string {
	if !l.HasRequestID {
		return "log//" + l.Status
	}
	return "log/" + strconv.Itoa(l.RequestID) + "/" + l.Status
}

func logStatus(n diag.Notice) LogStatus {
	return LogStatus{Status: string(n.Status), RequestID: n.Asker.RequestID, HasRequestID: n.Asker.Has, Reason: n.Reason}
}

// triggeredLog tells how the upload is, because the CSMS asked (F06.FR.15).
func (s *Station) triggeredLog() {
	l := logStatus(s.uploads.Now())
	l.Triggered = true
	s.report(Now, "", l)
	s.early()
}

func (s *Station) uploadEnded(ev UploadEnded) {
	s.takeUpload(s.uploads.Ended(s.now, ev.Number, diag.Outcome{Status: diag.Status(ev.Status), Reason: ev.Reason}))
}

func (s *Station) uploadTimers() { s.takeUpload(s.uploads.Due(s.now)) }

// logFile names a log: whose it is, which, and of when.
func (s *Station) logFile(kind string) string {
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune(safeInFile, c) {
			return c
		}
		return '_'
	}, s.cfg.Name)
	return name + logNames[kind] + s.wall().UTC().Format("20060102T150405Z") + ".txt"
}

// safeInFile are the characters that mean nothing else in a URL or in any file system.
const safeInFile = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
