package stationtest

import (
	"slices"
	"time"

	"github.com/evsed/evsed/station"
)

// link carries reports to the CSMS, one at a time, under the registration rules. What waits and what is lost is as the
// station's real link has it: Now reports are answered or given up, Latest ones wait, kept ones come from the store.
type link struct {
	up      bool
	gate    station.Registration
	now     []station.Report
	latest  []latest
	cursor  string // newest outbox key that has left
	flying  *station.Report
	place   station.ReportID // of flying, if it is a Latest one
	root    string           // in which the CSMS' chain ends; "": no TLS
	profile int
	timeout int // number of the newest message timeout
}

const (
	// latency is how long the CSMS takes to answer.
	latency = 100 * time.Millisecond
	// messageTimeout is how long the link waits for an answer.
	messageTimeout = 30 * time.Second
)

// LinkUp opens a connection to the CSMS.
func (b *Bench) LinkUp() {
	if b.Station == nil || b.link.up {
		return
	}
	b.link.up, b.link.root = true, ""
	b.step(station.LinkUp{Slot: 1, SecurityProfile: 1})
}

// redial connects as the last time.
func (b *Bench) redial() {
	if l := &b.link; l.root != "" {
		b.secureLink(l.root, l.profile)
		return
	}
	b.LinkUp()
}

// LinkDown cuts it.
func (b *Bench) LinkDown() {
	if b.Station == nil || !b.link.up {
		return
	}
	l := &b.link
	l.up = false
	if f := l.flying; f != nil && f.Class == station.Now {
		l.now = append([]station.Report{*f}, l.now...)
	} else if f != nil && f.Class == station.Latest {
		l.putLatest(latest{*f, l.place})
	}
	l.flying, l.cursor = nil, "" // what was not answered is sent again
	b.step(station.LinkDown{Why: "test"})
	b.giveUp()
}

// giveUp tells that the Now reports did not go out.
func (b *Bench) giveUp() {
	for len(b.link.now) > 0 && b.Station != nil {
		r := b.link.now[0]
		b.link.now = b.link.now[1:]
		b.reply(r, station.Unanswered{})
	}
}

func (l *link) take(b *Bench, r station.Report) {
	switch r.Class {
	case station.Now:
		l.now = append(l.now, r)
		if !l.up {
			b.later(0, b.giveUp)
		}
	case station.Latest:
		l.putLatest(latest{r, r.ID})
	}
}

// latest is a Latest report that waits, in the place of the one that told its news first.
type latest struct {
	station.Report
	place station.ReportID
}

// putLatest lets a report wait, in the place of an older one of its slot.
func (l *link) putLatest(r latest) {
	i := slices.IndexFunc(l.latest, func(o latest) bool { return o.Slot == r.Slot })
	switch {
	case i < 0:
		l.latest = append(l.latest, r)
	case l.latest[i].ID < r.ID:
		if !l.news(r.Report) {
			r.place = l.latest[i].place
		}
		r.Report = r.Instead(l.latest[i].Report)
		l.latest[i] = r
	default:
		if !l.news(l.latest[i].Report) {
			l.latest[i].place = r.place
		}
		l.latest[i].Report = l.latest[i].Instead(r.Report)
	}
}

// pump sends the next report if the line is free.
func (l *link) pump(b *Bench) {
	if b.Station == nil || !l.up || l.flying != nil {
		return
	}
	r, ok := l.choose(b)
	if !ok {
		return
	}
	l.flying = &r
	l.timeout++
	n := l.timeout
	if !l.news(r) {
		b.later(0, func() { l.answered(b, n, station.Untold{}) })
		return
	}
	if answer := b.csms.answer(b, r); answer != nil {
		b.later(latency, func() { l.answered(b, n, answer) })
	}
	b.later(messageTimeout, func() {
		if l.flying != nil && l.timeout == n {
			l.answered(b, n, station.Unanswered{})
		}
	})
}

// news reports whether a report becomes a message: the CSMS of this world speaks 2.x, where the station as a whole has no
// status, and a view with the word that it had says nothing.
func (l *link) news(r station.Report) bool {
	body, ok := r.Body.(station.StatusNotification)
	return !ok || body.Ref.EVSE != 0 && (body.Was.Status == "" || body.Was.Status != body.Status)
}

// answered hands the outcome of the report in flight to the station.
func (l *link) answered(b *Bench, n int, answer station.Reply) {
	if l.flying == nil || l.timeout != n {
		return
	}
	r := *l.flying
	l.flying = nil
	_, silent := answer.(station.Unanswered)
	switch {
	case silent && r.Class == station.Kept: // tried again for ever
		l.cursor = ""
	case silent && r.Class == station.Latest:
		l.putLatest(latest{r, l.place})
	default:
		b.reply(r, answer)
	}
	l.pump(b)
}

func (b *Bench) reply(r station.Report, answer station.Reply) {
	b.step(station.ReplyReceived{ID: r.ID, Class: r.Class, Of: r.Body, Reply: answer})
}

// choose takes the oldest report that may go now: those that are now or never first.
func (l *link) choose(b *Bench) (station.Report, bool) {
	best := -1
	for i, r := range l.now {
		if l.may(r) && (best < 0 || r.ID < l.now[best].ID) {
			best = i
		}
	}
	latest := -1
	for i, r := range l.latest {
		if l.may(r.Report) && (latest < 0 || r.place < l.latest[latest].place) {
			latest = i
		}
	}
	key, value := "", []byte(nil)
	if l.gate == station.RegistrationAccepted {
		key, value = b.store.head(l.cursor)
	}
	switch {
	case best >= 0:
		r := l.now[best]
		l.now = slices.Delete(l.now, best, best+1)
		return r, true
	case latest >= 0 && (key == "" || l.latest[latest].place.Key() < key):
		r := l.latest[latest].Report
		l.place = l.latest[latest].place
		l.latest = slices.Delete(l.latest, latest, latest+1)
		return r, true
	case key != "":
		id, err := station.ParseReportID(key)
		if err != nil {
			panic("stationtest: " + err.Error())
		}
		r, err := station.DecodeReport(id, value)
		if err != nil {
			panic("stationtest: " + err.Error())
		}
		l.cursor = key
		return r, true
	}
	return station.Report{}, false
}

// may reports whether the registration lets a report through.
func (l *link) may(r station.Report) bool {
	if _, boot := r.Body.(station.BootNotification); boot {
		return true
	}
	return l.gate == station.RegistrationAccepted || r.Early && l.gate != station.RegistrationRejected
}
