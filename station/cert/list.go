package cert

import (
	"slices"
	"time"
)

// List returns what is installed of some uses, of all without any (M03), in the order of Uses, older first. A V2G chain is one
// row with its sub-CAs as children (M03.FR.05); the Charging Station Certificate, which is not managed this way, has no row.
func (s *Store) List(uses []Use) []Listed {
	var rows []Listed
	for _, u := range Uses {
		if u == ChargingStationCertificate || len(uses) > 0 && !slices.Contains(uses, u) {
			continue
		}
		for i := range s.entries {
			if e := &s.entries[i]; e.Use == u {
				rows = append(rows, e.listed())
			}
		}
	}
	return rows
}

// Summary is what a person needs to know of an installed certificate.
type Summary struct {
	Use     Use
	Subject string // its name
	State   State
	From    time.Time
	Until   time.Time // the first time at which a certificate of its chain expires
}

// Summaries tells of everything that is installed, in the order of Uses, older first.
func (s *Store) Summaries() []Summary {
	var all []Summary
	for _, u := range Uses {
		for i := range s.entries {
			e := &s.entries[i]
			if e.Use != u {
				continue
			}
			m := Summary{Use: u, Subject: e.Chain[0].Subject.String(), State: e.State, From: e.Chain[0].NotBefore, Until: e.Chain[0].NotAfter}
			for _, c := range e.Chain[1:] {
				if c.NotAfter.Before(m.Until) {
					m.Until = c.NotAfter
				}
			}
			all = append(all, m)
		}
	}
	return all
}

func (e *Entry) listed() Listed {
	row := Listed{Use: e.Use}
	for i := range e.Chain {
		h := hashOf(e.Chain[i], e.issuerKeyOf(i), defaultHash)
		if i == 0 {
			row.Hash = h
		} else {
			row.Children = append(row.Children, h)
		}
	}
	return row
}

// issuerKeyOf returns the key bits of who signed certificate i of the chain.
func (e *Entry) issuerKeyOf(i int) []byte {
	if i+1 == len(e.Chain) {
		return e.issuerKey
	}
	bits, err := keyBits(e.Chain[i+1])
	if err != nil {
		return nil // x509 has parsed it: not reached
	}
	return bits
}

// Deletion is what became of a Delete.
type Deletion string

// Deletions (DeleteCertificateStatusEnumType).
const (
	Deleted   Deletion = "Accepted"
	Undeleted Deletion = "Failed"
	Unknown   Deletion = "NotFound"
)

// Delete removes the certificate that h names, from every use that has it (M04). A sub-CA takes the V2G certificates below it
// along (M04.FR.08). The Charging Station Certificate cannot be deleted (M04.FR.06), and while needed is true neither can the
// last CSMS root that is known to serve: the station could never connect again (M04.FR.03). Info says why not.
func (s *Store) Delete(h HashData, needed bool) (d Deletion, cs []Change, info string) {
	var hits []int
	for i := range s.entries {
		e := &s.entries[i]
		for j := range e.Chain {
			if !h.matches(e.Chain[j], e.issuerKeyOf(j)) {
				continue
			}
			switch {
			case e.Use == ChargingStationCertificate:
				return Undeleted, nil, "it belongs to the Charging Station Certificate"
			case e.Use == CSMSRootCertificate && needed && s.lastServing(i):
				return Undeleted, nil, "it is the CSMS root that connections rest on"
			}
			hits = append(hits, i)
			break
		}
	}
	if len(hits) == 0 {
		return Unknown, nil, ""
	}
	for i := len(hits) - 1; i >= 0; i-- {
		cs = append(cs, s.remove(hits[i]))
	}
	return Deleted, cs, ""
}

// lastServing reports whether without entry i no CSMS root would be left, or only one that has never served.
func (s *Store) lastServing(i int) bool {
	if s.entries[i].State == Fallback {
		return true
	}
	for j := range s.entries {
		if j != i && s.entries[j].Use == CSMSRootCertificate {
			return false
		}
	}
	return true
}
