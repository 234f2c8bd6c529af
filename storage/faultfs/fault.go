package faultfs

// Kind says what a fault does to its call.
type Kind uint8

// Kinds of faults. Those that concern writes alone leave any other call as it is.
const (
	Fail      Kind = iota // the call returns the error and does nothing
	Short                 // a write reaches the file in a part that ends within a sector, and returns the error
	Torn                  // a write reaches the device in its first half; it returns the error, and with none nobody is told
	Lost                  // a write is acknowledged and never reaches the device
	Late                  // a write is acknowledged, passes the next sync by and reaches the device with the one behind it
	Misplaced             // a write reaches the device one block further on
	Cut                   // the power goes during the call: it may or may not have an effect
	noFault
)

// Fault is how a call goes wrong.
type Fault struct {
	Kind Kind
	Err  error
}

// Op is a kind of call.
type Op uint8

// Ops that are counted.
const (
	OpCreate Op = iota
	OpRename
	OpRemove
	OpSyncDir
	OpWrite
	OpSync
	OpAllocate
	OpTruncate
)

// Call is one counted call.
type Call struct {
	N    int // from 1
	Op   Op
	File string
	Size int // bytes of a write
}

// Plan makes the n-th counted call from the very first one on go wrong.
func (f *FS) Plan(n int, kind Kind, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan[n] = Fault{kind, err}
}

// Script asks fn about every counted call that no Plan speaks of; false leaves it as it is. fn must not call the FS.
func (f *FS) Script(fn func(Call) (Fault, bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = fn
}

// Always makes every counted call fail with err, until Always(nil): a device that is full, read-only or broken.
func (f *FS) Always(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.always = err
}

// PowerOff cuts the power between two calls.
func (f *FS) PowerOff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
}

// enter counts a call and says how it is to go wrong; mu is held.
func (f *FS) enter(c Call) (Fault, error) {
	if f.off {
		return Fault{}, ErrCut
	}
	f.calls++
	p, ok := f.plan[f.calls]
	if !ok && f.script != nil {
		c.N = f.calls
		p, ok = f.script(c)
	}
	switch {
	case !ok && f.always != nil:
		return Fault{}, f.always
	case !ok:
		return Fault{Kind: noFault}, nil
	case p.Kind == Cut:
		f.off = true
	case p.Kind == Fail:
		return p, p.Err
	}
	return p, nil
}
