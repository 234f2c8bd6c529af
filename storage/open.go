package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
)

const (
	lockName = "lock"
	wipeName = "wiping" // there while a factory reset is under way

	lockTries = 10 // a process that was just killed may take a moment to let go
	lockPause = 50 * time.Millisecond
)

// Open opens the state directory, makes it if it is not there, and repairs what it finds damaged. It fails when the
// directory cannot be used at all: ErrInUse, *SchemaError, or an error of the operating system.
func Open(dir string, opts Options) (*Store, Report, error) { return open(dir, opts, current) }

func open(dir string, opts Options, sch schema) (*Store, Report, error) {
	var rep Report
	opts, err := opts.withDefaults(dir)
	if err != nil {
		return nil, rep, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, rep, fmt.Errorf("state directory: %w", err)
	}
	s := &Store{dir: dir, opts: opts, schema: sch, waiting: map[recordKey]waiting{}, parity: map[string]bool{}}
	if s.lock, err = lockDir(dir); err != nil {
		return nil, rep, err
	}
	if err := s.openAll(&rep); err != nil {
		s.release()
		return nil, rep, fmt.Errorf("open %s: %w", dir, err)
	}
	return s, rep, nil
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	for i := 1; ; i++ {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if i == lockTries || err != unix.EWOULDBLOCK && err != unix.EINTR {
			_ = f.Close()
			return nil, fmt.Errorf("%s: %w", dir, ErrInUse)
		}
		time.Sleep(lockPause)
	}
}

func (s *Store) openAll(rep *Report) error {
	if err := s.finishWipe(); err != nil {
		return err
	}
	settings, err := s.inspect(settingsName, settingsMaxSize)
	if err != nil {
		return err
	}
	state, err := s.inspect(stateName, s.stateMaxSize())
	if err != nil {
		return err
	}
	log := journal.Options{SegmentSize: s.opts.SegmentSize, Segments: s.opts.Segments}
	j, jrep, err := journal.Open(s.opts.Files, log, checkpointOf(&state))
	if codeOf(err) == CodeFull && s.dropReserve() { // a segment went missing on a full device
		j, jrep, err = journal.Open(s.opts.Files, log, checkpointOf(&state))
	}
	if err != nil {
		return err
	}
	s.journal = j
	// The journal is made before the databases, so an interrupted first start is told from files that went missing.
	rep.Fresh = jrep.Last == 0 && settings.verdict.seq == 0 && state.verdict.seq == 0
	// A foreign schema in the journal is refused as well before anything is touched.
	if err := s.refuseForeign(); err != nil {
		return err
	}
	for _, in := range []*inspected{&settings, &state} {
		err := in.bring(s.dir, s.schema, rep)
		if codeOf(err) == CodeFull && s.dropReserve() {
			err = in.bring(s.dir, s.schema, rep)
		}
		if err != nil {
			return err
		}
		if !in.verdict.exists && !rep.Fresh {
			rep.add(FoundLost, in.file.name, "the file is gone; an empty one was begun")
		}
		if in.file.name == settingsName {
			s.settings = in.file
		} else {
			s.state = in.file
		}
	}
	s.index = state.index
	s.reportJournal(jrep, rep)
	if err := s.replay(rep, !settings.verdict.whole() || !settings.verdict.exists, !state.verdict.whole() || !state.verdict.exists); err != nil {
		return err
	}
	s.restoreReserve()
	if rep.Damaged() {
		_ = s.checkpoint() // so that it is not found again; an error shows as the State
	}
	return nil
}

func (s *Store) stateMaxSize() int { return int(stateBaseSize + 2*s.opts.MaxOutboxBytes) }

// checkpointOf returns the last batch that both databases contain.
func checkpointOf(state *inspected) uint64 {
	if state.verdict.exists && state.verdict.hasSeq {
		return state.verdict.seq
	}
	return journal.Unknown
}

func (s *Store) refuseForeign() error {
	return s.journal.Peek(func(_ uint64, payload []byte) error {
		if len(payload) < 2 {
			return nil // replay reports it
		}
		return s.schema.check("journal", binary.LittleEndian.Uint16(payload))
	})
}

func (s *Store) reportJournal(j journal.Report, rep *Report) {
	if j.Missing {
		rep.add(FoundLost, "journal", "it ends at batch %d, before the last checkpoint: batches behind that may be gone", j.Last)
	}
	if j.Renewed > 0 {
		rep.add(FoundLost, "journal", "%d segments were gone or too short; what was in them may be lost", j.Renewed)
	}
	if j.Lost > 0 {
		rep.add(FoundLost, "journal", "%d batches from number %d on are damaged", j.Lost, j.FirstLost)
	}
	if j.Cut {
		rep.add(FoundTail, "journal", "what stood behind batch %d could not be read and was cut off", j.Last)
	}
	if j.Repaired > 0 {
		rep.add(FoundRepaired, "journal", "%d batches were read from their second copy or lost it", j.Repaired)
	}
}

// replay puts the journal's batches over the databases: all behind the checkpoint, and for a database that was
// rebuilt those before it that are still there.
func (s *Store) replay(rep *Report, settingsLost, stateLost bool) error {
	apply := func(want func(station.Bucket) bool) func(uint64, []byte) error {
		return func(seq uint64, payload []byte) error {
			schema, records, err := decodeBatch(payload)
			if err != nil {
				rep.add(FoundLost, "journal", "batch %d: %v", seq, err)
				return nil
			}
			for _, r := range records {
				out, err := s.schema.forward(schema, r)
				if err != nil {
					return err
				}
				for _, r := range out {
					if want(r.Bucket) {
						s.replayed(r)
						rep.Replayed++
					}
				}
			}
			return nil
		}
	}
	if settingsLost || stateLost {
		err := s.journal.Older(apply(func(b station.Bucket) bool { return inSettings(b) && settingsLost || !inSettings(b) && stateLost }))
		if err != nil {
			return err
		}
	}
	return s.journal.Replay(apply(func(station.Bucket) bool { return true }))
}

// replayed takes in a record that is durable in the journal.
func (s *Store) replayed(r station.Record) {
	var old []byte
	if s.index.needsOld(r) {
		old = s.newest(r.Bucket, r.Key)
	}
	s.index.put(r, old)
	s.overlay.put(r)
}

// Close makes everything durable, checkpoints and lets go of the directory.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.journal == nil {
		return nil
	}
	err := s.flush()
	if err == nil {
		err = s.checkpoint()
	}
	return errors.Join(err, s.release())
}

// Abandon lets go of the directory as a power cut does: nothing more is written. A Writer ends with its own Close.
func (s *Store) Abandon() {
	s.write.Lock()
	defer s.write.Unlock()
	_ = s.release()
}

// release closes everything that is open; write is held, or the store is not in use yet.
func (s *Store) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, f := range []*file{s.settings, s.state} {
		if f != nil {
			errs = append(errs, f.close())
		}
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
		s.journal = nil
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
}
