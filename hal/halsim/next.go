package halsim

import "time"

// Next returns an instant up to which nothing happens in the world that somebody could see at its wires by himself: no
// contact lands, no car acts, no planned fault comes. It may be earlier than what happens then, and is at most horizon
// ahead. A simulation skips the time until it; noise and the slow change of a battery and of temperatures go on all along.
func (w *World) Next(horizon time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	to := w.now.Add(horizon)
	for i := range w.due {
		to = sooner(to, w.due[i], w.now)
	}
	if !w.petted.IsZero() {
		to = sooner(to, w.petted.Add(watchdogTime), w.now)
	}
	for _, e := range w.evses {
		for _, c := range e.conns {
			to = c.turn(w.now, to)
		}
	}
	return to
}

// turn returns the instant up to which nothing at the connector changes by itself.
func (c *connector) turn(t, to time.Time) time.Time {
	for _, at := range [...]time.Time{c.contactor.moves, c.contactor.bounce, c.lock.moves} {
		to = sooner(to, at, t)
	}
	if c.car == nil {
		return to
	}
	to = c.car.turn(t, to)
	if c.car.amps > 0 {
		to = sooner(to, t.Add(c.car.full(c)), t)
	}
	return to
}
