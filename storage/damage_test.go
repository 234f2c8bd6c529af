package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

// filled makes a store with trees of several pages in both files. With rolled the journal has gone round since the
// rows were written, so the databases are the only place where they stand.
func filled(t *testing.T, rolled bool) (images, *faultfs.FS, string) {
	t.Helper()
	fs, dir := faultfs.New(), t.TempDir()
	s, _ := mustOpen(t, dir, smallLog(fs))
	for i := range 400 {
		body := body(i)
		must(t, s.Commit([]station.Record{
			set(station.BucketVariable, fmt.Sprintf("variable-%03d", i%variables), body),
			set(station.BucketAuthCache, fmt.Sprintf("token-%03d", i), body),
			event(uint64(i+1), station.PhaseUpdated, fmt.Sprintf("t%d", i/20), i%20),
		}))
	}
	must(t, s.Commit([]station.Record{set(station.BucketNetwork, "chain", strings.Repeat("certificate ", 1500))}))
	must(t, s.Checkpoint())
	for i := 0; rolled && i < 300; i++ {
		must(t, s.Commit([]station.Record{set(station.BucketMeta, "filler", strings.Repeat("x", 3000+i))}))
	}
	must(t, s.Checkpoint())
	want := dump(t, s)
	s.Abandon()
	return readImages(t, dir), fs, want
}

// variables is how many variables filled has; each has been written more than once.
const variables = 150

// body is the i-th value that filled has written.
func body(i int) string { return strings.Repeat(fmt.Sprint(i), 20+i%50) }

// olderValues are the lines of variables that filled has written over: a page that was free again still holds them.
func olderValues() (lines []string) {
	for i := range 400 {
		lines = append(lines, fmt.Sprintf("%v/variable-%03d=%s\n", station.BucketVariable, i%variables, body(i)))
	}
	return lines
}

// hurt damages an image in one of the ways flash and file systems have.
func hurt(rng *rand.Rand, b []byte) (string, []byte) {
	b = slices.Clone(b)
	page := rng.IntN(len(b)/pageSize) * pageSize
	other := rng.IntN(len(b)/pageSize) * pageSize
	sector := page + rng.IntN(8)*faultfs.SectorSize
	switch kind := rng.IntN(10); kind {
	case 0, 1, 2:
		clear(b[sector : sector+faultfs.SectorSize])
		return fmt.Sprintf("zero sector at %d", sector), b
	case 3, 4, 5:
		at := page + rng.IntN(pageSize)
		if rng.IntN(2) == 0 {
			at = page + rng.IntN(64) // headers and elements
		}
		b[at] ^= 1 << rng.IntN(8)
		return fmt.Sprintf("flip a bit at %d", at), b
	case 6:
		clear(b[page : page+pageSize])
		return fmt.Sprintf("zero page at %d", page), b
	case 7:
		copy(b[page:page+pageSize], b[other:other+pageSize])
		return fmt.Sprintf("page %d holds page %d", page/pageSize, other/pageSize), b
	case 8:
		n := rng.IntN(len(b))
		return fmt.Sprintf("cut to %d bytes", n), b[:n]
	default:
		for i := range b[page : page+pageSize] {
			b[page+i] = byte(rng.Uint32())
		}
		return fmt.Sprintf("garbage page at %d", page), b
	}
}

// TestDamagedDatabase opens stores with one of the files damaged: the start succeeds, no value is wrong, and where
// one is missing or old the report says that there was damage.
func TestDamagedDatabase(t *testing.T) {
	rounds := 80
	if os.Getenv("EVSED_SOAK") != "" {
		rounds = 5000
	}
	for _, rolled := range []bool{false, true} {
		base, fs, truth := filled(t, rolled)
		lines := append(strings.SplitAfter(truth, "\n"), olderValues()...)
		noticed, whole := 0, 0
		for round := 0; round < rounds; round++ {
			rng := rand.New(rand.NewPCG(11, uint64(round)))
			im, which := base, rng.IntN(2)
			what, image := hurt(rng, base[which])
			im[which] = image
			what = fmt.Sprintf("round %d, file %d: %s", round, which, what)
			dir := t.TempDir()
			im.write(t, dir)
			s, rep, err := Open(dir, smallLog(fs.Reboot(func() bool { return true })))
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			got := dump(t, s)
			s.Abandon()
			if rep.Damaged() {
				noticed++
			}
			if got == truth {
				whole++
				continue
			}
			if !rep.Damaged() {
				t.Fatalf("%s: content differs, report %v", what, rep.Findings)
			}
			for _, l := range strings.SplitAfter(got, "\n") {
				if !slices.Contains(lines, l) && !strings.HasPrefix(l, "meta/filler=") {
					t.Fatalf("%s: wrong value %.60q", what, l)
				}
			}
		}
		t.Logf("journal gone round: %v; %d damaged images, %d noticed, %d came back complete", rolled, rounds, noticed, whole)
		if noticed < rounds/4 {
			t.Errorf("only %d of %d noticed", noticed, rounds)
		}
	}
}

