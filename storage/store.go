package storage

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
)

// Store is an open state directory. Its methods may be called from several goroutines; one of them at a time writes.
type Store struct {
	dir    string
	opts   Options
	schema schema
	lock   *os.File

	// write is held by whoever touches the journal or writes to a database, over its fsyncs. It comes before mu.
	write   sync.Mutex
	journal *journal.Journal
	buf     []byte
	parity  map[string]bool // thinning: transactions whose next Updated event is an even one
	settled func()          // something has become durable; nil: nobody is told

	// mu guards everything below. No fsync happens under it but those of healing a database.
	mu       sync.RWMutex
	settings *file
	state    *file
	overlay  overlay
	index    *index
	pending  []handed
	waiting  map[recordKey]waiting // newest pending value of each key
	records  int                   // in pending
	bytes    int                   // in pending
	acks     int                   // outbox deletes in pending
	accepted uint64                // batches handed over
	durable  uint64                // batches that are durable
	handed   string                // highest outbox key that Head handed out
	full     bool                  // thinning found nothing more to drop
	fullAt   int                   // with this many entries
	listTop  uint64                // highest number of a list in this process, a factory reset included
	health   health
	found    []Finding // damage noticed since Open
	now      time.Time // of the last Tick
	noteDue  time.Time
	checkDue time.Time
	closed   bool

	// missing: the reserve is not there, because the device is full; it is asked for again at this time. nil: it is there.
	missing atomic.Pointer[time.Time]
}

// handed is one batch that is not durable yet.
type handed struct {
	records []station.Record
	size    int
	must    bool // its owner waits for it
}

type recordKey struct {
	bucket station.Bucket
	key    string
}

type waiting struct {
	value []byte
	batch uint64
}

// Commit hands over a batch and returns nil when it and everything handed over before is durable. After an error of
// the device the batch is kept and written with the next one, in order; committing it again is harmless. ErrTooLarge,
// ErrBacklog and ErrOutboxFull refuse the batch. Values belong to the store from here on.
func (s *Store) Commit(batch []station.Record) error {
	s.write.Lock()
	defer s.write.Unlock()
	_, err := s.accept(batch, true)
	if errors.Is(err, ErrBacklog) {
		if err := s.flush(); err != nil {
			return err
		}
		_, err = s.accept(batch, true)
	}
	if err != nil {
		return err
	}
	return s.flush()
}

// Note hands over a batch that owes no fsync of its own: it becomes durable with the next Commit, or by Tick after
// NoteWindow, or when a window of acknowledgements has gathered. An outbox entry that it deletes is gone from Head at
// once; one that it adds appears when it is durable.
func (s *Store) Note(batch []station.Record) error {
	s.write.Lock()
	defer s.write.Unlock()
	due, err := s.accept(batch, false)
	if err != nil || !due {
		return err
	}
	return s.flush()
}

// accept takes a batch into pending. due is true when what waits should be made durable now.
func (s *Store) accept(batch []station.Record, must bool) (due bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch = s.veil(batch)
	size, err := checkBatch(batch)
	if err != nil {
		return false, err
	}
	if s.closed {
		return false, ErrClosed
	}
	if len(s.pending) > 0 && (s.records+len(batch) > maxPendingRecords || s.bytes+size > maxPendingBytes) {
		return false, ErrBacklog
	}
	if s.outboxRefuses(batch) {
		return false, ErrOutboxFull
	}
	s.take(batch, size, must)
	return must || s.acks >= HeadWindow || s.records >= s.opts.CheckpointRecords, nil
}

// take appends a batch to pending and to the index; mu is held.
func (s *Store) take(batch []station.Record, size int, must bool) {
	s.accepted++
	for _, r := range batch {
		var old []byte
		if s.index.needsOld(r) {
			old = s.newest(r.Bucket, r.Key)
		}
		s.index.put(r, old)
		if r.Bucket == station.BucketOutbox && r.Value == nil {
			s.acks++
		}
		s.waiting[recordKey{r.Bucket, r.Key}] = waiting{r.Value, s.accepted}
	}
	s.pending = append(s.pending, handed{batch, size, must})
	s.records += len(batch)
	s.bytes += size
	s.look()
	if s.noteDue.IsZero() && !s.now.IsZero() {
		s.noteDue = s.now.Add(s.opts.NoteWindow)
	}
}

// look asks the clock, where there is one: a station that sleeps for long calls no Tick. mu is held.
func (s *Store) look() {
	if s.opts.Now != nil {
		s.now = s.opts.Now()
	}
}

// newest returns the value of a key as last handed over, nil = none; mu is held.
func (s *Store) newest(b station.Bucket, key string) []byte {
	if w, ok := s.waiting[recordKey{b, key}]; ok {
		return w.value
	}
	v, _, err := s.stored(b, key)
	if err != nil {
		s.fail(err)
	}
	return v
}

