package cert

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// wire is an entry on flash. Fields may be added, never renamed.
type wire struct {
	Use    Use      `json:"use"`
	Chain  [][]byte `json:"chain"`
	Key    string   `json:"key,omitempty"`
	State  State    `json:"state,omitempty"`
	Seq    uint64   `json:"seq"`
	Issuer []byte   `json:"issuer"`
}

// maxSeq is the greatest count of installations that is believed.
const maxSeq = 1 << 40

// key is the record's key: the use and the beginning of the sum.
func (e *Entry) key() string {
	sum := e.Sum()
	return string(e.Use) + "/" + hex.EncodeToString(sum[:16])
}

func (e *Entry) marshal() []byte {
	w := wire{Use: e.Use, Key: e.Key, State: e.State, Seq: e.Seq, Issuer: e.issuerKey}
	for _, c := range e.Chain {
		w.Chain = append(w.Chain, c.Raw)
	}
	b, err := json.Marshal(w)
	if err != nil {
		panic("cert: " + err.Error()) // plain data only
	}
	return b
}

// Restore replays a record. Replaying one twice is harmless. An error says that it cannot be used; the store is as it was.
func (s *Store) Restore(key string, value []byte) error {
	e, err := unmarshal(value)
	if err != nil {
		return fmt.Errorf("certificate %s: %w", key, err)
	}
	if e.key() != key { // it could never be deleted
		return fmt.Errorf("certificate %s: it holds %s", key, e.key())
	}
	s.seq = max(s.seq, e.Seq)
	if i := s.find(e.Use, e.Sum()); i >= 0 {
		s.entries[i] = e
		return nil
	}
	at, _ := slices.BinarySearchFunc(s.entries, e.Seq, func(x Entry, seq uint64) int {
		if x.Seq < seq {
			return -1
		}
		return 1
	})
	s.entries = slices.Insert(s.entries, at, e)
	return nil
}

func unmarshal(value []byte) (e Entry, err error) {
	var w wire
	if err := json.Unmarshal(value, &w); err != nil {
		return e, err
	}
	switch {
	case !w.Use.Root() && !w.Use.Own():
		return e, fmt.Errorf("unknown use %q", w.Use)
	case len(w.Chain) == 0 || len(w.Chain) > MaxChain || w.Use.Root() && len(w.Chain) != 1:
		return e, fmt.Errorf("%d certificates in a chain", len(w.Chain))
	case w.Use.Own() == (w.Key == ""):
		return e, fmt.Errorf("key %q of a %s", w.Key, w.Use)
	case w.State != InForce && w.State != Fallback && w.State != Trial || w.State == Fallback && w.Use != CSMSRootCertificate || w.State == Trial && w.Use.Root():
		return e, fmt.Errorf("state %q of a %s", w.State, w.Use)
	case w.Seq == 0 || w.Seq > maxSeq:
		return e, fmt.Errorf("installation number %d", w.Seq)
	}
	e = Entry{Use: w.Use, Key: w.Key, State: w.State, Seq: w.Seq, issuerKey: w.Issuer}
	for _, der := range w.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return e, err
		}
		e.Chain = append(e.Chain, c)
	}
	return e, nil
}
