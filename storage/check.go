package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/evsed/evsed/station"
)

// verdict is what a check of a whole file says.
type verdict struct {
	exists  bool
	defects []string // empty = every page and every row is whole and none is missing
	schema  uint16   // 0 = unreadable
	seq     uint64
	hasSeq  bool
	rows    int
	badRows int
	wasted  bool // more than half of a large file is free pages
	tallies [256]tally
}

func (v *verdict) whole() bool { return len(v.defects) == 0 }

// compactAbove is the number of pages from which a half-empty file is written anew at the start.
const compactAbove = 4096 // 16 MiB

// checkFile reads a database as a whole, without bbolt. emit gets every row that is whole, with its schema; the slices
// are valid during the call.
func checkFile(path string, emit func(b station.Bucket, key, value []byte, schema uint16)) (v verdict, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	defer f.Close()
	v.exists = true
	info, err := f.Stat()
	if err != nil {
		return v, err
	}
	want := map[station.Bucket]tally{}
	w, err := walkPages(f, info.Size(), func(bucket, key, row []byte) { v.row(bucket, key, row, want, emit) })
	if err != nil {
		v.defects = []string{err.Error()}
		return v, nil
	}
	v.defects = w.defects
	v.wasted = w.pages > compactAbove && w.free > w.pages/2
	v.compare(want)
	return v, nil
}

func (v *verdict) defect(format string, args ...any) {
	if len(v.defects) < maxDefects {
		v.defects = append(v.defects, fmt.Sprintf(format, args...))
	}
}

// row checks one row and hands it on.
func (v *verdict) row(bucket, key, row []byte, want map[station.Bucket]tally, emit func(station.Bucket, []byte, []byte, uint16)) {
	if len(bucket) != 1 {
		v.badRows++
		return
	}
	b := station.Bucket(bucket[0])
	value, schema, ok := parseRow(b, key, row)
	if !ok {
		v.badRows++
		return
	}
	if b != bucketOwn {
		v.rows++
		v.tallies[b].add(row)
		emit(b, key, value, schema)
		return
	}
	switch k := string(key); {
	case k == ownSchema && len(value) == 2:
		v.schema = binary.LittleEndian.Uint16(value)
	case k == ownSeq && len(value) == 8:
		v.seq, v.hasSeq = binary.LittleEndian.Uint64(value), true
	case len(k) == len(ownTally)+1 && k[:len(ownTally)] == ownTally:
		if t, ok := decodeTally(value); ok {
			want[station.Bucket(k[len(ownTally)])] = t
		}
	default:
		emit(b, key, value, schema)
	}
}

// compare finds rows that are gone without a trace.
func (v *verdict) compare(want map[station.Bucket]tally) {
	if v.badRows > 0 {
		v.defect("%d rows with a wrong checksum", v.badRows)
	}
	if v.schema == 0 || !v.hasSeq {
		v.defect("its own record of schema and checkpoint is gone")
		return
	}
	for i := 0; i < int(bucketOwn); i++ {
		if b := station.Bucket(i); v.tallies[i] != want[b] {
			v.defect("bucket %v has %d rows that are whole of %d", b, v.tallies[i].rows, want[b].rows)
		}
	}
}

// putAside gives a damaged file the name NAME.corrupt-N with the next N and removes all but the newest copies. The file
// stays in its place too, where that is possible: a power cut before its successor takes the place must not leave none.
func putAside(dir, name string) (aside string, err error) {
	numbers, err := asideNumbers(dir, name)
	if err != nil {
		return "", err
	}
	next := 1
	if len(numbers) > 0 {
		next = numbers[len(numbers)-1] + 1
	}
	aside = asideName(name, next)
	from, to := filepath.Join(dir, name), filepath.Join(dir, aside)
	if os.Link(from, to) != nil { // a directory, or a file system without links
		if err := os.Rename(from, to); err != nil {
			return "", err
		}
	}
	for len(numbers) >= maxQuarantine {
		if err := os.Remove(filepath.Join(dir, asideName(name, numbers[0]))); err != nil {
			return "", err
		}
		numbers = numbers[1:]
	}
	return aside, nil
}

func asideName(name string, n int) string { return fmt.Sprintf("%s.corrupt-%d", name, n) }

// asideNumbers lists the numbers of the copies of name that were put aside, ascending.
func asideNumbers(dir, name string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), name+".corrupt-%d", &n); err == nil && e.Name() == asideName(name, n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
