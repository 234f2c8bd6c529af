package schedule

// turn is an occurrence of a plan in the time that is looked at.
type turn struct {
	key              int64 // what a heap is ordered by, least first
	begin, end, from int64
	rank             int64
	plan             int32
}

// lead walks through one stack of profiles and says which one leads: of those that have a period at the moment, the
// one of the highest rank (K01.FR.17). Each occurrence enters and leaves a heap once, so a walk costs
// n log n, not n times the number of changes.
type lead struct {
	plans   []plan
	members []int32
	start   int64 // of floating plans
	frozen  bool  // floating plans stand at their start
	phases  int   // of the supply

	next []turn // those to come, by begin
	now  []turn // those that have begun, by rank; one that is over may still be below the top

	// What leads until the next change; leads is false if nothing does.
	leads bool
	top   turn  // the leader
	i     int   // its period
	limit int64 // per phase, sixths of uW
	lines int8
	line  int8
	until int64
}

// reset begins a walk at t. Nothing at or after horizon is looked at.
func (l *lead) reset(t, horizon int64) {
	l.next, l.now, l.leads = l.next[:0], l.now[:0], false
	for _, m := range l.members {
		if x, ok := l.turn(m, t); ok && x.begin < horizon {
			if x.begin <= t {
				x.key = -x.rank
				l.now = append(l.now, x)
			} else {
				l.next = append(l.next, x)
			}
		}
	}
	heapify(l.next)
	heapify(l.now)
	l.seek(t, horizon)
}

func (l *lead) turn(m int32, t int64) (turn, bool) {
	a := &l.plans[m]
	start := a.start
	if a.floating {
		if l.frozen {
			return turn{key: max(t, a.from), begin: max(t, a.from), end: a.to, from: forever, rank: a.rank | int64(m), plan: m}, t < a.to
		}
		start = l.start
	}
	begin, end, from, ok := a.occurrence(start, t)
	return turn{key: begin, begin: begin, end: end, from: from, rank: a.rank | int64(m), plan: m}, ok
}

// seek goes to t, which is not before where the walk is.
func (l *lead) seek(t, horizon int64) {
	if l.leads && t < l.top.end && (len(l.next) == 0 || l.next[0].begin > t) {
		l.follow(t)
		return
	}
	l.enter(t)
	for len(l.now) > 0 && l.now[0].end <= t {
		x := pop(&l.now)
		if y, ok := l.turn(x.plan, t); ok && y.begin < horizon {
			push(&l.next, y)
			l.enter(t)
		}
	}
	l.leads, l.until = len(l.now) > 0, forever
	if l.leads {
		l.top, l.i = l.now[0], 0
		if a := &l.plans[l.top.plan]; l.top.from != forever {
			l.i = a.period(t - l.top.from)
		}
		l.follow(t)
	} else if len(l.next) > 0 {
		l.until = l.next[0].begin
	}
}

// enter takes in what has begun by t.
func (l *lead) enter(t int64) {
	for len(l.next) > 0 && l.next[0].begin <= t {
		x := pop(&l.next)
		x.key = -x.rank
		push(&l.now, x)
	}
}

// follow says what the leader says at t, and how long: until its period or its occurrence is over, or one begins that
// overrules it. Those of lower rank that begin meanwhile are taken in unseen.
func (l *lead) follow(t int64) {
	a := &l.plans[l.top.plan]
	l.until = l.top.end
	for ; l.top.from != forever && l.i+1 < len(a.periods); l.i++ {
		if ends := l.top.from + a.periods[l.i+1].seconds(); ends > t {
			l.until = min(l.until, ends)
			break
		}
	}
	for len(l.next) > 0 && l.next[0].begin < l.until {
		if l.next[0].rank > l.top.rank {
			l.until = l.next[0].begin
			break
		}
		y := pop(&l.next)
		y.key = -y.rank
		push(&l.now, y)
	}
	d := &a.periods[l.i]
	l.limit = d.Limit * a.factor[d.Phases&3]
	l.line, l.lines = d.PhaseToUse, d.Phases
	if d.Phases == 0 {
		l.lines = a.assumed
	}
	if int(l.lines) >= l.phases { // what is more than there are counts for those that there are (OCPP 1.6 errata 4.0, 3.34)
		l.lines = int8(l.phases)
	} else {
		l.lines = 1 // a contactor switches all or one
	}
}

// heapify, push and pop keep the turn with the least key first.
func heapify(h []turn) {
	for i := len(h)/2 - 1; i >= 0; i-- {
		down(h, i)
	}
}

func push(h *[]turn, x turn) {
	*h = append(*h, x)
	for i := len(*h) - 1; i > 0; {
		p := (i - 1) / 2
		if (*h)[p].key <= (*h)[i].key {
			break
		}
		(*h)[p], (*h)[i] = (*h)[i], (*h)[p]
		i = p
	}
}

func pop(h *[]turn) turn {
	x := (*h)[0]
	n := len(*h) - 1
	(*h)[0] = (*h)[n]
	*h = (*h)[:n]
	down(*h, 0)
	return x
}

func down(h []turn, i int) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h[c+1].key < h[c].key {
			c++
		}
		if h[i].key <= h[c].key {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}
