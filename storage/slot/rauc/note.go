package rauc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// maxHistory bounds the history of a station's firmware.
const maxHistory = 16

// note is what RAUC does not remember for us.
type note struct {
	// From is the slot from which an update was begun, in which boot, and to which version; "" when none is under way. Done
	// says that RAUC ended it: without it the slot may be half written, and no start tried it.
	From    string `json:"from,omitempty"`
	Boot    string `json:"boot,omitempty"`
	To      string `json:"to,omitempty"`
	Done    bool   `json:"done,omitempty"`
	Alone   bool   `json:"alone,omitempty"`   // there was no CSMS when it began
	Highest string `json:"highest,omitempty"` // version that was good

	ReturnedFrom string       `json:"returnedFrom,omitempty"` // version whose trial failed
	Code         string       `json:"code,omitempty"`
	Why          string       `json:"why,omitempty"`
	History      []slot.Entry `json:"history,omitempty"`
}

func (n *note) tell(what string, at slot.Name, version, why string) {
	e := slot.Entry{What: what, Slot: at, Version: version, Why: why}
	if len(n.History) > 0 && n.History[len(n.History)-1] == e {
		return // each start finds the same
	}
	n.History = append(n.History, e)
	if len(n.History) > maxHistory {
		n.History = n.History[len(n.History)-maxHistory:]
	}
}

// begin notes an update that begins.
func (n *note) begin(b note) {
	n.From, n.Boot, n.To, n.Done, n.Alone = b.From, b.Boot, b.To, false, b.Alone
	n.ReturnedFrom, n.Code, n.Why = "", "", ""
}

// ended forgets what was under way.
func (n *note) ended() { n.From, n.Boot, n.To, n.Done, n.Alone = "", "", "", false, false }

// older says whether a version is below one that was good.
func (n *note) older(version string) bool {
	v, err := image.ParseVersion(version)
	highest, none := image.ParseVersion(n.Highest)
	return err == nil && none == nil && v.Compare(highest) < 0
}

// good remembers a version. One that RAUC does not know, or that has no order, is none.
func (n *note) good(version string) {
	if v, err := image.ParseVersion(version); err == nil && (n.Highest == "" || !n.older(version)) {
		n.Highest = v.String()
	}
}

// maxNote bounds a note, in bytes.
const maxNote = 64 << 10

// load reads a note. One that was never written is empty, and so is one that cannot be read: what is booted still says which
// firmware runs.
func load(name string) (n note, err error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	if len(b) > maxNote || json.Unmarshal(b, &n) != nil || len(n.History) > maxHistory {
		return note{}, nil
	}
	return n, nil
}

// save makes a note durable, or leaves the last one in force.
func (n *note) save(name string) error {
	b, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return replace(name, b)
}

// replace makes b the content of a file: after a power cut it is b or what it was.
func replace(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
