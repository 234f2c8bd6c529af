package logbook

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

// Facts are what diagnostics tell beside the log. None of them may be a secret.
type Facts struct {
	Version  string // of the program, and what it was built with
	Name     string // of the station
	Identity station.Identity
	Uptime   time.Duration
	State    station.DiagnosticState
	Keys     string // where private keys are, and against whom that helps
	CSMS     string // URL, of the connection or of the last attempt
	Protocol string // agreed; "" without a connection
	Counters []Counter
	Settings []model.ReportRow
}

// Counter is a number with its name.
type Counter struct {
	Name  string
	Value uint64
}

// MaxFacts bounds what stands before the lines, in bytes: a large station has some hundred settings for each EVSE.
const MaxFacts = 256 << 10

// stamp is how times are written.
const stamp = "2006-01-02T15:04:05.000Z"

// Diagnostics writes them as text. The lines are those from oldest to latest, in the time of day; a zero time is no bound. The
// time of day of now, on the clock of the book, is f.State.Clock; a nil book has no lines.
func Diagnostics(f *Facts, b *Book, now, oldest, latest time.Time) []byte {
	var w bytes.Buffer
	f.write(&w)
	if w.Len() > MaxFacts {
		w.Truncate(MaxFacts)
		w.WriteString("\n(the rest is left out)\n")
	}
	w.WriteString("\n[log]\n")
	if b == nil {
		return w.Bytes()
	}
	offset := f.State.Clock.Sub(now)
	onClock := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(-offset)
	}
	lost := b.between(onClock(oldest), onClock(latest), func(at time.Time, text string) {
		fmt.Fprintf(&w, "%s %s\n", at.Add(offset).UTC().Format(stamp), text)
	})
	fmt.Fprintf(&w, "\n%d older lines are gone\n", lost)
	return w.Bytes()
}

func (f *Facts) write(w *bytes.Buffer) {
	s := &f.State
	w.WriteString("[station]\n")
	put := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s: %s\n", name, oneLine(fmt.Sprintf(format, args...)))
	}
	put("version", "%s", f.Version)
	put("station", "%s", f.Name)
	put("vendor", "%s", f.Identity.Vendor)
	put("model", "%s", f.Identity.Model)
	put("serial number", "%s", f.Identity.SerialNumber)
	put("firmware", "%s", f.Identity.FirmwareVersion)
	put("time", "%s", s.Clock.UTC().Format(stamp))
	put("time is set", "%t", s.ClockSet)
	put("uptime", "%s", f.Uptime.Truncate(time.Second))
	put("boots", "%d", s.Boots)
	put("storage", "%s", or(s.Storage, "well"))
	put("keys", "%s", or(f.Keys, "none can be kept"))
	put("faults", "%v", s.Faults)

	w.WriteString("\n[connection]\n")
	put("CSMS", "%s", withoutUser(f.CSMS))
	put("protocol", "%s", or(f.Protocol, "none"))
	put("connected", "%t", s.Connected)
	put("offline for", "%s", s.Offline.Truncate(time.Second))
	put("registration", "%s", or(string(s.Registration), "none"))
	put("network slot", "%d", s.NetworkSlot)
	put("security profile", "%d", s.SecurityProfile)
	for _, c := range f.Counters {
		put(c.Name, "%d", c.Value)
	}
	w.WriteString("\n[certificates]\n")
	for _, c := range s.Certificates {
		put(string(c.Use), "%s%s, from %s until %s", c.Subject, c.State.Remark(), c.From.UTC().Format(stamp), c.Until.UTC().Format(stamp))
	}
	for i := range s.EVSEs {
		writeEVSE(put, w, &s.EVSEs[i])
	}
	w.WriteString("\n[settings]\n")
	for i := range f.Settings {
		writeSetting(w, &f.Settings[i])
	}
}

// writeEVSE tells of an EVSE; who charges is nobody's business.
func writeEVSE(put func(name, format string, args ...any), w *bytes.Buffer, e *station.EVSEState) {
	fmt.Fprintf(w, "\n[evse %d]\n", e.ID)
	put("operative", "%t", e.Operative)
	put("reserved", "%t", e.Reserved)
	put("transaction", "%s", or(string(e.Transaction), "none"))
	put("state", "%s", e.State)
	put("limit", "%v by %s", e.Limit, or(e.LimitBy, "the board"))
	put("register", "%v", e.Energy)
	for _, c := range e.Connectors {
		put(fmt.Sprintf("connector %d", c.ID), "%s %v", c.Status, c.Faults)
	}
}

// writeSetting tells what may be read of a variable.
func writeSetting(w *bytes.Buffer, r *model.ReportRow) {
	for _, a := range r.Attributes {
		if !a.HasValue || a.Mutability == model.WriteOnly || r.Characteristics.DataType == model.TypePassword {
			continue
		}
		kind := ""
		if a.Type != model.Actual {
			kind = " " + a.Type.String()
		}
		fmt.Fprintf(w, "%s.%s%s = %s\n", r.Component, r.Variable, kind, oneLine(a.Value))
	}
}

func or(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// oneLine keeps a value from looking like more than one.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' {
			return ' '
		}
		return c
	}, s)
}

// withoutUser takes the credentials out of a URL.
func withoutUser(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	host, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + host[strings.LastIndex(host, "@")+1:] + "/" + path
}
