package hal

// Ailment says why a device of the guard cannot be trusted, where more is known than that it cannot. It is an error, and so small
// that a guard can hand it on without allocating. Guard and station may be two builds: a number keeps its meaning for ever.
type Ailment uint8

// Ailments; the zero value is none that is known.
const (
	AilNone        Ailment = iota
	AilSilent              // a safety controller of which no frame comes
	AilGarbled             // one of which only broken frames come
	AilReset               // one that has started anew
	AilLine                // one whose port is gone
	AilVersion             // one of another version of the protocol
	AilFunctions           // one that does not own what the board gives to it
	AilConnectors          // one with fewer connectors than the board
	AilPatience            // one that would wait longer for this end than the board allows
	AilContradicts         // one whose words contradict each other
	AilDeaf                // one that does not hear this end
	AilFrozen              // a converter that shows one count only
	AilLowStands           // a low half that shows what nobody drives
	AilHighStands          // a high half likewise
	AilUnreadable          // a device that gives an error of the kernel
	Ailments               // how many there are
)

var ailmentTexts = [Ailments]string{
	AilNone:        "nothing is known to be wrong",
	AilSilent:      "the safety controller says nothing",
	AilGarbled:     "what the safety controller says has wrong checksums",
	AilReset:       "the safety controller has started anew",
	AilLine:        "the line to the safety controller is broken",
	AilVersion:     "the safety controller speaks no common version of the protocol",
	AilFunctions:   "the safety controller does not own what the board gives to it",
	AilConnectors:  "the safety controller has fewer connectors than the board",
	AilPatience:    "the safety controller waits longer for this end than the board allows",
	AilContradicts: "the safety controller contradicts itself",
	AilDeaf:        "the safety controller does not hear this end",
	AilFrozen:      "the converter is frozen: it shows one count only",
	AilLowStands:   "the low half shows -12 V that nobody drives: its converter is frozen, or the generator runs by itself",
	AilHighStands:  "the high half shows a voltage while the line is held low: its converter is frozen, or the generator does not follow",
	AilUnreadable:  "a device of the pilot cannot be read",
}

// Error says it in words.
func (a Ailment) Error() string {
	if a >= Ailments {
		return "something that this version does not know"
	}
	return ailmentTexts[a]
}

// OfController reports whether it is a safety controller that ails.
func (a Ailment) OfController() bool { return a >= AilSilent && a <= AilDeaf }

// Lasting reports whether it stays until somebody changes the controller or the board: it is told even where a passing one was
// told already.
func (a Ailment) Lasting() bool { return a >= AilVersion && a <= AilPatience }

// AilmentOf returns the ailment that an error of a device is.
func AilmentOf(err error) Ailment {
	if a, ok := err.(Ailment); ok { // no more than that: to look into an error would allocate
		return a
	}
	return AilUnreadable
}
