package station

import (
	"encoding/json"
	"fmt"

	"github.com/evsed/evsed/station/auth"
)

const localListHead = "head"

// listHead is the record that names the local list in force. The entries are in a side file of that number; whoever
// stages a list has written and synced the file before Step sees the request, so this record commits it.
type listHead struct {
	ID      StageID `json:"id"`
	Version int     `json:"version"`
	Entries int     `json:"entries"`
}

// sendLocalList (D01). The stage holds the list as it will be: for a differential update merged with the old one.
func (s *Station) sendLocalList(r SendLocalList) Status {
	if r.Broken {
		return Status{Status: auth.ListFailed, Reason: "OutOfStorage"}
	}
	v := auth.DecideList(s.auth.List, auth.ListUpdate{Version: r.Version, Full: r.Full, Staged: r.Staged, Duplicates: r.Duplicates},
		s.cfg.LocalListMax, s.settings.auth)
	next := s.auth.List
	next.Version = r.Version
	switch v.Action {
	case auth.ListKeep:
		return Status{Status: v.Status, Reason: v.Reason, Info: v.Info}
	case auth.ListClear:
		next.ID, next.Entries = 0, 0
	case auth.ListReplace, auth.ListMerge:
		if r.Total > s.cfg.LocalListMax {
			t := auth.ListTooLong()
			return Status{Status: t.Status, Reason: t.Reason, Info: t.Info}
		}
		next.ID, next.Entries = uint64(r.Stage), r.Total
	case auth.ListVersionOnly:
	}
	s.auth.List = next
	s.listConflict = false // this list is new
	s.out.MustSync = true
	s.record(BucketLocalList, localListHead, appendJSON(nil, listHead{StageID(next.ID), next.Version, next.Entries}))
	return Status{Status: v.Status}
}

func (s *Station) restoreLocalList(value []byte) error {
	var h listHead
	if err := json.Unmarshal(value, &h); err != nil {
		return fmt.Errorf("local list: %w", err)
	}
	s.auth.List = auth.List{ID: uint64(h.ID), Version: h.Version, Entries: h.Entries}
	return nil
}

// LocalList names the list in force: 0 if there is none. A differential update is merged with it.
func (s *Station) LocalList() StageID { return StageID(s.auth.List.ID) }