func TestHopelessFiles(t *testing.T) {
	base, fs, _ := filled(t, false)
	for name, content := range map[string][]byte{
		"empty": {}, "zeros": make([]byte, 65536), "text": []byte("not a database"), "noise": bytes.Repeat([]byte{0xa5}, 40000),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			images{content, base[1]}.write(t, dir)
			s, rep, err := Open(dir, smallLog(fs.Reboot(func() bool { return true })))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Abandon()
			if !rep.Damaged() || rep.Findings[0].Code != FoundAside || rep.Findings[0].File != settingsName {
				t.Errorf("report %v", rep.Findings)
			}
			if b, err := os.ReadFile(filepath.Join(dir, settingsName+".corrupt-1")); err != nil || !bytes.Equal(b, content) {
				t.Errorf("the damaged file is not kept: %v", err)
			}
		})
	}
}

func TestMissingFiles(t *testing.T) {
	base, fs, truth := filled(t, true)
	dir := t.TempDir()
	images{base[0], nil}.write(t, dir)
	s, rep := mustOpen(t, dir, smallLog(fs.Reboot(func() bool { return true })))
	if rep.Fresh || !rep.Damaged() {
		t.Errorf("report %+v", rep)
	}
	if got := dump(t, s); !strings.Contains(got, "variable/variable-149") || got == truth {
		t.Errorf("settings were not kept:\n%.200s", got)
	}
}

func TestAsideCopiesAreBounded(t *testing.T) {
	dir := t.TempDir()
	for i := 0; i < 6; i++ {
		s, _ := mustOpen(t, dir, Options{})
		must(t, s.Close())
		must(t, os.WriteFile(filepath.Join(dir, stateName), []byte{byte(i)}, 0o600))
	}
	s, _ := mustOpen(t, dir, Options{})
	must(t, s.Close())
	got, err := asideNumbers(dir, stateName)
	if err != nil || len(got) != maxQuarantine || got[0] != 5 {
		t.Errorf("copies %v, %v", got, err)
	}
}

// withoutPage is an image of a database without the page in which a text stands.
func withoutPage(image []byte, text string) []byte {
	b := slices.Clone(image)
	for at := bytes.LastIndex(b, []byte(text)); at >= 0; at = bytes.LastIndex(b, []byte(text)) {
		page := at / pageSize * pageSize
		clear(b[page : page+pageSize])
	}
	return b
}

// TestPowerCutWhilePutAside cuts the power between putting a damaged database aside and putting the rebuilt one in its
// place: the next start still has the whole rows.
func TestPowerCutWhilePutAside(t *testing.T) {
	base, fs, truth := filled(t, true)
	dir := t.TempDir()
	base.write(t, dir)
	b := withoutPage(base[1], "token-200")
	must(t, os.WriteFile(filepath.Join(dir, stateName), b, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, stateName+newSuffix), base[1], 0o600))
	if _, err := putAside(dir, stateName); err != nil {
		t.Fatal(err)
	}
	s, rep := mustOpen(t, dir, smallLog(fs.Reboot(func() bool { return true })))
	if got := dump(t, s); len(got) < len(truth)/2 {
		t.Errorf("%d bytes of %d are left: %v", len(got), len(truth), rep.Findings)
	}
}

// TestRebuildOnFullDevice: a damaged database that cannot be rebuilt for want of room stays where it is, the start is
// refused with a reason, and behind the want everything whole is there.
func TestRebuildOnFullDevice(t *testing.T) {
	base, fs, truth := filled(t, true)
	dir := t.TempDir()
	b := withoutPage(base[1], "token-200")
	images{base[0], b}.write(t, dir)
	o := smallLog(fs.Reboot(func() bool { return true }))
	o.paged = func(string, bool) error { return syscall.ENOSPC }
	if _, _, err := Open(dir, o); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), stateName) {
		t.Errorf("open: %v", err)
	}
	if left, err := os.ReadFile(filepath.Join(dir, stateName)); err != nil || !bytes.Equal(left, b) {
		t.Errorf("the damaged database was touched: %v", err)
	}
	o.paged = nil
	s, rep := mustOpen(t, dir, o)
	if got := dump(t, s); len(got) < len(truth)/2 || !rep.Damaged() || rep.Fresh {
		t.Errorf("%d bytes of %d are left: %+v", len(got), len(truth), rep)
	}
}

