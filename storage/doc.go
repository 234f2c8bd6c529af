// Package storage keeps what must survive: station Records, the outbox above all. A batch of Records is atomic, and
// durable when Commit has returned nil; what was durable survives kill -9 and a power cut.
//
//	Commit ─► pending ─► journal (one fdatasync) ─► overlay in RAM ──256 records or 10 min──► settings.db, state.db
//	                                                   │
//	           Load, Get, Head  ◄── overlay over bbolt ┘
//
// Two bbolt files hold the checkpointed records. settings.db holds what a person or the CSMS configures, is written
// rarely and so is rarely in danger; state.db holds what changes with every session. Damage to the busy file leaves
// the station configured. A checkpoint updates settings.db first and state.db last; state.db carries the number of the
// last journal batch that both contain, so a cut between the two only means that batches are replayed, which is
// harmless: a Record is an idempotent upsert or delete by key.
//
// bbolt has no checksums and trusts its pages. So no file reaches bbolt before every page of it has been read by our
// own reader (pages.go): structure, free list, a CRC per row, a count and sum per bucket that a missing row breaks. A
// file that fails is put aside as NAME.corrupt-N, rebuilt from the rows that are whole and from what the journal
// still has, and reported. The free list is therefore kept on disk: our walk proves it against the tree, bbolt need
// not walk the mapping again, and the 4 KiB it costs are paid once a checkpoint.
//
// The overlay, the pending batches, the outbox, the dead letters, the thinned numbers, the quarantined copies and
// both files are bounded by constants in options.go.
package storage
