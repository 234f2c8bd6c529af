package storage

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/evsed/evsed/station"
)

// FuzzDecodeBatch reads any bytes as a batch: no panic, and what is a batch comes out of the encoder again.
func FuzzDecodeBatch(f *testing.F) {
	var seed []byte
	seed = append(seed, 1, 0)
	for _, r := range []station.Record{set(station.BucketMeta, "a", "b"), del(station.BucketOutbox, "0000000000000001"), set(station.BucketVariable, "empty", "")} {
		seed = appendRecord(seed, r)
	}
	f.Add(seed)
	f.Add([]byte{})
	f.Add([]byte{1, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		schema, records, err := decodeBatch(b)
		if err != nil {
			return
		}
		again := []byte{byte(schema), byte(schema >> 8)}
		for _, r := range records {
			again = appendRecord(again, r)
		}
		_, second, err := decodeBatch(again)
		if err != nil || len(second) != len(records) {
			t.Fatalf("%d records, then %d, %v", len(records), len(second), err)
		}
		for i, r := range second {
			if r.Bucket != records[i].Bucket || r.Key != records[i].Key || !bytes.Equal(r.Value, records[i].Value) || (r.Value == nil) != (records[i].Value == nil) {
				t.Fatalf("record %d: %v, then %v", i, records[i], r)
			}
		}
	})
}

// FuzzPageWalk reads any bytes as a database file, over a real one so that it gets far.
func FuzzPageWalk(f *testing.F) {
	base := smallDatabase(f)
	f.Add(uint16(0), []byte{})
	f.Add(uint16(4*4096+8), []byte{1, 0, 2, 0})
	f.Add(uint16(3*4096+16), []byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint16, patch []byte) {
		b := bytes.Clone(base)
		if int(at) < len(b) {
			copy(b[at:], patch)
		}
		rows := 0
		w, err := walkPages(bytes.NewReader(b), int64(len(b)), func(_, _, _ []byte) { rows++ })
		if err == nil && len(w.defects) > maxDefects {
			t.Errorf("%d defects are listed", len(w.defects))
		}
		if rows > len(b) {
			t.Errorf("%d rows out of %d bytes", rows, len(b))
		}
	})
}

// FuzzThinned reads any bytes as thinned numbers.
func FuzzThinned(f *testing.F) {
	row := thinnedRow{newest: 7}
	row.set(3)
	row.set(900)
	f.Add(row.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		seqs, err := ParseThinned(b)
		if err != nil {
			return
		}
		var again thinnedRow
		for _, n := range seqs {
			again.set(n)
		}
		if got, err := ParseThinned(again.encode()); len(seqs) > 0 && (err != nil || len(got) != len(seqs)) {
			t.Fatalf("%v, then %v, %v", seqs, got, err)
		}
	})
}

func smallDatabase(f *testing.F) []byte {
	dir := f.TempDir()
	s, _, err := Open(dir, Options{})
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < 120; i++ {
		if err := s.Commit([]station.Record{event(uint64(i+1), station.PhaseUpdated, "t", i), set(station.BucketAuthCache, string(rune('a'+i)), "a value of some length that fills pages")}); err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		f.Fatal(err)
	}
	return b
}
