package seclog

// ring are the segments by their place. Segment number n has the place n modulo their count.
type ring []segment

func (r ring) of(number uint64) *segment { return &r[number%uint64(len(r))] }

// walk is the way through a log from its oldest entry to its newest.
type walk struct {
	chain
	newest uint64 // number of the newest segment; 0: the log is empty
	end    int64  // of what is written in it
	begin  header // the oldest anchor
	torn   bool
}

func (w *walk) report() Report {
	return Report{Entries: w.entries, Last: w.last, Breaks: w.breaks, Torn: w.torn}
}

// walk follows the log. took, which may be nil, sees every entry; its bytes are valid until it returns.
func (r ring) walk(size int64, took func(line)) *walk {
	w := &walk{}
	var segment uint64 // of the newest entry
	w.took = func(e line) {
		segment, w.end = e.segment, e.end
		if took != nil {
			took(e)
		}
	}
	buf := make([]byte, size)
	if w.newest = r.headers(buf); w.newest == 0 {
		return w
	}
	n := uint64(len(r))
	for number := max(w.newest, n) - n + 1; number <= w.newest; number++ {
		s := r.of(number)
		w.anchor(s, number)
		s.read(buf)
		lines(buf, number, w.next)
	}
	w.torn = w.finish()
	if segment != w.newest {
		w.end = headerSize
	}
	return w
}

// anchor goes on with the header of a segment.
func (w *walk) anchor(s *segment, number uint64) {
	switch {
	case !s.whole || s.segment != number:
		w.broken("segment %d has no beginning", number)
	case w.begin.segment == 0 && w.entries == 0:
		w.begin, w.prev, w.last, w.suspect = s.header, s.prev, s.after, nil
	case s.prev == w.prev && s.after == w.last: // what else stood at the end of the one before was torn
		w.suspect = nil
	default:
		w.settle()
		if s.prev != w.prev || s.after != w.last {
			w.broken("segment %d begins after %d, the one before ends with %d", number, s.after, w.last)
			w.prev, w.last = s.prev, max(s.after, w.last)
		}
	}
}

// headers reads the header of every segment, and returns the number of the newest; 0: the log is empty.
func (r ring) headers(buf []byte) (newest uint64) {
	n := uint64(len(r))
	for i := range r {
		s := &r[i]
		s.read(buf[:headerSize])
		s.header, s.whole = parseHeader(buf[:headerSize])
		if s.whole = s.whole && s.segment%n == uint64(i); s.whole {
			newest = max(newest, s.segment)
		}
	}
	// The header of the newest may be damaged: then its entries tell it, which are newer than all others.
	if r.of(newest + 1).whole {
		return newest
	}
	if top := r.top(newest+1, buf); top > r.top(newest, buf) && (newest == 0 || top > r.of(newest).after) {
		return newest + 1
	}
	return newest
}

// top is the highest number of an entry in the place of a segment.
func (r ring) top(number uint64, buf []byte) (top uint64) {
	r.of(number).read(buf)
	lines(buf, number, func(e line) { top = max(top, e.number) })
	return top
}
