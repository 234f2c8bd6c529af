package rpc

// What a peer may make us keep. The numbers are ours; OCPP only bounds single fields.
const (
	DefaultFrame  = 512 << 10 // bytes of one frame: raw and its copy stay below 1 MiB
	DefaultDepth  = 32        // nested objects and lists; the deepest message of 2.1 needs 13
	DefaultList   = 1024      // elements of a list that is kept: the largest maxItems of the schemas
	DefaultStream = 131072    // elements of a list that is handed on one by one

	MaxCustomData = 4 << 10 // bytes of one customData object, which a schema leaves open
	MaxMessageID  = 36      // characters (part 4, 4.1.4)
	MaxReason     = 255     // characters of errorDescription (part 4, 4.2.3)
)

// Limits bounds what is accepted from a peer. A zero field means its default.
type Limits struct {
	Frame  int // bytes
	Depth  int // nesting
	List   int // elements of a list that is kept
	Stream int // elements of a list that is handed on one by one
}

func (l Limits) filled() Limits {
	if l.Frame <= 0 {
		l.Frame = DefaultFrame
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	if l.List <= 0 {
		l.List = DefaultList
	}
	if l.Stream <= 0 {
		l.Stream = DefaultStream
	}
	return l
}
