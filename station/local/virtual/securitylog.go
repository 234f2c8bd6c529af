package virtual

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
	"github.com/evsed/evsed/storage/seclog"
)

// securityLog writes the core's security events to their log, in a goroutine of its own: its device may be slow. The log lies
// beside the store and outlives a factory reset: it is evidence of that, too.
type securityLog struct {
	l     *life
	log   *seclog.Log         // nil: it cannot be had
	state station.SecurityLog // as it was found
	queue chan station.LogSecurity
}

const (
	// maxSecurityQueue is more than the core lets wait, so that there is always room.
	maxSecurityQueue = 256
	// retrySecurity is how long the log waits for a device that takes nothing.
	retrySecurity = 30 * time.Second
)

// openSecurityLog opens the log. Without one the station charges all the same, and says so.
func (l *life) openSecurityLog() {
	files := l.s.o.Storage.Files
	if files == nil {
		files = journal.Dir(l.s.o.Dir)
	}
	l.security = securityLog{l: l, queue: make(chan station.LogSecurity, maxSecurityQueue)}
	log, rep, err := seclog.Open(files, seclog.Options{})
	if err != nil {
		l.s.found(err.Error())
		return
	}
	for _, b := range rep.Breaks {
		l.s.found("security log: " + b)
	}
	l.security.log = log
	l.security.state = station.SecurityLog{Kept: true, Last: rep.Last, Breaks: rep.Breaks}
}

// LogSecurity hands over an entry.
func (s *securityLog) LogSecurity(e station.LogSecurity) {
	select {
	case s.queue <- e:
	default: // it is kept by the store, and comes again with the next start
	}
}

// run writes until the life ends. What is left then is kept by the store, and comes again.
func (s *securityLog) run() {
	for {
		select {
		case e := <-s.queue:
			if !s.write(e) {
				return
			}
			if len(s.queue) == 0 {
				_ = s.l.loop.Post(s.l.ctx, station.SecurityLogged{To: e.Number})
			}
		case <-s.l.ctx.Done():
			return
		}
	}
}

// write makes an entry durable, however long it takes; false: the life is over.
func (s *securityLog) write(e station.LogSecurity) bool {
	for told := false; ; {
		err := s.log.Append(e)
		if err == nil {
			return true
		}
		if !told {
			told = true
			s.l.s.found(fmt.Sprintf("security log: %v; tried again every %s", err, retrySecurity))
		}
		select {
		case <-time.After(s.l.s.clock.Real(retrySecurity)):
		case <-s.l.ctx.Done():
			return false
		}
	}
}

func (s *securityLog) close() {
	if s.log != nil {
		_ = s.log.Close() // everything in it is durable
	}
}
