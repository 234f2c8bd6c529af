package journal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Bounds of a log.
const (
	MaxSegments        = 64
	DefaultSegments    = 4
	DefaultSegmentSize = 512 << 10 // 128 batches of one block; four of them are read in one go at the start
	MaxBatch           = 256 << 10 // bytes of one batch; a segment holds at least one
)

// ErrFull says that every segment holds batches that have not been released: checkpoint, Release, try again.
var ErrFull = errors.New("journal is full")

// ErrTooLarge says that a batch is larger than MaxBatch.
var ErrTooLarge = errors.New("batch is larger than the journal takes")

// Options size a log. The zero value stands for the defaults. A log that grows with new options reports Renewed once.
type Options struct {
	SegmentSize int64 // bytes, a multiple of BlockSize that holds at least one batch of MaxBatch
	Segments    int   // 2…MaxSegments
}

// Report says what Open found.
type Report struct {
	Fresh     bool   // no segment was there
	First     uint64 // first batch behind `after` that can be replayed; 0 = none
	Last      uint64 // last batch of the log; 0 = none
	Lost      int    // batches behind `after` that are damaged and have a whole successor
	FirstLost uint64
	Cut       bool // something unreadable stood behind the last batch: a torn write, or damage to the newest batch
	Repaired  int  // batches behind `after` of which one of two copies was unreadable
	Renewed   int  // segments of a log in use that were gone or too short and were made anew, blank
	Missing   bool // the log ends before `after`: it is not the log that belongs to this database, or was lost
}

// Journal is an open log. One goroutine at a time may use it.
type Journal struct {
	fs       FS
	segs     []segment
	frames   []frame // behind `after`, by number, until Replay has run
	older    []frame // the unbroken run that ends at `after`, by number, until Replay has run
	cur      int     // segment that is being written
	block    int64   // next block in it
	seq      uint64  // number of the last batch
	released uint64
	scrub    []place // unreadable blocks behind the end, blanked with the next batch
	buf      []byte
}

type place struct {
	seg   int
	block int64
}

// Unknown stands for a checkpoint that its owner has lost: the unbroken run of batches that ends the log is replayed.
const Unknown = ^uint64(0)

// Open opens the log in fs, or makes one. Batches up to and including after are safe elsewhere; 0 = there was no
// checkpoint yet. Everything Open reports as replayable is on the device, not merely in the page cache, when it
// returns.
func Open(fs FS, opts Options, after uint64) (*Journal, Report, error) {
	if opts.Segments == 0 {
		opts.Segments = DefaultSegments
	}
	if opts.SegmentSize == 0 {
		opts.SegmentSize = DefaultSegmentSize
	}
	if opts.Segments < 2 || opts.Segments > MaxSegments {
		return nil, Report{}, fmt.Errorf("journal of %d segments: want 2 to %d", opts.Segments, MaxSegments)
	}
	if opts.SegmentSize%BlockSize != 0 || opts.SegmentSize < blocksFor(MaxBatch)*BlockSize {
		return nil, Report{}, fmt.Errorf("journal segments of %d bytes: want a multiple of %d, at least %d",
			opts.SegmentSize, BlockSize, blocksFor(MaxBatch)*BlockSize)
	}
	j := &Journal{fs: fs}
	rep, err := j.open(opts, after)
	if err != nil {
		return nil, rep, errors.Join(err, j.Close())
	}
	return j, rep, nil
}

func (j *Journal) open(opts Options, after uint64) (rep Report, err error) {
	found, renewed, err := j.openSegments(opts)
	if err != nil {
		return rep, err
	}
	rep.Fresh = found == 0
	var finds []find
	var buf, room []byte
	for i := range j.segs {
		if buf, err = j.segs[i].read(buf); err != nil {
			return rep, err
		}
		finds = append(finds, scan(buf, i, &room))
	}
	j.locate(finds, after, &rep)
	if rep.Last == 0 && (after == 0 || after == Unknown) && neverUsed(finds) {
		rep.Cut = false
		if found > 0 {
			if err := j.remake(); err != nil {
				return rep, err
			}
		}
	} else {
		rep.Renewed = renewed
	}
	for _, fr := range j.frames {
		// After kill -9 the newest batches may be in the page cache only; nothing may act on them yet.
		if s := &j.segs[fr.seg]; s.last == fr.seq {
			if err := s.file.SyncData(); err != nil {
				return rep, fmt.Errorf("sync %s: %w", s.name, err)
			}
		}
	}
	return rep, nil
}

