package reserve

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/station/term"
)

// CodeOtherToken says why a token may not use an EVSE: it is held back for another one. Stable.
const CodeOtherToken = "RESERVE-OTHER-TOKEN"

// Reservation is one promise, as kept over a power cut. Its JSON form is the record on flash: fields may be added, never
// renamed.
type Reservation struct {
	ID     int          `json:"id"`
	Seq    int          `json:"seq"`            // the order in which they were made
	EVSE   term.EVSEID  `json:"evse,omitempty"` // 0: any
	Type   string       `json:"type,omitempty"` // of the connector; "": any
	Expiry time.Time    `json:"expiry"`         // wall time
	Token  term.IdToken `json:"token"`
	Group  term.IdToken `json:"group,omitzero"`
}

// For reports whether a driver may use the reservation: the token is the reserved one (H03.FR.01-03), or one of the
// groups that it is known to belong to is the reserved one (H03.FR.04-06).
func (r *Reservation) For(token term.IdToken, groups ...term.IdToken) bool {
	if r.Token.Equal(token) {
		return true
	}
	return !r.Group.IsZero() && slices.ContainsFunc(groups, r.Group.Equal)
}

// Expired reports whether the reservation has come to its end (H04).
func (r *Reservation) Expired(wall time.Time) bool { return !wall.Before(r.Expiry) }

// Want is what the reservation claims.
func (r *Reservation) Want() Want { return Want{EVSE: r.EVSE, Type: r.Type} }

// Marshal returns the record value of r.
func (r *Reservation) Marshal() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("reserve: " + err.Error()) // plain data only
	}
	return b
}

// Unmarshal reads a record value.
func Unmarshal(b []byte) (Reservation, error) {
	var r Reservation
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read reservation record: %w", err)
	}
	if r.Seq < 0 || r.EVSE < 0 || r.Token.IsZero() || r.Expiry.IsZero() {
		return r, fmt.Errorf("read reservation record: id %d, number %d, evse %d", r.ID, r.Seq, r.EVSE)
	}
	return r, nil
}

// List holds reservations in the order in which they were made. The zero List is empty.
type List struct{ rs []Reservation }

// Len is how many there are.
func (l *List) Len() int { return len(l.rs) }

// All returns the reservations, oldest first. They may be read until the next change.
func (l *List) All() []Reservation { return l.rs }

// Get returns the reservation with an id, nil where there is none.
func (l *List) Get(id int) *Reservation {
	for i := range l.rs {
		if l.rs[i].ID == id {
			return &l.rs[i]
		}
	}
	return nil
}

// Add makes a reservation, the newest of all, in the place of one with the same id (H01.FR.02), and returns it as it is kept.
func (l *List) Add(r Reservation) Reservation {
	l.Remove(r.ID)
	r.Seq = 1
	if n := len(l.rs); n > 0 {
		r.Seq = l.rs[n-1].Seq + 1
	}
	l.rs = append(l.rs, r)
	return r
}

// Restore puts back a reservation that was kept, where its number says.
func (l *List) Restore(r Reservation) {
	l.Remove(r.ID)
	i, _ := slices.BinarySearchFunc(l.rs, r, func(a, b Reservation) int {
		if a.Seq != b.Seq {
			return a.Seq - b.Seq
		}
		return a.ID - b.ID
	})
	l.rs = slices.Insert(l.rs, i, r)
}

// Remove takes a reservation out and returns it.
func (l *List) Remove(id int) (Reservation, bool) {
	for i := range l.rs {
		if l.rs[i].ID == id {
			r := l.rs[i]
			l.rs = slices.Delete(l.rs, i, i+1)
			return r, true
		}
	}
	return Reservation{}, false
}

// Next is when the next reservation expires, wall time; zero where there is none.
func (l *List) Next() time.Time {
	var next time.Time
	for i := range l.rs {
		if t := l.rs[i].Expiry; next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}
