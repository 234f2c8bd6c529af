package storage

import (
	"errors"
	"fmt"
	"time"
)

// errCheckpoint marks trouble with the databases, as opposed to the journal.
var errCheckpoint = errors.New("checkpoint")

// Checkpoint moves everything durable from the journal into the databases now.
func (s *Store) Checkpoint() error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.flush(); err != nil {
		return err
	}
	return s.checkpoint()
}

// checkpoint writes the overlay into the databases and lets the journal use its segments again; write is held.
func (s *Store) checkpoint() error {
	err := s.writeOverlay()
	if err != nil && codeOf(err) == CodeFull && s.dropReserve() {
		err = s.writeOverlay()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkDue = time.Time{}
	if err != nil {
		err = fmt.Errorf("%w: %w", errCheckpoint, err)
		s.fail(err)
		return err
	}
	s.overlay = overlay{}
	s.journal.Release(s.journal.Seq())
	s.health.well()
	return nil
}

func (s *Store) writeOverlay() error {
	if err := s.heal(); err != nil {
		return err
	}
	s.mu.RLock()
	settings, state, seq := s.overlay.changes(true), s.overlay.changes(false), s.journal.Seq()
	last := s.index.last
	s.mu.RUnlock()
	if len(settings) == 0 && len(state) == 0 && s.state.seq == seq {
		return nil
	}
	if len(settings) > 0 {
		if err := s.settings.update(seq, settings); err != nil {
			return err
		}
	}
	// state.db comes last and always: its number says up to where both are complete.
	return s.state.update(seq, append(state, change{bucketOwn, ownLast, []byte(last)}))
}

// heal checks and opens again what is suspect; write is held.
func (s *Store) heal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range []**file{&s.settings, &s.state} {
		if !(*f).suspect.Load() {
			continue
		}
		if err := s.reopen(f); err != nil {
			return err
		}
	}
	return nil
}

// reopen replaces a suspect file by a checked one; mu is held.
func (s *Store) reopen(f **file) error {
	old := *f
	if err := old.close(); err != nil {
		return err
	}
	var rep Report
	in, err := s.inspect(old.name, old.maxSize)
	if err == nil {
		err = in.bring(s.dir, s.schema, &rep)
	}
	if err != nil {
		return err
	}
	*f = in.file
	for _, finding := range rep.Findings {
		if len(s.found) < maxFindings {
			s.found = append(s.found, finding)
		}
	}
	if in.file.name == stateName {
		s.reindex(in.index)
	}
	return nil
}

// reindex makes the index anew from the rows of the file, the overlay and what is pending; mu is held.
func (s *Store) reindex(x *index) {
	x.last = max(x.last, s.index.last)
	over, pending := s.overlay, s.pending
	s.index, s.overlay, s.waiting = x, overlay{}, map[recordKey]waiting{}
	for _, c := range over.changes(false) {
		s.replayed(c.record())
	}
	for _, c := range over.changes(true) {
		s.overlay.put(c.record())
	}
	s.pending, s.records, s.bytes, s.acks, s.accepted = nil, 0, 0, 0, s.durable
	for _, h := range pending {
		s.take(h.records, h.size, h.must)
	}
}

// Tick gives the store the time. It flushes notes that have waited long enough, checkpoints every CheckpointEvery,
// and tries again what failed. It returns the time by which it wants to be called again; zero = not needed.
func (s *Store) Tick(now time.Time) (next time.Time) {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	s.now = now
	closed, ill := s.closed, s.health.err != nil
	retry := ill && !now.Before(s.health.retry)
	note := len(s.pending) > 0 && !s.noteDue.IsZero() && !now.Before(s.noteDue)
	check := s.overlay.records > 0 && !s.checkDue.IsZero() && !now.Before(s.checkDue)
	s.mu.Unlock()
	if closed {
		return time.Time{}
	}
	if retry || note && !ill {
		if s.flush() == nil && retry {
			check = true
		}
	}
	if check && (retry || !ill) {
		_ = s.checkpoint() // noted as the State
	}
	s.refill(now)
	return s.arm(now)
}

// arm sets the timers that wait for a first time and returns the earliest.
func (s *Store) arm(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) > 0 && s.noteDue.IsZero() {
		s.noteDue = now.Add(s.opts.NoteWindow)
	}
	if s.overlay.records > 0 && s.checkDue.IsZero() {
		s.checkDue = now.Add(s.opts.CheckpointEvery)
	}
	return s.deadline()
}

// Deadline returns the time by which Tick wants to be called; zero = not needed.
func (s *Store) Deadline() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.deadline()
}

func (s *Store) deadline() time.Time {
	if s.health.err != nil {
		return s.health.retry
	}
	var next time.Time
	if len(s.pending) > 0 {
		next = s.noteDue
	}
	if s.overlay.records > 0 && !s.checkDue.IsZero() && (next.IsZero() || s.checkDue.Before(next)) {
		next = s.checkDue
	}
	if due := s.missing.Load(); due != nil && !s.now.IsZero() && (next.IsZero() || due.Before(next)) {
		next = *due
		if next.IsZero() {
			next = s.now
		}
	}
	return next
}
