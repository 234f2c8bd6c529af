package ocmf

// Equal says whether both are one key, however each was written. Keys of curves that this build cannot reckon with are not
// compared: they equal nothing.
func (k Key) Equal(o Key) bool {
	return k.public != nil && o.public != nil && k.public.Equal(o.public)
}
