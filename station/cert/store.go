package cert

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"
)

// State says how far a certificate is in force.
type State string

// States. A root is in force or the fallback of a newer one; an own certificate is in force or on trial.
const (
	InForce  State = ""
	Fallback State = "fallback" // serves until the newer root has served (M05.FR.12)
	Trial    State = "trial"    // shown to the CSMS, not yet accepted by it (A02.FR.08)
)

// Remark says in words for people what a state is.
func (s State) Remark() string {
	switch s {
	case Fallback:
		return " (fallback)"
	case Trial:
		return " (on trial)"
	}
	return ""
}

// Entry is a root, or an own certificate with its sub-CAs, leaf first.
type Entry struct {
	Use       Use
	Chain     []*x509.Certificate
	Key       string // the name of the private key; "" for a root
	State     State
	Seq       uint64 // grows with every installation
	issuerKey []byte // key bits of who signed the last certificate of Chain
}

// Sum names the entry by its first certificate.
func (e *Entry) Sum() Sum { return SumOf(e.Chain[0].Raw) }

// Change is what follows from a change of the store: a record to be written, or deleted where Value is nil, and the name of a
// private key that nobody needs any more, "" for none.
type Change struct {
	Key     string
	Value   []byte
	DropKey string
}

// Store holds the certificates. The zero value is empty; Max must be set.
type Store struct {
	Max     int // certificates, those of chains counted
	entries []Entry
	seq     uint64
	proven  Sum // the CSMS root in which the chain of the last connection ended
}

// Len is how many certificates are installed, those of chains counted.
func (s *Store) Len() int {
	n := 0
	for i := range s.entries {
		n += len(s.entries[i].Chain)
	}
	return n
}

// Terms are what an installation goes by.
type Terms struct {
	Now    time.Time // wall time; zero: the clock is not set
	Strict bool      // AdditionalRootCertificateCheck
}

// Install takes a root (M05). One that is installed already stays as it is (M05.FR.17).
func (s *Store) Install(u Use, c *x509.Certificate, t Terms) ([]Change, *Refusal) {
	if s.find(u, SumOf(c.Raw)) >= 0 {
		return nil, nil
	}
	if wrong := s.checkRoot(u, c, t.Now); wrong != nil {
		return nil, wrong
	}
	key, err := keyBits(s.issuerOf(u, c))
	if err != nil {
		return nil, refuse("InvalidCertificate", "%v", err)
	}
	before, out := Sum{}, []Sum(nil)
	if t.Strict && u == CSMSRootCertificate {
		var wrong *Refusal
		if before, out, wrong = s.succession(c); wrong != nil {
			return nil, wrong
		}
	}
	if s.Len()-len(out) >= s.Max { // M05.FR.06
		return nil, refuse("OutOfStorage", "%d certificates are installed, which is the limit", s.Max)
	}
	var cs []Change
	for _, sum := range out {
		cs = append(cs, s.remove(s.find(u, sum)))
	}
	if i := s.find(u, before); i >= 0 {
		s.entries[i].State = Fallback
		cs = append(cs, s.change(i))
	}
	return append(cs, s.add(Entry{Use: u, Chain: []*x509.Certificate{c}, issuerKey: key})), nil
}

// succession names the CSMS root that c follows, which must have signed it and stays as its fallback, and those that go: a
// successor that has not served yet is replaced, so that there are never more than two (M05.FR.09-12).
func (s *Store) succession(c *x509.Certificate) (before Sum, out []Sum, wrong *Refusal) {
	var served *Entry
	for i := range s.entries {
		if e := &s.entries[i]; e.Use == CSMSRootCertificate && (served == nil || s.rank(e) > s.rank(served) || s.rank(e) == s.rank(served) && e.Seq > served.Seq) {
			served = e
		}
	}
	if served == nil {
		return before, nil, nil
	}
	if !signedBy(c, served.Chain[0]) { // M05.FR.11
		return before, nil, refuse("InvalidCertificate", "not signed by the CSMS root that it replaces")
	}
	before = served.Sum()
	for i := range s.entries {
		if e := &s.entries[i]; e.Use == CSMSRootCertificate && e.Sum() != before {
			out = append(out, e.Sum())
		}
	}
	return before, out, nil
}

// rank orders CSMS roots by how sure it is that they serve.
func (s *Store) rank(e *Entry) int {
	switch {
	case e.State == Fallback:
		return 2
	case e.Sum() == s.proven:
		return 1
	}
	return 0
}

