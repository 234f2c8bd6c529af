package journal

import "errors"

// FS is the one seam to files: a flat directory of names without separators. The product uses Dir; tests use one that
// fails, tears, loses and reorders. Errors of the operating system stay visible to errors.Is.
type FS interface {
	// Open opens name for reading and writing and creates it empty when it is missing.
	Open(name string) (File, error)
	Rename(from, to string) error // replaces to
	Remove(name string) error     // nil when it is not there
	SyncDir() error               // makes creations, renames and removals durable
	List() ([]string, error)      // sorted
}

// File is an open file of an FS.
type File interface {
	ReadAt(p []byte, off int64) (int, error) // io.EOF as io.ReaderAt has it
	WriteAt(p []byte, off int64) (int, error)
	SyncData() error           // fdatasync: content and size are on the device
	Allocate(size int64) error // takes the room for size bytes from the device, or fails and takes none
	Truncate(size int64) error
	Size() (int64, error)
	Close() error
}

// ErrName is returned for a file name with a separator in it.
var ErrName = errors.New("name is not a plain file name")
