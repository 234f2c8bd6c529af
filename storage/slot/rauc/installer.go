package rauc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// MaxBundle is how large a bundle may be, in bytes.
const MaxBundle = 1 << 30

func tooLarge(size int64) error {
	return fmt.Errorf("%w: bundle of %d bytes: want at most %d", image.ErrSize, size, MaxBundle)
}

// Options are what a bench sets.
type Options struct {
	// Progress hears how far an installation is.
	Progress func(Progress)
	// Boot tells this boot from another. "": as the kernel says.
	Boot string
	// Version is told where RAUC does not know what it booted: of a system that it did not install.
	Version string
	// Alone says whether there is no CSMS now; nil: there is one. The trial remembers it of the moment of its decision.
	Alone func() bool
}

// Installer is RAUC as slot.Installer.
type Installer struct {
	ctx      context.Context
	address  string
	dir      string
	progress func(Progress)
	boot     string
	version  string
	alone    func() bool

	mu     sync.Mutex // guards what follows
	note   note
	status slot.Status
}

var _ slot.Installer = (*Installer)(nil)

// Open makes ready to install by the RAUC of a system. address: of the bus, as D-Bus writes it; "" is the system's. dir is for
// the bundle and what must survive: RAUC, which is root, reads the bundle there. Whatever waits for RAUC ends with ctx.
//
// A RAUC that does not answer is no error of Open: the station works without. Probe says so.
func Open(ctx context.Context, address, dir string, o Options) (*Installer, error) {
	if address == "" {
		address = SystemBus
	}
	if o.Boot == "" {
		b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
		if err != nil {
			return nil, fmt.Errorf("tell this boot from another: %w", err)
		}
		o.Boot = strings.TrimSpace(string(b))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make room for bundles: %w", err)
	}
	i := &Installer{ctx: ctx, address: address, dir: dir, progress: o.Progress, boot: o.Boot, version: o.Version, alone: o.Alone}
	var err error
	if i.note, err = load(i.notes()); err != nil {
		return nil, fmt.Errorf("read what was installed: %w", err)
	}
	i.status.History, i.status.Running.Version = i.note.History, o.Version
	return i, nil
}

func (i *Installer) notes() string  { return filepath.Join(i.dir, "rauc.json") }
func (i *Installer) bundle() string { return filepath.Join(i.dir, "bundle.raucb") }

// Probe asks RAUC how the slots are, and notes what the boot loader decided. Its error is ErrBus or ErrService where there is
// no RAUC to ask.
func (i *Installer) Probe() error {
	b, err := dial(i.ctx, i.address)
	if err != nil {
		return err
	}
	defer b.close()
	_, err = i.look(b)
	return err
}

// view is how RAUC sees the slots.
type view struct {
	booted, primary slotState
}

// look asks for the slots and settles what a trial came to.
func (i *Installer) look(b *bus) (v view, err error) {
	all, err := b.slots(i.ctx)
	if err != nil {
		return v, err
	}
	var primary string
	if err := b.call(i.ctx, installer+".GetPrimary", nil, &primary); err != nil {
		return v, err
	}
	for _, s := range all {
		if s.text("state") == "booted" {
			v.booted = s
		}
		if s.Name == primary {
			v.primary = s
		}
	}
	if v.booted.Name == "" {
		return v, fmt.Errorf("%w: it does not know which slot is booted", ErrService)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return v, i.settle(v)
}

// settle notes what became of an update since the boot in which it began.
func (i *Installer) settle(v view) error {
	n := i.note
	name := slot.Name(clip(v.booted.Name))
	if n.From != "" && n.Boot != i.boot && v.booted.Name == n.From {
		if n.Done {
			if n.ReturnedFrom = n.To; n.Code == "" {
				n.Code, n.Why = slot.CodeStarts, "the boot loader went back to "+string(name)
			}
			n.tell("returned", name, n.To, n.Why)
		}
		n.ended() // and without Done RAUC never got so far
	}
	i.status = slot.Status{Next: slot.Name(clip(v.primary.Name)), History: n.History}
	i.status.Running = slot.Boot{Slot: name, Version: i.version}
	if version := v.booted.text("bundle.version"); version != "" {
		i.status.Running.Version = version
	}
	if n.ReturnedFrom != "" {
		i.status.Running.ReturnedFrom, i.status.Running.Code, i.status.Running.Why = n.ReturnedFrom, n.Code, n.Why
	}
	if n.From != "" && v.booted.Name != n.From {
		i.status.Running.Trial, i.status.Running.Alone = true, n.Alone
		if n.To != "" {
			i.status.Running.Version = n.To
		}
	}
	i.status.Trial = n.From != "" && v.primary.Name != n.From
	if n.From == i.note.From && len(n.History) == len(i.note.History) {
		return nil
	}
	return i.keep(n)
}

// keep makes a note durable.
func (i *Installer) keep(n note) error {
	if err := n.save(i.notes()); err != nil {
		return fmt.Errorf("keep what was installed: %w", full(err))
	}
	i.note, i.status.History = n, n.History
	return nil
}

// Status is how the slots were when RAUC was last asked.
func (i *Installer) Status() slot.Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.status
	if f, err := os.Stat(i.bundle()); err == nil {
		s.Staged = f.Size()
	}
	return s
}

// Stage opens the spool.
func (i *Installer) Stage(_ context.Context, size int64) (slot.Writer, error) {
	if size > MaxBundle {
		return nil, tooLarge(size)
	}
	s, err := openSpool(i.bundle())
	if err != nil {
		return nil, err
	}
	var room unix.Statfs_t
	if err := unix.Statfs(i.dir, &room); err == nil && size > 0 && uint64(size-min(size, s.size)) > room.Bavail*uint64(room.Bsize) {
		s.f.Close()
		return nil, fmt.Errorf("%w: %d bytes", slot.ErrFull, size)
	}
	return s, nil
}