// Adopt takes an own chain whose path CheckOwn has verified, signed by issuer, for the key of that name. On trial the one in
// force stays beside it, else it takes its place; an older one on trial goes either way.
func (s *Store) Adopt(u Use, chain []*x509.Certificate, issuer *x509.Certificate, key string, trial bool) ([]Change, *Refusal) {
	bits, err := keyBits(issuer)
	if err != nil {
		return nil, refuse("InvalidCertificate", "%v", err)
	}
	over := 0
	for i := range s.entries {
		if e := &s.entries[i]; e.Use == u && (e.State == Trial || !trial) {
			over += len(e.Chain)
		}
	}
	if s.Len()-over+len(chain) > s.Max {
		return nil, refuse("OutOfStorage", "%d certificates at most", s.Max)
	}
	cs := s.removeOwn(u, func(e *Entry) bool { return e.State == Trial || !trial }, key)
	e := Entry{Use: u, Chain: chain, Key: key, issuerKey: bits}
	if trial {
		e.State = Trial
	}
	return append(cs, s.add(e)), nil
}

// removeOwn removes own certificates of a use, but keeps the key of that name.
func (s *Store) removeOwn(u Use, which func(*Entry) bool, keep string) []Change {
	var cs []Change
	for i := len(s.entries) - 1; i >= 0; i-- {
		if e := &s.entries[i]; e.Use == u && which(e) {
			c := s.remove(i)
			if c.DropKey == keep {
				c.DropKey = ""
			}
			cs = append(cs, c)
		}
	}
	return cs
}

// Settle ends the trial of an own certificate: the one that served is in force, the other goes (A02.FR.10 of 2.1: a CSMS
// could not manage two).
func (s *Store) Settle(u Use, served Sum) []Change {
	i := s.find(u, served)
	if i < 0 {
		return nil
	}
	key := s.entries[i].Key
	cs := s.removeOwn(u, func(e *Entry) bool { return e.Sum() != served }, key)
	i = s.find(u, served)
	if len(cs) == 0 && s.entries[i].State == InForce {
		return nil
	}
	s.entries[i].State = InForce
	return append(cs, s.change(i))
}

// RootServed notes that the CSMS' certificate was verified with a root: the fallback of that root goes (M05.FR.13). Where the
// fallback itself served, both stay (M05.FR.14).
func (s *Store) RootServed(served Sum) []Change {
	i := s.find(CSMSRootCertificate, served)
	if i < 0 || s.entries[i].State == Fallback {
		return nil
	}
	s.proven = served
	var cs []Change
	for i := len(s.entries) - 1; i >= 0; i-- {
		if e := &s.entries[i]; e.Use == CSMSRootCertificate && e.State == Fallback {
			cs = append(cs, s.remove(i))
		}
	}
	return cs
}

// Roots returns the DER of the roots of a use that count, newest first, a fallback last.
func (s *Store) Roots(u Use) [][]byte {
	var ders [][]byte
	for _, c := range s.roots(u) {
		ders = append(ders, c.Raw)
	}
	return ders
}

func (s *Store) roots(u Use) []*x509.Certificate {
	var found []*Entry
	for i := range s.entries {
		if s.entries[i].Use == u && u.Root() {
			found = append(found, &s.entries[i])
		}
	}
	slices.SortFunc(found, func(a, b *Entry) int {
		if a.State != b.State {
			return cmp.Compare(string(a.State), string(b.State)) // "" first
		}
		return cmp.Compare(b.Seq, a.Seq)
	})
	certs := make([]*x509.Certificate, 0, len(found))
	for _, e := range found {
		certs = append(certs, e.Chain[0])
	}
	return certs
}

// Own returns the newest own entry of a use in a state; nil: there is none. It is valid until the store changes.
func (s *Store) Own(u Use, st State) *Entry {
	var e *Entry
	for i := range s.entries {
		if x := &s.entries[i]; x.Use == u && u.Own() && x.State == st && (e == nil || x.Seq > e.Seq) {
			e = x
		}
	}
	return e
}

// Holds reports whether a key belongs to an installed certificate.
func (s *Store) Holds(key string) bool {
	return slices.ContainsFunc(s.entries, func(e Entry) bool { return e.Key == key })
}

func (s *Store) find(u Use, sum Sum) int {
	return slices.IndexFunc(s.entries, func(e Entry) bool { return e.Use == u && e.Sum() == sum })
}

// add installs an entry as the newest.
func (s *Store) add(e Entry) Change {
	s.seq++
	e.Seq = s.seq
	s.entries = append(s.entries, e)
	return s.change(len(s.entries) - 1)
}

func (s *Store) change(i int) Change {
	return Change{Key: s.entries[i].key(), Value: s.entries[i].marshal()}
}

func (s *Store) remove(i int) Change {
	c := Change{Key: s.entries[i].key(), DropKey: s.entries[i].Key}
	s.entries = slices.Delete(s.entries, i, i+1)
	return c
}
