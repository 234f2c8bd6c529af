package storage_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

// disk is the flash of a world: journal and side files in memory behind faultfs, the databases in a directory that is seen
// from outside. Writes are counted over both; the power can go in any of them.
type disk struct {
	w      *world
	files  *faultfs.FS
	held   map[string][]byte // databases as they were before the transaction under way
	after  map[string][]byte // what the cut left of the databases
	writes int               // calls of the files and pages of the databases, over all boots
	cutAt  int               // the power goes in this one; 0: in none
	keep   func() bool       // chooses what of the unsynced is there behind the cut
	script func(faultfs.Call) (faultfs.Fault, bool)
	cuts   int
	calls  int // that a script has seen

	why            error // writes of the databases fail
	packed, robbed bool  // there is no room; somebody else took that of the reserve
}

// arm sets the write in which the power goes.
func (d *disk) arm(at int, keep func() bool) {
	d.cutAt, d.keep = at, keep
	d.watch()
}

func (d *disk) watch() {
	d.files.Script(func(c faultfs.Call) (faultfs.Fault, bool) {
		if d.writes++; d.writes == d.cutAt {
			d.after = d.databases()
			return faultfs.Fault{Kind: faultfs.Cut}, true
		}
		if d.script != nil {
			return d.script(c)
		}
		return faultfs.Fault{}, false
	})
}

// ailing reports whether a start may be refused: the device fails every call, or there was no room for the first start. A
// device that became full later is no reason.
func (d *disk) ailing() bool { return d.why != nil || d.packed && len(d.w.csms.heard) == 0 }

func (d *disk) off() bool { return d.files.Off() }

// cutNow cuts the power between two writes.
func (d *disk) cutNow() {
	if !d.off() {
		d.after = d.databases()
		d.files.PowerOff()
	}
}

func (d *disk) has(name string) bool {
	names, err := d.files.List()
	return err == nil && slices.Contains(names, name)
}

// databases reads every file that passes faultfs by.
func (d *disk) databases() map[string][]byte {
	all := map[string][]byte{}
	entries, err := os.ReadDir(d.w.dir)
	if err != nil {
		d.w.fail("%v", err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(d.w.dir, e.Name()))
		if err != nil {
			d.w.fail("%v", err)
		}
		all[e.Name()] = b
	}
	return all
}

// paged sees a transaction of a database: bbolt writes the data pages in order, syncs, writes a meta page, syncs. The
// power may go in each of these writes; until the sync any of the pages before it may be on the device, or none.
func (d *disk) paged(path string, written bool) error {
	if d.off() {
		return faultfs.ErrCut
	}
	if !written && d.why != nil {
		return d.why
	}
	if !written && d.packed && (d.robbed || d.has("reserve")) {
		return syscall.ENOSPC
	}
	image, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !written {
		d.held[path] = image
		return nil
	}
	before := d.held[path]
	pages := faultfs.Changed(before, image)
	first := d.writes
	d.writes += len(pages)
	if d.cutAt <= first || d.cutAt > d.writes {
		return nil
	}
	n := d.cutAt - first // pages that were begun, the meta page last
	data := pages
	for len(data) > 0 && data[0] < 2 {
		data = data[1:] // it stands at the front of the file and is written last
	}
	d.after = d.databases()
	d.after[filepath.Base(path)] = faultfs.Partly(before, image, true, func(page int) bool {
		switch {
		case n > len(data): // the meta page is being written: what comes before it is synced
			return page >= 2 || d.keep()
		case page < 2:
			return false
		}
		return page <= data[n-1] && d.keep()
	})
	d.files.PowerOff()
	return faultfs.ErrCut
}

// settle makes of what the cut left the disk of the next boot.
func (d *disk) settle() {
	if d.keep == nil {
		d.keep = func() bool { return true }
	}
	d.files = d.files.Reboot(d.keep)
	d.files.Always(d.why)
	if d.packed {
		d.files.Room(0)
	}
	if d.cutAt > 0 && d.cutAt <= d.writes {
		d.cutAt = 0
		d.cuts++
	}
	d.watch()
	now := d.databases()
	for name := range now {
		if _, ok := d.after[name]; !ok {
			_ = os.Remove(filepath.Join(d.w.dir, name))
		}
	}
	for name, b := range d.after {
		if old, ok := now[name]; ok && string(old) == string(b) {
			continue
		}
		path := filepath.Join(d.w.dir, name)
		_ = os.Remove(path) // a mapping of the old life may be left
		if err := os.WriteFile(path, b, 0o600); err != nil {
			d.w.fail("%v", err)
		}
	}
	d.after = nil
}

// keeper is the journal of the runner: a store, without a goroutine. It notes what was promised.
type keeper struct {
	w        *world
	handed   uint64
	durable  uint64
	owed     []station.Record           // messages handed over and not durable
	promised map[string]string          // messages that are durable and that the CSMS has not heard
	slow     bool                       // a sync takes its time
	history  map[string]map[string]bool // every value that was handed over, by place; nil: nobody asks
}

// Append implements run.Journal.
func (k *keeper) Append(batch []station.Record, sync bool) (uint64, error) {
	if k.w.disk.off() {
		return 0, faultfs.ErrCut
	}
	var err error
	if sync && !k.slow {
		err = k.w.store.Commit(batch)
	} else {
		err = k.w.store.Note(batch)
	}
	if refused(err) {
		return 0, err
	}
	k.handed++
	for _, r := range batch {
		if k.history != nil {
			if k.history[place(r)] == nil {
				k.history[place(r)] = map[string]bool{}
			}
			k.history[place(r)][string(r.Value)] = true
		}
		if r.Bucket == station.BucketOutbox && r.Value != nil {
			k.owed = append(k.owed, station.Record{Key: r.Key, Value: append([]byte{}, r.Value...)})
		}
	}
	switch {
	case sync && k.slow:
		k.w.later(slowSync, k.flush)
	case sync && err == nil:
		k.reached()
	}
	return k.handed, nil
}

// DurableTo implements run.Journal.
func (k *keeper) DurableTo() uint64 { return k.durable }

// reached notes that everything handed over is durable.
func (k *keeper) reached() {
	k.durable = k.handed
	for _, r := range k.owed {
		if k.w.csms.heard[r.Key] != string(r.Value) { // a note becomes durable by itself
			k.promised[r.Key] = string(r.Value)
		}
	}
	k.owed = nil
}

func (k *keeper) flush() {
	if k.w.store.Commit(nil) == nil {
		k.reached()
	}
	k.w.turn()
}

// tick gives the store the time.
func (k *keeper) tick() {
	k.w.store.Tick(k.w.mono())
	if k.durable < k.handed && k.w.store.State().Code == "" {
		k.flush()
		return
	}
	k.w.turn()
}
