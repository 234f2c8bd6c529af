package soap

// What a peer may make us read. The deepest message, SetChargingProfile of 1.6, nests seven elements.
const (
	MaxEnvelope   = 512 << 10 // bytes of an envelope
	maxDepth      = 24        // nested elements
	maxAttributes = 32        // of one element
	maxName       = 128       // bytes of a name or prefix
	maxBindings   = 64        // prefixes in force at once
	maxHeaders    = 64        // header blocks
	maxHeaderText = 2 << 10   // bytes of the text of a header that is kept
	maxQuoted     = 80        // bytes of what a peer wrote that a fault repeats
)