// TestPageWalkSeesWhatBboltSees compares the two readers on databases of many shapes.
func TestPageWalkSeesWhatBboltSees(t *testing.T) {
	for seed := uint64(0); seed < 12; seed++ {
		rng := rand.New(rand.NewPCG(seed, 3))
		path := filepath.Join(t.TempDir(), "x.db")
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, NoSync: true, FreelistType: bbolt.FreelistMapType})
		must(t, err)
		for tx := 0; tx < 12; tx++ {
			must(t, db.Update(func(tx *bbolt.Tx) error {
				for i := 0; i < 1+rng.IntN(300); i++ {
					b, err := tx.CreateBucketIfNotExists([]byte{byte(1 + rng.IntN(4))})
					if err != nil {
						return err
					}
					key := []byte(fmt.Sprint(rng.IntN(2000)))
					if rng.IntN(3) == 0 {
						err = b.Delete(key)
					} else {
						err = b.Put(key, make([]byte, rng.IntN(1<<rng.IntN(14))))
					}
					if err != nil {
						return err
					}
				}
				return nil
			}))
			var want, got []string
			must(t, db.View(func(tx *bbolt.Tx) error {
				return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
					return b.ForEach(func(k, v []byte) error {
						want = append(want, fmt.Sprintf("%x %s %x", name, k, v))
						return nil
					})
				})
			}))
			f, err := os.Open(path)
			must(t, err)
			info, err := f.Stat()
			must(t, err)
			w, err := walkPages(f, info.Size(), func(bucket, k, v []byte) { got = append(got, fmt.Sprintf("%x %s %x", bucket, k, v)) })
			must(t, err)
			must(t, f.Close())
			if len(w.defects) > 0 || !slices.Equal(got, want) {
				t.Fatalf("seed %d: defects %v, %d rows of %d", seed, w.defects, len(got), len(want))
			}
		}
		must(t, db.Close())
	}
}

// TestDamagedJournal damages the journal's segments under a store: the start succeeds, every value is one that was
// written for its key, and where the content is not the newest the report says so.
func TestDamagedJournal(t *testing.T) {
	fs, dir := faultfs.New(), t.TempDir()
	s, _ := mustOpen(t, dir, smallLog(fs))
	written := map[string]bool{"": true}
	put := func(n int) {
		batch := []station.Record{
			set(station.BucketMeta, fmt.Sprintf("k%d", n%7), fmt.Sprint("value ", n)),
			set(station.BucketVariable, fmt.Sprintf("v%d", n), strings.Repeat(fmt.Sprint(n), n%900)),
		}
		for _, r := range batch {
			written[fmt.Sprintf("%v/%s=%s\n", r.Bucket, r.Key, r.Value)] = true
		}
		must(t, s.Commit(batch))
	}
	for n := 0; n < 20; n++ {
		put(n)
	}
	must(t, s.Checkpoint())
	for n := 20; n < 60; n++ {
		put(n)
	}
	truth := dump(t, s)
	s.Abandon()
	im := readImages(t, dir)
	noticed := 0
	for round := 0; round < 120; round++ {
		rng := rand.New(rand.NewPCG(13, uint64(round)))
		hurtFS := fs.Reboot(func() bool { return true })
		what := ""
		must(t, hurtFS.Damage("journal-0", func(b []byte) {
			var out []byte
			for what, out = hurt(rng, b); len(out) != len(b); what, out = hurt(rng, b) {
				continue // a file that is cut short has its own test
			}
			copy(b, out)
		}))
		what = fmt.Sprintf("round %d: %s", round, what)
		dir := t.TempDir()
		im.write(t, dir)
		s, rep, err := Open(dir, smallLog(hurtFS))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got := dump(t, s)
		s.Abandon()
		if len(rep.Findings) > 0 {
			noticed++
		}
		if got != truth && len(rep.Findings) == 0 {
			t.Fatalf("%s: content differs and no word of it", what)
		}
		for _, l := range strings.SplitAfter(got, "\n") {
			if !written[l] {
				t.Fatalf("%s: %.60q was never written", what, l)
			}
		}
	}
	if noticed < 30 {
		t.Errorf("only %d noticed", noticed)
	}
}
