package station

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SecurityLog is what is known of the security log when the station starts. The log itself is a file of its own: the core
// numbers its entries and remembers how far it goes, so that nobody shortens it unnoticed.
type SecurityLog struct {
	Kept   bool     // there is one; without it no event is logged, and GetLog refuses it
	Last   uint64   // number of the last entry in it; 0: it is empty
	Breaks []string // where it cannot be verified, at most MaxBreaks
}

// MaxBreaks bounds the places that are told where the log cannot be verified.
const MaxBreaks = 16

// LogSecurity asks to append an entry to the security log; SecurityLogged answers. An entry whose number is there already is
// there: the command may come twice.
type LogSecurity struct {
	Number uint64        `json:"n"`
	At     time.Time     `json:"t"`           // time of day
	Sure   bool          `json:"s,omitempty"` // somebody who knows had set the clock
	Boot   int           `json:"b"`           // how often the station had started
	Uptime time.Duration `json:"u"`           // since then
	Type   string        `json:"k"`
	Info   string        `json:"i,omitempty"` // at most 255 bytes
}

// SecurityLogged tells that all entries up to To are in the log for good.
type SecurityLogged struct{ To uint64 }

func (LogSecurity) command()  {}
func (SecurityLogged) event() {}

// The log as the store knows it: what is on its way to it, how far it goes, and which of its breaks have been told.
const (
	metaSecurity       = "security/" // and the number of the entry, as ReportID.Key
	metaSecurityLogged = "securityLogged"
	metaSecurityBreaks = "securityBreaks"
)

// maxUnlogged bounds the entries that wait for the log. What comes while its device takes nothing for that long is missing in
// it, which its numbers tell.
const maxUnlogged = 64

// security is what the station knows of its security events.
type security struct {
	rates  [len(securityKinds)]rate
	last   uint64        // number of the newest entry
	logged uint64        // number of the newest one that was in the log, as far as the store knows
	wait   []LogSecurity // on their way, in the order of their numbers
	told   []string      // breaks of the log that have been told
}

// logSecurity puts an event into the log. Its record lies in the batch of what the event does, so that no cut of power
// leaves the one without the other; the log's own write follows behind it.
func (s *Station) logSecurity(ev SecurityEvent) {
	if !s.cfg.SecurityLog.Kept {
		return
	}
	s.security.last++
	if len(s.security.wait) >= maxUnlogged {
		return
	}
	e := LogSecurity{Number: s.security.last, At: ev.At, Sure: s.clock.known, Boot: s.boot.boots, Uptime: s.now.Sub(s.started).Truncate(time.Millisecond),
		Type: ev.Type, Info: ev.Info}
	s.security.wait = append(s.security.wait, e)
	s.record(BucketMeta, metaSecurity+ReportID(e.Number).Key(), appendJSON(nil, e))
	s.command(e)
}

// securityLogged forgets what has arrived.
func (s *Station) securityLogged(ev SecurityLogged) {
	for len(s.security.wait) > 0 && s.security.wait[0].Number <= ev.To {
		s.record(BucketMeta, metaSecurity+ReportID(s.security.wait[0].Number).Key(), nil)
		s.security.wait = slices.Delete(s.security.wait, 0, 1)
	}
	if ev.To > s.security.logged {
		s.security.logged = ev.To
		s.record(BucketMeta, metaSecurityLogged, strconv.AppendUint(nil, ev.To, 10))
	}
}

// restoreSecurity takes back what the store knows of the log; ok is false for a key of something else.
func (s *Station) restoreSecurity(key string, value []byte) (ok bool, err error) {
	switch {
	case strings.HasPrefix(key, metaSecurity):
		var e LogSecurity
		if err := json.Unmarshal(value, &e); err != nil {
			return true, fmt.Errorf("entry of the security log: %w", err)
		}
		if len(s.security.wait) < maxUnlogged {
			s.security.wait = append(s.security.wait, e)
		}
	case key == metaSecurityLogged:
		s.security.logged, err = strconv.ParseUint(string(value), 10, 64)
	case key == metaSecurityBreaks:
		s.security.told = strings.Split(string(value), "\n")
	default:
		return false, nil
	}
	return true, err
}

// startSecurity goes on where the log ends. One that ends too early, or has places that cannot be verified and were not told
// before, was cleared: by somebody, or by damage.
func (s *Station) startSecurity() {
	log := &s.cfg.SecurityLog
	if !log.Kept {
		return
	}
	sec := &s.security
	slices.SortFunc(sec.wait, func(a, b LogSecurity) int { return int(int64(a.Number) - int64(b.Number)) })
	sec.last = max(log.Last, sec.logged)
	for i := range sec.wait {
		sec.last = max(sec.last, sec.wait[i].Number)
		s.command(sec.wait[i])
	}
	if log.Last < sec.logged {
		s.securityEvent(SecurityLogWasCleared, fmt.Sprintf("ends at %d, was at %d", log.Last, sec.logged))
	}
	s.tellBreaks(log.Breaks)
}

// tellBreaks tells the places of the log that cannot be verified, each once.
func (s *Station) tellBreaks(now []string) {
	now = now[:min(len(now), MaxBreaks)]
	for _, b := range now {
		if !slices.Contains(s.security.told, b) {
			s.securityEvent(SecurityLogWasCleared, b)
		}
	}
	if !slices.Equal(now, s.security.told) {
		s.security.told = slices.Clone(now)
		var value []byte // nil: none
		if len(now) > 0 {
			value = []byte(strings.Join(now, "\n"))
		}
		s.record(BucketMeta, metaSecurityBreaks, value)
	}
}
