package station

import (
	"slices"
	"strings"

	"github.com/evsed/evsed/station/term"
)

// maxFaultInfo is how much is kept of what is said of a fault, in bytes.
const maxFaultInfo = 255

// trouble is what is said of the faults of one component besides their names, one text for each; and what of it the CSMS was
// told last.
type trouble struct {
	causes []faultCause // by fault
	told   string
}

type faultCause struct {
	fault term.Fault
	info  string
}

// set keeps what is said of a fault; "" is nothing.
func (t *trouble) set(f term.Fault, info string) {
	t.causes = slices.DeleteFunc(t.causes, func(c faultCause) bool { return c.fault == f })
	if info = cutText(info, maxFaultInfo); info == "" {
		return
	}
	i, _ := slices.BinarySearchFunc(t.causes, f, func(c faultCause, f term.Fault) int { return int(c.fault) - int(f) })
	t.causes = slices.Insert(t.causes, i, faultCause{f, info})
}

// text is what is said of those faults, behind a text that is there already.
func (t *trouble) text(of faultSet, before string) string {
	var words []string
	if before != "" {
		words = append(words, before)
	}
	for _, c := range t.causes {
		if of.has(c.fault) {
			words = append(words, c.info)
		}
	}
	return cutText(strings.Join(words, "; "), maxFaultInfo)
}

// stopping reports whether a fault of the EVSE lets no energy flow: a silent meter does where energy is billed by it.
func (e *evse) stopping() bool {
	return e.faults.stopping() || e.cfg.Billing && e.faults.has(term.FaultMeter)
}

// refuse marks an EVSE that the station has and this program does not charge at: it is Unavailable for good, and the CSMS is
// told why.
func (e *evse) refuse() {
	if e.cfg.Refused != "" {
		e.faults.set(term.FaultOther, true)
		e.trouble.set(term.FaultOther, e.cfg.Refused)
	}
}
