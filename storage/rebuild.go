package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/evsed/evsed/station"
)

// rebuildRows is how many rows one transaction of a rebuild carries.
const rebuildRows = 2048

// newSuffix marks a database that is being written; it is worth nothing until it is renamed.
const newSuffix = ".new"

// inspected is a database that has been read as a whole and not touched yet.
type inspected struct {
	file    *file
	verdict verdict
	index   *index
}

// inspect reads a database. A foreign schema is refused.
func (s *Store) inspect(name string, maxSize int) (in inspected, err error) {
	in.file = &file{path: filepath.Join(s.dir, name), name: name, maxSize: maxSize, schema: s.schema.version, paged: s.opts.paged}
	in.index = newIndex()
	if in.verdict, err = checkFile(in.file.path, in.index.row); err != nil {
		return in, fmt.Errorf("check %s: %w", name, err)
	}
	in.index.rowsDone()
	if v := in.verdict.schema; v != 0 {
		if err := s.schema.check(name, v); err != nil {
			return in, err
		}
	}
	in.file.seq, in.file.tallies = in.verdict.seq, in.verdict.tallies
	return in, nil
}

// bring rebuilds the file where it must be, and opens it.
func (in *inspected) bring(dir string, s schema, rep *Report) error {
	f, v := in.file, in.verdict
	if err := os.Remove(f.path + newSuffix); err != nil && !os.IsNotExist(err) {
		return err
	}
	if !v.exists || !v.whole() || v.wasted || v.schema != s.version {
		if err := f.rebuild(dir, s, v, rep); err != nil {
			return fmt.Errorf("rebuild %s: %w", f.name, err)
		}
		in.index = newIndex()
		again, err := checkFile(f.path, in.index.row)
		if err != nil || !again.whole() {
			return fmt.Errorf("check rebuilt %s: %w: %v", f.name, firstError(err, errDamaged), again.defects)
		}
		in.index.rowsDone()
	}
	return f.open()
}

// rebuild writes the whole rows of the file into a new one, in today's schema, and puts it in the old one's place. It
// makes an empty file the same way, because a cut during bbolt's own creation can leave one that does not open.
func (f *file) rebuild(dir string, s schema, v verdict, rep *Report) error {
	b := rebuilder{out: &file{path: f.path + newSuffix, name: f.name + newSuffix, maxSize: f.maxSize, schema: s.version, paged: f.paged}, schema: s, seq: v.seq}
	if err := b.out.open(); err != nil {
		return err
	}
	if v.exists {
		if _, err := checkFile(f.path, b.row); err != nil {
			b.fail(err)
		}
	}
	b.flush()
	if err := b.out.close(); err != nil || b.err != nil {
		return firstError(b.err, err)
	}
	switch {
	case v.exists && !v.whole():
		aside, err := putAside(dir, f.name)
		if err != nil {
			return err
		}
		rep.add(FoundAside, f.name, "%s; put aside as %s, %d whole rows kept", v.defects[0], aside, b.rows)
	case v.exists && v.schema != s.version:
		rep.add(FoundMigrated, f.name, "schema %d to %d, %d rows", v.schema, s.version, b.rows)
	}
	if err := os.Rename(b.out.path, f.path); err != nil {
		return err
	}
	f.tallies = b.out.tallies
	return syncDir(dir)
}

// rebuilder collects rows and writes them in groups.
type rebuilder struct {
	out    *file
	schema schema
	seq    uint64
	group  []change
	rows   int
	err    error
}

func (b *rebuilder) fail(err error) { b.err = firstError(b.err, err) }

func (b *rebuilder) row(bucket station.Bucket, key, value []byte, schema uint16) {
	if b.err != nil {
		return
	}
	if err := b.schema.check(b.out.name, schema); err != nil {
		b.fail(err)
		return
	}
	records, err := b.schema.forward(schema, station.Record{Bucket: bucket, Key: string(key), Value: append([]byte{}, value...)})
	if err != nil {
		b.fail(err)
		return
	}
	for _, r := range records {
		b.group = append(b.group, change{r.Bucket, r.Key, r.Value})
		b.rows++
	}
	if len(b.group) >= rebuildRows {
		b.flush()
	}
}

func (b *rebuilder) flush() {
	if b.err != nil {
		return
	}
	slices.SortStableFunc(b.group, compareChange)
	b.err = b.out.update(b.seq, b.group)
	b.group = b.group[:0]
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
