package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Wipe is the factory reset: every record, list, copy and number is gone, and the store goes on empty. A power cut in
// the middle is finished by the next Open.
func (s *Store) Wipe() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	marker, err := os.OpenFile(filepath.Join(s.dir, wipeName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin factory reset: %w", err)
	}
	if err := firstError(marker.Close(), syncDir(s.dir)); err != nil {
		return fmt.Errorf("begin factory reset: %w", err)
	}
	if err := firstError(s.settings.close(), s.state.close(), s.journal.Close()); err != nil {
		return err
	}
	s.overlay, s.pending, s.waiting = overlay{}, nil, map[recordKey]waiting{}
	s.records, s.bytes, s.acks, s.durable = 0, 0, 0, s.accepted
	s.handed, s.full, s.health, s.found = "", false, health{}, nil
	var rep Report
	if err := s.openAll(&rep); err != nil {
		s.closed = true
		return fmt.Errorf("finish factory reset: %w", err)
	}
	return nil
}

// finishWipe removes everything if a factory reset was begun. The marker goes last.
func (s *Store) finishWipe() error {
	marker := filepath.Join(s.dir, wipeName)
	if _, err := os.Stat(marker); os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	names, err := s.opts.Files.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		if ours(name) {
			if err := s.opts.Files.Remove(name); err != nil {
				return err
			}
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ours(e.Name()) {
			if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	if err := firstError(s.opts.Files.SyncDir(), syncDir(s.dir), os.Remove(marker)); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// ours reports whether a file in the state directory belongs to storage and holds data.
func ours(name string) bool {
	for _, prefix := range []string{settingsName, stateName, "journal-", listPrefix} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
