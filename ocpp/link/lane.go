package link

import (
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/station"
)

// Bounds of the queues.
const (
	// MaxNow bounds the Now reports that wait: the parts of a full inventory fit. The one that comes too many is the
	// one that is told Unanswered, because the others are nearer to their turn.
	MaxNow = 256

	// MaxSlots bounds the slots of Latest reports that wait: every connector of a large station has one. When it is
	// passed, the report that has waited longest is given up.
	MaxSlots = 256

	// MaxOvertakes is how often in a row a lane may be overtaken while it has something to send.
	MaxOvertakes = 4
)

// lane is one of the queues that share the connection, in the order of their rights.
type lane uint8

const (
	laneNow lane = iota
	laneLatest
	laneKept
	lanes
)

// job is a report on its way. It becomes calls when it is sent over a connection, which knows the dialect.
type job struct {
	report station.Report
	lane   lane
	since  time.Time // when a Now report was handed in
	calls  []ocpp.Call
	next   int // calls that were answered

	prelude    bool       // told before the head of the outbox, and no entry of it
	generation generation // of a prelude
}

func (j *job) boot() bool {
	_, ok := j.report.Body.(station.BootNotification)
	return ok
}

// fifo holds Now reports in their order.
type fifo struct{ jobs []*job }

func (q *fifo) len() int    { return len(q.jobs) }
func (q *fifo) push(j *job) { q.jobs = append(q.jobs, j) }

func (q *fifo) shift() *job {
	if len(q.jobs) == 0 {
		return nil
	}
	return q.takeAt(0)
}

func (q *fifo) takeAt(i int) *job {
	j := q.jobs[i]
	copy(q.jobs[i:], q.jobs[i+1:])
	q.jobs[len(q.jobs)-1] = nil
	q.jobs = q.jobs[:len(q.jobs)-1]
	return j
}

// find returns the index of the first job that passes, or -1.
func (q *fifo) find(pass func(*job) bool) int {
	for i, j := range q.jobs {
		if pass(j) {
			return i
		}
	}
	return -1
}

// remove takes out every job that passes.
func (q *fifo) remove(pass func(*job) bool) []*job {
	var gone []*job
	for i := q.find(pass); i >= 0; i = q.find(pass) {
		gone = append(gone, q.takeAt(i))
	}
	return gone
}

// slots holds Latest reports: the newest of each slot, in the order in which the slots began to wait.
type slots struct{ fifo }

// put queues j and forgets the older report of its slot, whose place it takes.
func (s *slots) put(j *job) {
	if i := s.slot(j.report.Slot); i >= 0 {
		j.report = j.report.Instead(s.jobs[i].report)
		s.jobs[i] = j
		return
	}
	s.push(j)
}

// putBack queues a report that could not be delivered, first in line, unless its slot has a newer one.
func (s *slots) putBack(j *job) {
	if i := s.slot(j.report.Slot); i >= 0 {
		s.jobs[i].report = s.jobs[i].report.Instead(j.report)
		return
	}
	j.calls, j.next = nil, 0
	s.jobs = append([]*job{j}, s.jobs...)
}

func (s *slots) slot(name string) int {
	return s.find(func(j *job) bool { return j.report.Slot == name })
}

func (e *Engine) sendNow(now time.Time, r station.Report) {
	j := &job{report: r, lane: laneNow, since: now}
	switch {
	case !e.open, e.closing, e.gate == station.RegistrationRejected && !j.boot():
		e.reply(j, station.Unanswered{})
	case e.now.len() >= MaxNow:
		e.stats.Dropped++
		e.reply(j, station.Unanswered{})
	default:
		e.now.push(j)
	}
}

func (e *Engine) sendLatest(r station.Report) {
	e.latest.put(&job{report: r, lane: laneLatest})
	if e.latest.len() > MaxSlots {
		e.stats.Dropped++
		e.reply(e.latest.shift(), station.Unanswered{})
	}
}

// may tells whether the registration lets j leave.
func (e *Engine) may(j *job) bool {
	switch {
	case j.boot(), e.gate == station.RegistrationAccepted:
		return true
	case e.gate == station.RegistrationRejected: // B03.FR.02
		return false
	}
	return j.report.Early // B02.FR.02
}

// pick takes the next report to send, or returns nil when there is none.
func (e *Engine) pick(now time.Time) *job {
	if i := e.now.find((*job).boot); i >= 0 {
		return e.now.takeAt(i)
	}
	first, second := e.now.find(e.may), e.latest.find(e.may)
	ready := [lanes]bool{first >= 0, second >= 0, e.keptReady(now)}
	switch e.turn(ready) {
	case laneNow:
		return e.now.takeAt(first)
	case laneLatest:
		return e.latest.takeAt(second)
	case laneKept:
		return e.backlog.turn()
	}
	return nil
}

// turn chooses among the lanes that are ready: the first, or one that has been overtaken often enough. The last lane
// is looked at first, so that the wait of each is bounded by the turns of the others.
func (e *Engine) turn(ready [lanes]bool) lane {
	choice := lanes
	for l := laneNow; l < lanes; l++ {
		if ready[l] {
			choice = l
			break
		}
	}
	for l := laneKept; l > laneNow; l-- {
		if ready[l] && e.passed[l] >= MaxOvertakes {
			choice = l
			break
		}
	}
	for l := laneNow; l < lanes; l++ {
		if ready[l] && l != choice {
			e.passed[l]++
		} else {
			e.passed[l] = 0
		}
	}
	return choice
}

// heldUntil returns when a Now report has waited long enough for the registration: as long as an answer is waited for.
func (e *Engine) heldUntil(j *job) time.Time {
	since := j.since
	if e.gateSince.After(since) {
		since = e.gateSince
	}
	return since.Add(e.cfg.MessageTimeout)
}

func (e *Engine) heldDeadline() time.Time {
	var d earliest
	for _, j := range e.now.jobs {
		if !e.may(j) {
			d.add(e.heldUntil(j))
		}
	}
	return d.t
}

func (e *Engine) expireHeld(now time.Time) {
	expired := func(j *job) bool { return !e.may(j) && !e.heldUntil(j).After(now) }
	for _, j := range e.now.remove(expired) {
		e.reply(j, station.Unanswered{})
	}
}
