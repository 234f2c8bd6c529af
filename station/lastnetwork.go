package station

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// workedNetwork is the profile of a connection on which the CSMS has answered, as it was then. A station that its CSMS
// sends to a wrong address finds back with it, behind a restart too (B10.FR.07).
type workedNetwork struct {
	Slot    int            `json:"slot"`
	Profile NetworkProfile `json:"profile"`
}

// workedKey is its key among the network profiles, whose keys are numbers.
const workedKey = "last"

// rememberNetwork keeps the profile of the open connection, if it is another one than the last that worked. It owes no
// sync: it rides with what does.
func (s *Station) rememberNetwork() {
	if s.dialled == nil {
		return
	}
	now := appendJSON(nil, s.dialled)
	if s.worked != nil && bytes.Equal(appendJSON(nil, s.worked), now) {
		return
	}
	s.worked = s.dialled
	s.record(BucketNetwork, workedKey, now)
}

func (s *Station) restoreWorked(value []byte) error {
	w := &workedNetwork{}
	if err := json.Unmarshal(value, w); err != nil {
		return fmt.Errorf("last network profile: %w", err)
	}
	s.worked = w
	return nil
}

// WorkedNetwork returns the profile of the last connection on which the CSMS answered, and the slot that it was in; false:
// there was none.
func (s *Station) WorkedNetwork() (slot int, p NetworkProfile, ok bool) {
	if s.worked == nil {
		return 0, p, false
	}
	return s.worked.Slot, s.worked.Profile, true
}