// stored returns the durable value of a key; mu is held.
func (s *Store) stored(b station.Bucket, key string) (value []byte, found bool, err error) {
	if v, known := s.overlay.get(b, key); known {
		return v, v != nil, nil
	}
	f := s.fileOf(b)
	value, found, err = f.get(b, key)
	if err != nil {
		f.suspect.Store(true)
	}
	return value, found, err
}

func (s *Store) fileOf(b station.Bucket) *file {
	if inSettings(b) {
		return s.settings
	}
	return s.state
}

// fail notes an error of the device; mu is held.
func (s *Store) fail(err error) { s.health.failed(err, s.now) }

// note takes an error that ended a flush; one of a checkpoint has been noted already.
func (s *Store) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !errors.Is(err, errCheckpoint) {
		s.fail(err)
	}
}

// flush makes everything pending durable, thins the outbox if it must, and checkpoints when enough has gathered;
// write is held. An error means that something pending is not durable; trouble with a checkpoint is only a State.
func (s *Store) flush() error {
	for {
		batches, payload := s.nextGroup()
		if batches == 0 {
			if s.trim() == 0 {
				break
			}
			continue
		}
		if err := s.append(payload); err != nil {
			s.note(err)
			return err
		}
		s.settle(batches)
		if s.settled != nil {
			s.settled()
		}
	}
	s.mu.Lock()
	owed := s.overlay.records >= s.opts.CheckpointRecords || s.journal.Room() < s.journal.Blocks()/4
	if s.health.err != nil && owed {
		owed = !s.now.Before(s.health.retry)
	}
	s.mu.Unlock()
	if owed {
		_ = s.checkpoint() // it has noted its error; what was handed over is durable in the journal
	}
	return nil
}

// append writes a group to the journal and makes room there if it must. Batches without a record cost nothing.
func (s *Store) append(payload []byte) error {
	if len(payload) == emptyGroup {
		return nil
	}
	_, err := s.journal.Append(payload)
	if errors.Is(err, journal.ErrFull) {
		if err = s.checkpoint(); err == nil {
			_, err = s.journal.Append(payload)
		}
	}
	return err
}

// nextGroup encodes as many whole batches as fit one write. A group is there as a whole or not at all: of a row that it
// changes more than once only the last value is in it.
func (s *Store) nextGroup() (batches int, payload []byte) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	size := 0
	for _, h := range s.pending {
		if size += h.size; batches > 0 && size > MaxBatch {
			break
		}
		batches++
	}
	s.buf = binary.LittleEndian.AppendUint16(s.buf[:0], s.schema.version)
	last := s.durable + uint64(batches)
	for i, h := range s.pending[:batches] {
		number := s.durable + uint64(i) + 1
		for _, r := range h.records {
			if newest := s.waiting[recordKey{r.Bucket, r.Key}].batch; newest > number && newest <= last {
				continue
			}
			s.buf = appendRecord(s.buf, r)
		}
	}
	return batches, s.buf
}

// settle moves the first batches from pending into the overlay: they are durable.
func (s *Store) settle(batches int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.pending[:batches] {
		s.durable++
		for _, r := range h.records {
			s.overlay.put(r)
			if k := (recordKey{r.Bucket, r.Key}); s.waiting[k].batch == s.durable {
				delete(s.waiting, k)
			}
			if r.Bucket == station.BucketOutbox && r.Value == nil {
				s.acks--
			}
		}
		s.records -= len(h.records)
		s.bytes -= h.size
	}
	s.pending = append(s.pending[:0], s.pending[batches:]...)
	clear(s.pending[len(s.pending):cap(s.pending)])
	s.noteDue = time.Time{}
	if s.checkDue.IsZero() && !s.now.IsZero() {
		s.checkDue = s.now.Add(s.opts.CheckpointEvery)
	}
	if s.health.err != nil && !s.settings.suspect.Load() && !s.state.suspect.Load() && !errors.Is(s.health.err, errCheckpoint) {
		s.health.well()
	}
}

// State says how the store is.
func (s *Store) State() State {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.health.err != nil:
		return State{codeOf(s.health.err), s.health.err}
	case s.missing.Load() != nil:
		return State{CodeFull, ErrReserve}
	case s.full:
		return State{CodeFull, ErrOutboxFull}
	}
	return State{}
}

// Findings returns the damage that was noticed since Open, at most as many as a Report holds.
func (s *Store) Findings() []Finding {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]Finding(nil), s.found...)
}

// Get returns the value of a key as last handed over, a secret that does not open left out.
func (s *Store) Get(b station.Bucket, key string) (value []byte, found bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, ErrClosed
	}
	if w, ok := s.waiting[recordKey{b, key}]; ok {
		value, found = w.value, w.value != nil
	} else if value, found, err = s.stored(b, key); err != nil {
		return nil, false, err
	}
	if station.HoldsSecrets(b) && veiled(value) {
		value = s.unveil(station.Record{Bucket: b, Key: key, Value: value}).Value
	}
	return value, found, nil
}
