package slot

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/evsed/evsed/storage/slot/image"
)

// Tries is how often a trial is started before what was good comes back: enough for two power cuts, too few for a loop.
const Tries = 3

// maxHistory bounds the history of a station's firmware.
const maxHistory = 16

// maxWhy bounds a reason, in bytes.
const maxWhy = 160

// state is what the launcher decides by.
type state struct {
	Active   Name      `json:"active"`          // what starts; "" or factory: the binary outside
	Trial    Name      `json:"trial,omitempty"` // what starts instead while there are tries
	Tries    int       `json:"tries,omitempty"` // that are left
	Alone    bool      `json:"alone,omitempty"` // there was no CSMS when the trial was decided
	A        mark      `json:"a"`
	B        mark      `json:"b"`
	Highest  uint32    `json:"highest"` // security version that was good
	Returned *returned `json:"returned,omitempty"`
	History  []Entry   `json:"history,omitempty"`
}

// mark is what a slot held when it was activated. It holds the payload's digest, so that no other image takes its place,
// though it be signed.
type mark struct {
	Version  string `json:"version,omitempty"`
	Security uint32 `json:"security,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	Good     bool   `json:"good,omitempty"`
}

// returned is what became of a trial.
type returned struct {
	Version string `json:"version"`
	Code    string `json:"code"`
	Why     string `json:"why"`
}

func markOf(m Manifest) mark {
	return mark{Version: m.Version.String(), Security: m.Security, SHA256: hex.EncodeToString(m.SHA256[:])}
}

// slot returns the mark of a or b.
func (s *state) slot(n Name) *mark {
	if n == B {
		return &s.B
	}
	return &s.A
}

func other(n Name) Name {
	if n == A {
		return B
	}
	return A
}

func (s *state) note(what string, n Name, why string) {
	e := Entry{What: what, Slot: n, Why: clip(why)}
	if n == A || n == B {
		e.Version = s.slot(n).Version
	}
	if len(s.History) > 0 && s.History[len(s.History)-1] == e {
		return // each start finds the same
	}
	s.History = append(s.History, e)
	if len(s.History) > maxHistory {
		s.History = s.History[len(s.History)-maxHistory:]
	}
}

// giveUp ends the trial: what was good starts again.
func (s *state) giveUp(code, why string) {
	s.Returned = &returned{Version: s.slot(s.Trial).Version, Code: code, Why: clip(why)}
	s.note("returned", s.Trial, why)
	s.Trial, s.Tries, s.Alone = "", 0, false
}

// vacate makes what runs the active one instead of n: that was bad, or it would not be written.
func (s *state) vacate(n, running Name) {
	if s.Active == n {
		s.Active = running
	}
}

func clip(s string) string { return s[:min(len(s), maxWhy)] }

func (s *state) clone() state {
	c := *s
	c.History = append([]Entry(nil), s.History...)
	return c
}

func parseState(b []byte) (s state, err error) {
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return state{}, err
	}
	return s, s.check()
}

func (s *state) check() error {
	for _, n := range []Name{s.Active, s.Trial} {
		if n != "" && n != A && n != B && n != Factory {
			return fmt.Errorf("slot %.20q", string(n))
		}
	}
	if s.Trial == Factory || s.Trial != "" && s.Trial == s.Active || s.Tries < 0 || s.Tries > Tries || len(s.History) > maxHistory {
		return errors.New("contradicts itself")
	}
	for _, m := range []mark{s.A, s.B} {
		if m.Version == "" {
			continue
		}
		if _, err := image.ParseVersion(m.Version); err != nil {
			return err
		}
	}
	return nil
}

// book is the state and where it is kept.
type book struct {
	state
	pair    pair
	damaged bool // what was kept cannot be read
}

func openBook(fs Files) (*book, error) {
	b := &book{pair: pair{fs: fs, name: "state"}}
	text, err := b.pair.load()
	switch {
	case errors.Is(err, errDamaged):
		b.damaged = true
		return b, nil
	case err != nil:
		return nil, fmt.Errorf("read the state of the slots: %w", err)
	}
	if b.state, err = parseState(text); err != nil {
		b.state, b.damaged = state{}, true
	}
	return b, nil
}

// change makes a change durable; on an error nothing has changed.
func (b *book) change(f func(*state)) error {
	next := b.state.clone()
	f(&next)
	text, err := json.Marshal(next)
	if err == nil {
		err = b.pair.save(text)
	}
	if err != nil {
		return fmt.Errorf("keep the state of the slots: %w", err)
	}
	b.state, b.damaged = next, false
	return nil
}
