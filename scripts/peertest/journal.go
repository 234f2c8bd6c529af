package peertest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Kind is what an entry of the journal tells.
type Kind string

// Kinds of entries.
const (
	Open    Kind = "open"    // a station's WebSocket stands
	Closed  Kind = "closed"  // it is gone
	In      Kind = "in"      // a frame from the station
	Out     Kind = "out"     // a frame to the station
	Finding Kind = "finding" // what the library says is wrong
)

// Entry is one thing that happened at the peer.
type Entry struct {
	Kind    Kind
	Station string
	Version string // "1.6", "2.0.1", "2.1"; in Open
	Frame   string // In, Out
	Text    string // Finding, Closed
}

// Call returns action and payload if the entry is a CALL of the station.
func (e Entry) Call() (action, payload string, ok bool) {
	f := parseFrame(e.Frame)
	return f.action, f.payload, e.Kind == In && f.typ == 2
}

func (e Entry) String() string {
	return fmt.Sprintf("%-7s %s %s%s%s", e.Kind, e.Station, e.Version, e.Frame, e.Text)
}

// Journal is what a peer saw, in order. It may be used by any goroutine.
type Journal struct {
	mu      sync.Mutex // guards entries and changed
	entries []Entry
	changed chan struct{} // closed and renewed with every entry
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{changed: make(chan struct{})} }

// Put appends an entry.
func (j *Journal) Put(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	close(j.changed)
	j.changed = make(chan struct{})
}

// Len counts the entries: a place in the journal to wait from.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// From returns the entries from a place on.
func (j *Journal) From(place int) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Entry(nil), j.entries[place:]...)
}

// Await returns the first entry from place on that is wanted, and the place behind it; ok is false when there is none in
// time.
func (j *Journal) Await(place int, patience time.Duration, wanted func(Entry) bool) (e Entry, next int, ok bool) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		j.mu.Lock()
		for ; place < len(j.entries); place++ {
			if e := j.entries[place]; wanted(e) {
				j.mu.Unlock()
				return e, place + 1, true
			}
		}
		changed := j.changed
		j.mu.Unlock()
		select {
		case <-changed:
		case <-timeout.C:
			return Entry{}, place, false
		}
	}
}

// Findings returns what the library found wrong.
func (j *Journal) Findings() []string {
	var out []string
	for _, e := range j.From(0) {
		if e.Kind == Finding {
			out = append(out, e.Text)
		}
	}
	return out
}

// String prints the journal, one line an entry.
func (j *Journal) String() string {
	var b strings.Builder
	for _, e := range j.From(0) {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// frame is what a test needs of an OCPP-J frame.
type frame struct {
	typ     int // 0: not readable
	id      string
	action  string // CALL
	payload string // CALL, CALLRESULT
	code    string // CALLERROR
	text    string // CALLERROR: description
}

func parseFrame(text string) (f frame) {
	var parts []json.RawMessage
	if json.Unmarshal([]byte(text), &parts) != nil || len(parts) < 3 || json.Unmarshal(parts[1], &f.id) != nil {
		return frame{}
	}
	if json.Unmarshal(parts[0], &f.typ) != nil {
		return frame{}
	}
	switch {
	case f.typ == 2 && len(parts) == 4:
		_ = json.Unmarshal(parts[2], &f.action)
		f.payload = string(parts[3])
	case f.typ == 3:
		f.payload = string(parts[2])
	case f.typ == 4 && len(parts) == 5:
		_ = json.Unmarshal(parts[2], &f.code)
		_ = json.Unmarshal(parts[3], &f.text)
	}
	return f
}
