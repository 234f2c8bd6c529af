package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Bounds of the event log.
const (
	maxEntries   = 10_000  // the contract's
	maxLogBytes  = 8 << 20 // of their data: whole OCPP messages would take hundreds of megabytes otherwise
	maxEventData = 64 << 10
	maxBatch     = 1000 // events in one answer
)

// entry is one event of the log.
type entry struct {
	Seq       uint64           `json:"seq"`
	T         time.Time        `json:"t"`
	Type      string           `json:"type"`
	EVSE      term.EVSEID      `json:"evse,omitempty"`
	Connector term.ConnectorID `json:"connector,omitempty"`
	Data      json.RawMessage  `json:"data"`
}

// Log is the event log. The nil Log keeps nothing. Its methods may be called from any goroutine, never block, and call
// nobody but the clock.
type Log struct {
	now func() time.Time

	mu      sync.Mutex // everything below
	entries []entry    // oldest first, Seq without a gap
	bytes   int        // of their data
	last    uint64     // Seq of the newest entry ever
	grown   chan struct{}
	told    map[string]string // what an event of change said last, by type and place
}

// NewLog makes a log whose events are stamped by now, the station's wall clock. It is called with the world locked.
func NewLog(now func() time.Time) *Log {
	return &Log{now: now, grown: make(chan struct{}), told: map[string]string{}}
}

// add appends an event.
func (l *Log) add(kind string, ref term.Ref, says any) {
	if l == nil {
		return
	}
	e := l.entry(kind, ref, says)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append(e)
}

// change appends an event unless the last one about the same said the same word. about tells apart what one place says
// at the same time, like its faults.
func (l *Log) change(kind string, ref term.Ref, about, word string, says any) {
	if l == nil {
		return
	}
	e, key := l.entry(kind, ref, says), kind+" "+ref.String()+" "+about
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told[key] != word {
		l.told[key] = word
		l.append(e)
	}
}

func (l *Log) entry(kind string, ref term.Ref, says any) entry {
	raw, err := json.Marshal(says)
	if err != nil {
		panic("sim: " + err.Error()) // plain data only
	}
	if len(raw) > maxEventData {
		raw = fmt.Appendf(nil, `{"droppedBytes":%d}`, len(raw))
	}
	return entry{T: l.now().UTC(), Type: kind, EVSE: ref.EVSE, Connector: ref.Connector, Data: raw}
}

// append adds an entry and lets the oldest go that are too many or too much. The mutex is held.
func (l *Log) append(e entry) {
	l.last++
	e.Seq = l.last
	l.entries, l.bytes = append(l.entries, e), l.bytes+len(e.Data)
	for len(l.entries) > maxEntries || l.bytes > maxLogBytes {
		l.bytes -= len(l.entries[0].Data)
		l.entries[0] = entry{}
		l.entries = l.entries[1:]
	}
	close(l.grown)
	l.grown = make(chan struct{})
}

// batch is what a reader of the log gets.
type batch struct {
	Next   uint64  `json:"next"`
	Lost   uint64  `json:"lost,omitempty"` // events from since on that the log no longer has
	Events []entry `json:"events"`
}

// since returns the events from a sequence number on, and a channel that is closed when there are more. A number that
// the log has not reached comes from an earlier process: it starts over.
func (l *Log) since(seq uint64) (batch, <-chan struct{}) {
	if l == nil {
		return batch{Next: 1, Events: []entry{}}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seq = max(seq, 1)
	if seq > l.last+1 {
		seq = 1
	}
	oldest := l.last + 1 - uint64(len(l.entries))
	b := batch{Events: []entry{}}
	if seq < oldest {
		b.Lost, seq = oldest-seq, oldest
	}
	for ; seq <= l.last && len(b.Events) < maxBatch; seq++ {
		b.Events = append(b.Events, l.entries[seq-oldest])
	}
	b.Next = seq
	return b, l.grown
}

// wait is since, but waits up to the given time for the first event.
func (l *Log) wait(ctx context.Context, seq uint64, wait time.Duration) batch {
	b, grown := l.since(seq)
	if len(b.Events) > 0 || wait <= 0 {
		return b
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-grown:
		case <-timer.C:
			return b
		case <-ctx.Done():
			return b
		}
		if b, grown = l.since(seq); len(b.Events) > 0 {
			return b
		}
	}
}
