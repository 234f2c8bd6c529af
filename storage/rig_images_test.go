package storage_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage"
	"github.com/evsed/evsed/storage/faultfs"
)

// image is what is on flash while the power is off.
type image struct {
	files     *faultfs.FS
	databases map[string][]byte
}

func (w *world) image() image { return image{w.disk.files, w.disk.databases()} }

// targets are the files that a sector of may go bad.
var targets = [...]string{"journal-0", "journal-1", "settings.db", "state.db"}

// hurt damages one sector of a copy, and says where: three times of four one that carries something.
func (im image) hurt(w *world) (what string, out image) {
	out = image{im.files.Reboot(func() bool { return true }), maps.Clone(im.databases)}
	name := targets[w.rng.IntN(len(targets))]
	content := im.databases[name]
	if content == nil {
		content = im.files.Content(name)
	}
	from, to := 0, len(content)
	if full := carrying(content); len(full) > 0 && w.rng.IntN(4) > 0 {
		from = full[w.rng.IntN(len(full))]
		to = from + faultfs.SectorSize
	}
	what, bad := faultfs.Hurt(w.rng, content, from, to)
	if im.databases[name] != nil {
		out.databases[name] = bad
	} else if err := out.files.Damage(name, func(b []byte) { copy(b, bad) }); err != nil {
		w.fail("%v", err)
	}
	return name + ": " + what, out
}

// carrying lists the places of the sectors that are not as those before them: neither zeros nor blank cells of a journal.
func carrying(content []byte) []int {
	seen := map[string]bool{string(make([]byte, faultfs.SectorSize)): true}
	var full []int
	for at := 0; at+faultfs.SectorSize <= len(content); at += faultfs.SectorSize {
		if s := string(content[at : at+faultfs.SectorSize]); !seen[s] || at < 2*faultfs.PageSize {
			seen[s] = true
			full = append(full, at)
		}
	}
	return full
}

// open opens an image at a place of its own and reads everything that is in it.
func (im image) open(t *testing.T, opts storage.Options) (content map[string]string, rep storage.Report, err error) {
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, b := range im.databases {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return nil, rep, err
		}
	}
	opts.Files = im.files.Reboot(func() bool { return true })
	s, rep, err := storage.Open(dir, opts)
	if err != nil {
		return nil, rep, err
	}
	defer s.Abandon()
	content = map[string]string{}
	err = s.Load(func(r station.Record) error {
		content[place(r)] = string(r.Value)
		return nil
	})
	for after := ""; err == nil; {
		var head []storage.Entry
		if head, err = s.Head(after, storage.HeadWindow); len(head) == 0 {
			break
		}
		for _, e := range head {
			content[place(station.Record{Bucket: station.BucketOutbox, Key: e.Key})] = string(e.Value)
			after = e.Key
		}
	}
	return content, rep, err
}

func place(r station.Record) string { return fmt.Sprintf("%v/%s", r.Bucket, r.Key) }

// damageTally is what a run over damaged images found.
type damageTally struct {
	images, noticed, harmless, complete, lost, tail int
	repeats, differ                                 int
}

// TestDamagedImages damages one sector of the flash of a station that lives a random life, again and again: the station
// starts, what is not as it was is noticed, nothing comes back that was never written, and no message says anything that
// no meter showed. EVSED_IMAGES says how many images.
func TestDamagedImages(t *testing.T) {
	var all damageTally
	for seed := firstSeed(); all.images < count("EVSED_IMAGES", 150, soakImages); seed++ {
		w := newWorld(t, 1000+seed)
		w.deceived = true
		damagedLife(t, w, &all)
		if w.err != nil {
			t.Fatalf("seed %d: %v", seed, w.err)
		}
		all.differ, all.repeats = all.differ+w.csms.differ, all.repeats+w.csms.repeats
		w.remove()
	}
	t.Logf("%+v", all)
	figures(t, figure{"damaged images: images", all.images, "", "one sector zeroed or one bit flipped, in journal segments and both databases"},
		figure{"damaged images: reported", all.noticed, "", "a finding says so"},
		figure{"damaged images: harmless", all.harmless, "", "nobody noticed, and the content is what it was to the last byte"},
		figure{"damaged images: unnoticed loss", all.images - all.noticed - all.harmless, "", "the content is another and nobody noticed"},
		figure{"damaged images: complete", all.complete, "", "nothing was lost: second copy, journal or a free place"},
		figure{"damaged images: panics and failed starts", 0, "", ""},
		figure{"damaged images: wrong values sent", 0, "", "values that no meter showed"},
		figure{"damaged images: numbers used again", all.differ, "", "events of a transaction whose newest ones were lost and reported lost"})
	if all.noticed+all.harmless != all.images || all.noticed < all.images/20 {
		t.Errorf("of %d images %d were noticed and %d harmless", all.images, all.noticed, all.harmless)
	}
}

// damagedLife lives a life of 20 damages.
func damagedLife(t *testing.T, w *world, all *damageTally) {
	w.opts.CheckpointRecords = 40
	w.line.wanted = true
	history := map[string]map[string]bool{}
	w.keeper.history = history
	w.boot()
	if w.rng.IntN(3) > 0 { // a long time offline: databases of many pages, and a journal that has gone round
		for _, l := range strings.Split("advance 2s;set AuthCtrlr/OfflineTxForUnknownIdEnabled=true;set SampledDataCtrlr/TxUpdatedInterval=5;down;plug 1;swipe ALICE;advance 900s", ";") {
			w.tell(l)
		}
	}
	for range 20 {
		w.boot()
		for range 2 + w.rng.IntN(20) {
			w.boot()
			w.tell(w.random())
		}
		w.cut()
		if w.err != nil {
			return
		}
		sound := w.image()
		what, hurt := sound.hurt(w)
		truth, rep, err := sound.open(t, w.opts)
		if err != nil {
			w.fail("undamaged: %v", err)
			return
		}
		if len(rep.Findings) > 0 { // an earlier damage in a free place, which the log has come to now
			continue
		}
		got, rep, err := hurt.open(t, w.opts)
		if err != nil {
			w.fail("%s: %v", what, err)
			return
		}
		all.count(w, what, truth, got, rep, history)
		w.damaged(hurt)
		w.advance(3 * time.Second)
	}
}

// damaged puts an image in the place of what is on flash.
func (w *world) damaged(im image) {
	w.disk.files, w.disk.after = im.files, im.databases
	w.disk.files.PowerOff()
	w.disk.settle()
	clear(w.keeper.promised) // it may be lost; what is told must still be true
}

func (all *damageTally) count(w *world, what string, truth, got map[string]string, rep storage.Report, history map[string]map[string]bool) {
	if rep.Fresh && len(truth) > 0 {
		w.fail("%s: the station takes itself for new", what)
	}
	all.images++
	same := maps.Equal(truth, got)
	switch {
	case len(rep.Findings) > 0:
		all.noticed++
	case same:
		all.harmless++
	default:
		w.fail("%s: the content differs and nobody noticed: %s", what, difference(truth, got))
	}
	if same {
		all.complete++
	} else {
		all.lost++
		if !rep.Damaged() {
			all.tail++
		}
	}
	for key, value := range got {
		if truth[key] != value && !history[key][value] {
			w.fail("%s: %s is %q, which was never written", what, key, value)
		}
	}
}

func difference(truth, got map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(truth)) {
		if got[key] != truth[key] {
			return fmt.Sprintf("%s is %q, not %q", key, got[key], truth[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := truth[key]; !ok {
			return fmt.Sprintf("%s is back: %q", key, got[key])
		}
	}
	return "nowhere"
}
