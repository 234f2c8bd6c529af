package rpc

// Opt is a value that may be absent. It lies in its struct, so that setting it allocates nothing.
type Opt[T any] struct {
	V   T
	Has bool
}

// Some returns v as a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, Has: true} }

// Get returns the value and whether it is present.
func (o Opt[T]) Get() (T, bool) { return o.V, o.Has }

// Or returns the value, or def where it is absent.
func (o Opt[T]) Or(def T) T {
	if o.Has {
		return o.V
	}
	return def
}
