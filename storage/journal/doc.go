// Package journal is the log in front of the database: a batch of bytes is durable when Append has returned.
//
// The log lives in a few segments, files of fixed size that are filled with blank cells once and then used in turn, so that a batch
// costs one write and one fdatasync and no metadata of the file system changes.
//
//	segment   4 KiB block | 4 KiB block | …            a batch starts at a block
//	block     2 KiB cell  | 2 KiB cell
//	cell      header 32 B (CRC32C, sequence number, place in the batch, CRC32C of the batch) | payload 2016 B
//
// A batch of up to 2016 bytes fits one cell and is written twice, into both halves of its block: the block is the
// smallest thing a device takes anyway, so the second copy is free, and one dead or zeroed sector loses nothing.
// A larger batch takes as many cells as it needs.
//
// Batch n+1 is written only after batch n is durable. So a batch that cannot be read and has a readable successor
// was damaged after the fact and is reported as Lost; one without a successor is the torn end of the log, is cut
// off, and was never acknowledged unless the device broke its word.
//
// Nothing in a segment tells how far it has been used up: the owner knows (its database holds the sequence number of
// the last checkpoint), hands the number to Open and later to Release, and only then a segment is written over.
package journal