// Check asks RAUC whether the bundle is signed by a key that counts, for what it says it is, and looks at whether it is for
// this system and not older than what was good.
func (i *Installer) Check() (slot.Manifest, error) {
	b, err := dial(i.ctx, i.address)
	if err != nil {
		return slot.Manifest{}, err
	}
	defer b.close()
	m, _, err := i.check(b)
	return m, err
}

func (i *Installer) check(b *bus) (m slot.Manifest, version string, err error) {
	file, err := os.Stat(i.bundle())
	if errors.Is(err, fs.ErrNotExist) || err == nil && file.Size() == 0 {
		return m, "", slot.ErrNothing
	}
	if err != nil {
		return m, "", fmt.Errorf("look at the bundle: %w", err)
	}
	var compatible, ours string
	if err := b.call(i.ctx, installer+".Info", []any{i.bundle()}, &compatible, &version); err != nil {
		return m, "", fmt.Errorf("check the bundle: %w", err)
	}
	if err := b.property(i.ctx, "Compatible", &ours); err != nil {
		return m, "", err
	}
	if compatible != ours {
		return m, "", fmt.Errorf("%w: the bundle is for %q, and this is %q", image.ErrHardware, clip(compatible), clip(ours))
	}
	if m.Version, err = image.ParseVersion(version); err != nil {
		return m, "", fmt.Errorf("%w: version of the bundle: %w", image.ErrFormat, err) // what has no order could be older
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.note.older(version) {
		return m, "", fmt.Errorf("%w: bundle %s, and %s was good", image.ErrOlder, version, i.note.Highest)
	}
	m.Product, m.Length = clip(compatible), file.Size()
	return m, version, nil
}

// Activate lets RAUC install the bundle; the next start tries it. It takes as long as the writing does.
func (i *Installer) Activate() error {
	b, err := dial(i.ctx, i.address)
	if err != nil {
		return err
	}
	defer b.close()
	v, err := i.look(b)
	if err != nil {
		return err
	}
	if i.Status().Running.Trial {
		return slot.ErrTrial
	}
	_, version, err := i.check(b)
	if err != nil {
		return err
	}
	begun := note{From: v.booted.Name, Boot: i.boot, To: version, Alone: i.alone != nil && i.alone()}
	if err := i.change(func(n *note) {
		n.begin(begun)
	}); err != nil {
		return err
	}
	if err := b.install(i.ctx, i.bundle(), i.progress); err != nil {
		return errors.Join(fmt.Errorf("install the bundle: %w", err), i.change(func(n *note) {
			n.ended()
			n.tell("refused", slot.Name(clip(v.booted.Name)), version, clip(err.Error()))
		}))
	}
	err = i.change(func(n *note) {
		n.Done = true
		n.tell("activated", slot.Name(clip(v.booted.Name)), version, "")
	})
	if err == nil {
		_, err = i.look(b)
	}
	// RAUC has its own copy now.
	return errors.Join(err, remove(i.bundle()), remove(i.bundle()+".tag"))
}

func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// change makes a change of the note durable.
func (i *Installer) change(f func(*note)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := i.note
	n.History = append([]slot.Entry(nil), n.History...)
	f(&n)
	return i.keep(n)
}

// Good tells the boot loader to stay with what is booted. It does so after each start: boot loaders count the starts that
// nobody called good, and not only those of a trial.
func (i *Installer) Good() error {
	b, err := dial(i.ctx, i.address)
	if err != nil {
		return err
	}
	defer b.close()
	v, err := i.look(b)
	if err != nil {
		return err
	}
	if err := b.mark(i.ctx, "good", "booted"); err != nil {
		return fmt.Errorf("call the booted slot good: %w", err)
	}
	trial, version := i.Status().Running.Trial, v.booted.text("bundle.version")
	if !trial {
		return i.change(func(n *note) { n.good(version) })
	}
	if err := i.change(func(n *note) {
		if version == "" {
			version = n.To
		}
		n.good(version)
		n.tell("good", slot.Name(clip(v.booted.Name)), version, "")
		n.ended()
	}); err != nil {
		return err
	}
	_, err = i.look(b)
	return err
}

// Rollback lets the next start be what was good before. Where nothing was installed it does nothing.
func (i *Installer) Rollback() error { return i.Return(slot.CodeRollback, "taken back") }

// Return is Rollback with its reason, which the status tells once what was good before has started.
func (i *Installer) Return(code, why string) error {
	b, err := dial(i.ctx, i.address)
	if err != nil {
		return err
	}
	defer b.close()
	v, err := i.look(b)
	if err != nil {
		return err
	}
	i.mu.Lock()
	from, to := i.note.From, i.note.To
	i.mu.Unlock()
	if from == "" {
		return nil
	}
	if err := b.mark(i.ctx, "active", from); err != nil {
		return fmt.Errorf("go back to %s: %w", from, err)
	}
	trial := v.booted.Name != from
	if trial {
		if err := b.mark(i.ctx, "bad", "booted"); err != nil {
			return fmt.Errorf("call the booted slot bad: %w", err)
		}
		if err := i.change(func(n *note) { n.Code, n.Why = code, clip(why) }); err != nil {
			return err
		}
	} else if err := i.change(func(n *note) {
		n.tell("returned", slot.Name(clip(from)), to, clip(why)+" before the start")
		n.ended()
	}); err != nil {
		return err
	}
	_, err = i.look(b)
	return err
}
