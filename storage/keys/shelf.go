package keys

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/evsed/evsed/storage/journal"
)

// Endings of files in the folder of keys.
const (
	endKey     = ".key"
	endSecret  = ".secret"
	endNew     = ".new"     // being written; worth nothing until it is renamed
	endDamaged = ".damaged" // put aside: at most one of each name
)

// shelf is the folder of the entries' files.
type shelf struct {
	files journal.FS
	names map[string]bool // of whole files, with their ending
}

func openShelf(files journal.FS) (*shelf, error) {
	sh := &shelf{files: files}
	if err := sh.list(); err != nil {
		return nil, err
	}
	return sh, nil
}

// list reads the folder anew and sweeps what a power cut left half written.
func (sh *shelf) list() error {
	all, err := sh.files.List()
	if err != nil {
		return err
	}
	sh.names = map[string]bool{}
	for _, name := range all {
		switch {
		case strings.HasSuffix(name, endKey), strings.HasSuffix(name, endSecret):
			sh.names[name] = true
		case strings.HasSuffix(name, endNew):
			_ = sh.files.Remove(name) // else the next write does it
		}
	}
	return nil
}

func (sh *shelf) count() int { return len(sh.names) }

// put writes a file durably: whole under its name, or not at all.
func (sh *shelf) put(name string, content []byte) error {
	if !sh.names[name] && len(sh.names) >= MaxEntries {
		return fmt.Errorf("%d entries: %w", len(sh.names), ErrFull)
	}
	if len(content) > maxEntry {
		return fmt.Errorf("%d bytes: %w", len(content), ErrTooLarge)
	}
	err := writeFile(sh.files, name, content)
	if err != nil {
		return errors.Join(err, sh.list()) // what is there is what the device says
	}
	sh.names[name] = true
	return nil
}

// writeFile puts content under name by way of a new file.
func writeFile(files journal.FS, name string, content []byte) error {
	f, err := files.Open(name + endNew)
	if err != nil {
		return err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(content, 0)
	}
	if err == nil {
		err = f.SyncData()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := files.Rename(name+endNew, name); err != nil {
		return err
	}
	return files.SyncDir()
}

// get reads a file; ErrNotFound when it is not there.
func (sh *shelf) get(name string) ([]byte, error) {
	if !sh.names[name] {
		return nil, ErrNotFound
	}
	return readFile(sh.files, name, maxEntry)
}

// readFile reads at most most bytes of a file that is there, and one more where it is longer.
func readFile(files journal.FS, name string, most int) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.NewSectionReader(f, 0, int64(most)+1))
	return content, errors.Join(err, f.Close())
}

func (sh *shelf) remove(name string) error {
	if !sh.names[name] {
		return nil
	}
	if err := sh.files.Remove(name); err != nil {
		return err
	}
	delete(sh.names, name)
	return sh.files.SyncDir()
}

// aside puts a damaged file away and says under which name.
func (sh *shelf) aside(name string) string {
	if err := sh.files.Rename(name, name+endDamaged); err != nil {
		return "left in place, " + err.Error()
	}
	delete(sh.names, name)
	_ = sh.files.SyncDir() // if not: it is found damaged again
	return "put aside as " + name + endDamaged
}

// keys lists the names of entries with an ending, sorted and without it.
func (sh *shelf) keys(ending string) []string {
	var names []string
	for name := range sh.names {
		if n, ok := strings.CutSuffix(name, ending); ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// checkName refuses what is no name of an entry.
func checkName(name string) error {
	ok := len(name) > 0 && len(name) <= MaxName && strings.IndexByte("._-", name[0]) < 0
	for _, c := range []byte(name) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		ok = ok && (letter || strings.IndexByte("._-", c) >= 0)
	}
	if !ok {
		return fmt.Errorf("key store name %.100q: %w", name, ErrName)
	}
	return nil
}
