package seclog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// exportHeader is the first line of an exported log.
type exportHeader struct {
	Log     string `json:"log"`
	Station string `json:"station"`
	Written string `json:"written"`
	After   uint64 `json:"after"` // number of the entry before the first; 0: none
	Hash    string `json:"hash"`  // of that
}

// exportEnd is its last line.
type exportEnd struct {
	End     uint64   `json:"end"` // number of the last entry
	Entries int      `json:"entries"`
	Hash    string   `json:"hash"`             // of the last entry
	Breaks  []string `json:"breaks,omitempty"` // where the log of the station cannot be verified
}

// omitted stands for an entry that is of another time than was asked for, between others: its hash keeps the chain.
const omitted = `{"n":%d,"omitted":true,"hash":"%s"}` + "\n"

// Export returns the log as text that Verify can check: the entries from oldest to latest by their time; a zero time is no
// bound. now is the time of day.
func (l *Log) Export(name string, now, oldest, latest time.Time) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == nil {
		return nil, ErrClosed
	}
	x := &export{}
	w := l.ring.walk(l.size, func(e line) {
		t := e.time()
		x.take(e, (oldest.IsZero() || !t.Before(oldest)) && (latest.IsZero() || !t.After(latest)))
	})
	if !x.passed { // nothing was before the first entry: it follows the anchor
		x.after, x.prev = w.begin.after, w.begin.prev
	}
	if x.entries == 0 {
		x.last, x.head = x.after, x.prev
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(exportHeader{format, name, now.UTC().Format(stamp), x.after, x.prev.String()}); err != nil {
		return nil, err
	}
	out.Write(x.out.Bytes())
	err := enc.Encode(exportEnd{x.last, x.entries, x.head.String(), w.breaks})
	return out.Bytes(), err
}

// export gathers the entries.
type export struct {
	out     bytes.Buffer
	between bytes.Buffer // omitted entries since the last one that was written
	entries int
	passed  bool   // an entry before the first one that is written was seen
	after   uint64 // the last such entry
	prev    hash
	last    uint64 // the last entry that is written
	head    hash
}

func (x *export) take(e line, wanted bool) {
	switch {
	case wanted:
		x.between.WriteTo(&x.out)
		x.out.Write(e.text)
		x.out.WriteByte('\n')
		x.entries++
		x.last, x.head = e.number, e.sum
	case x.entries > 0:
		fmt.Fprintf(&x.between, omitted, e.number, e.sum)
	default:
		x.passed, x.after, x.prev = true, e.number, e.sum
	}
}
