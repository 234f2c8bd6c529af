package rfid

import "time"

// presence tells cards that were just shown from cards that still lie there.
type presence struct {
	gone time.Duration // how long the field must be empty before the same card counts as shown again
	last sight
	seen time.Time
}

// sight is what was last in the field. Random UIDs are all one: a phone that stays makes up a new one at each look.
type sight struct {
	uid    UID
	random bool
	many   bool // more than one card
	bad    bool // something that could not be read as a card
}

// shown says whether s has just come.
func (p *presence) shown(now time.Time, s sight) bool {
	if s == (sight{}) {
		return false
	}
	same := p.last != (sight{}) && now.Sub(p.seen) < p.gone
	// Of two cards that were refused, the one that is taken away last is not meant either.
	fresh := !same || p.last != s && !p.last.many && !s.bad
	if !fresh {
		s = p.last // a card that was misread once is still the same card
	}
	p.last, p.seen = s, now
	return fresh
}

// look turns a scan into what is in the field.
func look(cards []Card) sight {
	switch {
	case len(cards) == 0:
		return sight{}
	case len(cards) > 1:
		return sight{many: true}
	case cards[0].UID.Random():
		return sight{random: true}
	}
	return sight{uid: cards[0].UID}
}