// openSegments opens what is there, adds what is missing and makes it all ready.
func (j *Journal) openSegments(opts Options) (found, renewed int, err error) {
	names, err := j.fs.List()
	if err != nil {
		return 0, 0, fmt.Errorf("list journal: %w", err)
	}
	count := opts.Segments
	for _, name := range names {
		if n, ok := segmentNumber(name); ok {
			count, found = max(count, n+1), found+1
		}
	}
	for i := 0; i < count; i++ {
		s := segment{name: segmentName(i)}
		if s.file, err = j.fs.Open(s.name); err != nil {
			return found, renewed, fmt.Errorf("open %s: %w", s.name, err)
		}
		j.segs = append(j.segs, s)
		grown, err := j.segs[i].prepare(opts.SegmentSize)
		if err != nil {
			return found, renewed, err
		}
		if grown {
			renewed++
		}
	}
	if found < count {
		return found, renewed, j.syncDir()
	}
	return found, renewed, nil
}

func (j *Journal) syncDir() error {
	if err := j.fs.SyncDir(); err != nil {
		return fmt.Errorf("sync directory of the journal: %w", err)
	}
	return nil
}

// neverUsed reports whether every cell is blank, or zero because its making was interrupted.
func neverUsed(finds []find) bool {
	for _, f := range finds {
		if f.top > 0 || f.torn {
			return false
		}
	}
	return true
}

// remake makes a log anew that has segments and no batch: its making may have been interrupted, or failed.
func (j *Journal) remake() error {
	for i := range j.segs {
		s := &j.segs[i]
		if err := s.blankOut(0, s.blocks); err != nil {
			return err
		}
		if err := s.file.SyncData(); err != nil {
			return fmt.Errorf("sync %s: %w", s.name, err)
		}
	}
	j.scrub = nil
	return j.syncDir()
}

// locate orders what was found: the batches to replay, the damage, the end of the log.
func (j *Journal) locate(finds []find, after uint64, rep *Report) {
	var all []frame
	for i, f := range finds {
		for _, fr := range f.frames {
			j.segs[i].last = max(j.segs[i].last, fr.seq)
			all = append(all, fr)
		}
	}
	slices.SortFunc(all, func(a, b frame) int { return cmp.Compare(a.seq, b.seq) })
	var end frame
	if len(all) > 0 {
		end = all[len(all)-1]
		j.block = end.block + blocksFor(end.length)
		rep.Last = end.seq
	}
	if after == Unknown {
		after = 0
		if run := unbroken(all); len(run) > 0 {
			after = run[0].seq - 1
		}
	}
	j.seq, j.cur, j.released = max(end.seq, after), end.seg, after
	split, _ := slices.BinarySearchFunc(all, after+1, func(f frame, seq uint64) int { return cmp.Compare(f.seq, seq) })
	j.frames, j.older = all[split:], unbroken(all[:split])
	if len(j.older) > 0 && j.older[len(j.older)-1].seq != after {
		j.older = nil
	}
	rep.Missing = end.seq < after
	j.findLost(after, rep)
	j.findCut(finds, end, rep)
}

// unbroken returns the longest tail of frames without a gap in the numbers.
func unbroken(frames []frame) []frame {
	i := len(frames) - 1
	for i > 0 && frames[i-1].seq == frames[i].seq-1 {
		i--
	}
	return frames[max(i, 0):]
}

// findLost counts the batches behind after that have a successor and are not whole.
func (j *Journal) findLost(after uint64, rep *Report) {
	expect := after + 1
	for _, fr := range j.frames {
		if rep.First == 0 {
			rep.First = fr.seq
		}
		if fr.repaired {
			rep.Repaired++
		}
		if fr.seq > expect {
			if rep.Lost == 0 {
				rep.FirstLost = expect
			}
			rep.Lost += int(fr.seq - expect)
		}
		expect = fr.seq + 1
	}
}

// findCut looks for the remains of a batch behind the last whole one.
func (j *Journal) findCut(finds []find, end frame, rep *Report) {
	for i, f := range finds {
		for _, b := range f.bad {
			behind := i == j.cur && b >= j.block && b < j.block+blocksFor(MaxBatch)
			if behind {
				j.scrub = append(j.scrub, place{i, b})
				rep.Cut = rep.Cut || b == j.block
			}
			// The first block of another segment is where the log goes on when this one is full.
			if i != j.cur && b == 0 && j.block+blocksFor(MaxBatch) > j.segs[j.cur].blocks {
				j.scrub = append(j.scrub, place{i, b})
				rep.Cut = true
			}
		}
		rep.Cut = rep.Cut || f.top > end.seq
	}
}

