package storage

// ListName returns the file name of a list by its generation, which is how records name it.
func ListName(generation uint64) string { return listName(generation) }

// Generation returns the number that tells this list from every other of its store.
func (l *List) Generation() uint64 { return l.generation }
