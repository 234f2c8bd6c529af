package storage

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/storage/journal"
)

// Bounds of what a store takes.
const (
	MaxKey   = 1100      // bytes of a record's key, as station.MaxRecordKey
	MaxValue = 64 << 10  // bytes of a record's value
	MaxBatch = 200 << 10 // bytes of an encoded batch; the journal takes a little more

	// DefaultCheckpointRecords rows that the journal has changed are worth a checkpoint.
	DefaultCheckpointRecords = 256

	// HeadWindow is how many outbox entries Head hands out at most, and how many acknowledgements may wait in RAM.
	HeadWindow = 16
	// protectedHead entries at the front of the outbox are never thinned: one window may have been handed out, and
	// one window of acknowledgements may have been forgotten by a power cut.
	protectedHead = 2 * HeadWindow

	maxPendingRecords = 2048    // records handed over and not yet durable
	maxPendingBytes   = 1 << 20 // their keys and values
	maxQuarantine     = 2       // copies of one file that are put aside; the oldest goes first
	maxThinned        = 1024    // transactions whose thinned numbers are remembered; the oldest goes first
	maxThinnedSeq     = 1 << 18 // an event with a higher number is not thinned: one bitmap has at most 32 KiB
	outboxReserve     = 1024    // entries above the bound that a running transaction may still use
	reserveBytes      = 1 << 20 // file given up when the disk is full, so that what runs can be ended
	settingsMaxSize   = 32 << 20
	stateBaseSize     = 32 << 20 // state.db without the outbox
)

// Options tune a store. The zero value is the product's.
type Options struct {
	Files             journal.FS       // journal, side files and the reserve; nil = the directory itself. bbolt maps its files and always uses the directory
	MaxOutboxEntries  int              // above it the outbox is thinned (E04.FR.08); 0 = 100,000
	MaxOutboxBytes    int64            // keys and values; 0 = 48 MiB
	MaxDeadLetters    int              // the oldest goes first; 0 = 1024
	CheckpointRecords int              // rows in the overlay; 0 = DefaultCheckpointRecords
	CheckpointEvery   time.Duration    // 0 = 10 min
	NoteWindow        time.Duration    // longest wait of a Note in RAM; 0 = 60 s
	Now               func() time.Time // the station's monotonic clock; nil: time is what Tick says
	Sealer            Sealer           // of secrets in records; nil: they lie open
	SegmentSize       int64            // of the journal; 0 = journal.DefaultSegmentSize
	Segments          int              // 0 = journal.DefaultSegments

	// paged is told the path of a database before and after each of its transactions; an error fails the transaction.
	// bbolt maps its files: whoever wants to know what a power cut would leave looks at them here.
	paged func(path string, written bool) error
}

func (o Options) withDefaults(dir string) (Options, error) {
	setDefault(&o.MaxOutboxEntries, 100_000)
	setDefault(&o.MaxOutboxBytes, 48<<20)
	setDefault(&o.MaxDeadLetters, 1024)
	setDefault(&o.CheckpointRecords, DefaultCheckpointRecords)
	setDefault(&o.CheckpointEvery, 10*time.Minute)
	setDefault(&o.NoteWindow, time.Minute)
	if o.Files == nil {
		o.Files = journal.Dir(dir)
	}
	if o.MaxOutboxEntries < 2*protectedHead {
		return o, fmt.Errorf("outbox of %d entries: want at least %d", o.MaxOutboxEntries, 2*protectedHead)
	}
	if o.MaxOutboxBytes < 0 || o.MaxOutboxBytes > 512<<20 {
		return o, fmt.Errorf("outbox of %d bytes: want at most 512 MiB", o.MaxOutboxBytes)
	}
	return o, nil
}

func setDefault[T ~int | ~int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}
