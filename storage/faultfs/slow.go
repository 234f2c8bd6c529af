package faultfs

import "github.com/evsed/evsed/storage/journal"

// Slow returns a directory that calls wait before each sync of a file: a device that takes its time.
func Slow(fs journal.FS, wait func()) journal.FS { return slow{fs, wait} }

type slow struct {
	journal.FS
	wait func()
}

func (s slow) Open(name string) (journal.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return slowFile{f, s.wait}, nil
}

type slowFile struct {
	journal.File
	wait func()
}

func (f slowFile) SyncData() error {
	f.wait()
	return f.File.SyncData()
}
