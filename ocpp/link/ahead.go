package link

import "github.com/evsed/evsed/ocpp"

// unready tells whether there is a kept report that Ahead may make ready.
func (e *Engine) unready() bool {
	b := &e.backlog
	return e.open && !e.closing && b.head != nil && e.flight.job == b.head && b.ready == nil && !b.looked && !(b.dry && len(b.window) == 0)
}

// Ahead makes the kept report behind the one under way ready: it is read, decoded and encoded while the answer is waited for
// anyway, so that it can leave as soon as that is there. Nothing of it can be told from outside; what goes wrong goes wrong
// again, and is told, when it is that report's turn.
func (e *Engine) Ahead() {
	if !e.unready() {
		return
	}
	b := &e.backlog
	b.looked = true
	if len(b.window) == 0 {
		entries, err := b.outbox.Head(b.after, HeadWindow)
		if err != nil || len(entries) == 0 {
			return
		}
		b.window = entries
	}
	r, err := e.decodeEntry(b.window[0])
	if err != nil {
		return
	}
	b.ready = &job{report: r, lane: laneKept}
	if _, ok := e.d.(ocpp.Independent); !ok {
		return
	}
	if calls, err := e.d.Encode(r, e.table); err == nil && len(calls) > 0 {
		b.ready.calls = calls
	}
}
