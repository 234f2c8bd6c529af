package main

import "time"

// queue is what is planned, earliest first; of the same instant, what was planned first comes first.
type queue struct {
	heap []planned
	next uint64
}

type planned struct {
	at   time.Time
	n    uint64
	life int // it dies with this life of the station; 0: it belongs to the world
	do   func()
}

func (a *planned) before(b *planned) bool {
	if a.at.Equal(b.at) {
		return a.n < b.n
	}
	return a.at.Before(b.at)
}

func (q *queue) push(at time.Time, life int, do func()) {
	q.next++
	q.heap = append(q.heap, planned{at, q.next, life, do})
	h := q.heap
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *queue) pop() planned {
	h := q.heap
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h[last] = planned{}
	q.heap = h[:last]
	h = q.heap
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// due returns the instant of the next thing; zero: nothing is planned.
func (q *queue) due() time.Time {
	if len(q.heap) == 0 {
		return time.Time{}
	}
	return q.heap[0].at
}
