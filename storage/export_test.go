package storage

// Paged sets who is told of the transactions of the databases.
func (o *Options) Paged(fn func(path string, written bool) error) { o.paged = fn }