// Replay hands every whole batch behind `after` to fn, in order, once. A batch that went bad since Open, or an error
// of fn, ends it. A payload is valid during the call.
func (j *Journal) Replay(fn func(seq uint64, payload []byte) error) error {
	if err := j.each(j.frames, fn); err != nil {
		return err
	}
	j.frames, j.older = nil, nil
	return nil
}

// Older hands out, before Replay, the batches up to `after` that have not been written over yet: what is left for an
// owner that has lost its database but not the number. They follow each other without a gap and end at `after`.
func (j *Journal) Older(fn func(seq uint64, payload []byte) error) error { return j.each(j.older, fn) }

// Peek shows every batch that Older and Replay would hand out.
func (j *Journal) Peek(fn func(seq uint64, payload []byte) error) error {
	if err := j.each(j.older, fn); err != nil {
		return err
	}
	return j.each(j.frames, fn)
}

func (j *Journal) each(frames []frame, fn func(seq uint64, payload []byte) error) error {
	var in room
	for _, fr := range frames {
		payload, err := j.segs[fr.seg].payload(fr, &in)
		if err != nil {
			return fmt.Errorf("replay batch %d: %w", fr.seq, err)
		}
		if err := fn(fr.seq, payload); err != nil {
			return err
		}
	}
	return nil
}

// Append writes one batch and returns its number once it is durable: one write, one fdatasync. After an error nothing
// is promised: the batch may or may not be there after a restart; the next Append takes its number and its place.
func (j *Journal) Append(payload []byte) (uint64, error) {
	if len(payload) > MaxBatch {
		return 0, fmt.Errorf("%d bytes: %w", len(payload), ErrTooLarge)
	}
	need := blocksFor(len(payload))
	if j.block+need > j.segs[j.cur].blocks {
		next, ok := j.free()
		if !ok {
			return 0, ErrFull
		}
		// The move stands even if the write fails: one number is never written in two places.
		j.cur, j.block = next, 0
	}
	s := &j.segs[j.cur]
	if err := j.scrubOld(need); err != nil {
		return 0, err
	}
	j.buf = appendBatch(j.buf[:0], j.seq+1, payload)
	if _, err := s.file.WriteAt(j.buf, j.block*BlockSize); err != nil {
		return 0, fmt.Errorf("write %s: %w", s.name, err)
	}
	if err := s.file.SyncData(); err != nil {
		return 0, fmt.Errorf("sync %s: %w", s.name, err)
	}
	j.seq++
	j.block += need
	s.last = j.seq
	return j.seq, nil
}

// scrubOld blanks what an earlier power cut left behind the end of the log.
func (j *Journal) scrubOld(need int64) error {
	for _, p := range j.scrub {
		if p.seg == j.cur && p.block >= j.block && p.block < j.block+need {
			continue // about to be written
		}
		s := &j.segs[p.seg]
		if err := s.blankOut(p.block, 1); err != nil {
			return err
		}
		if p.seg != j.cur {
			if err := s.file.SyncData(); err != nil {
				return fmt.Errorf("sync %s: %w", s.name, err)
			}
		}
	}
	j.scrub = nil
	return nil
}

// free returns the segment that has been free for the longest time.
func (j *Journal) free() (int, bool) {
	best, ok := 0, false
	for i, s := range j.segs {
		if i != j.cur && s.last <= j.released && (!ok || s.last < j.segs[best].last) {
			best, ok = i, true
		}
	}
	return best, ok
}

// Release says that every batch up to and including seq is safe elsewhere.
func (j *Journal) Release(seq uint64) { j.released = max(j.released, min(seq, j.seq)) }

// Seq returns the number of the last durable batch.
func (j *Journal) Seq() uint64 { return j.seq }

// Room returns how many blocks can surely be appended before the log is full, in blocks of BlockSize.
func (j *Journal) Room() int64 {
	room := j.segs[j.cur].blocks - j.block
	for i, s := range j.segs {
		if i != j.cur && s.last <= j.released {
			room += s.blocks
		}
	}
	return room
}

// Blocks returns the size of the whole log in blocks of BlockSize.
func (j *Journal) Blocks() int64 {
	var n int64
	for _, s := range j.segs {
		n += s.blocks
	}
	return n
}

// Close closes the files. It writes nothing.
func (j *Journal) Close() error {
	var errs []error
	for i := range j.segs {
		if f := j.segs[i].file; f != nil {
			errs = append(errs, f.Close())
			j.segs[i].file = nil
		}
	}
	return errors.Join(errs...)
}
