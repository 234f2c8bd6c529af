package auth

// Answers to SendLocalList (OCPP SendLocalListStatusEnumType).
const (
	ListAccepted        = "Accepted"
	ListFailed          = "Failed"
	ListVersionMismatch = "VersionMismatch"
)

// ListAction says what is to be done with the stored list.
type ListAction uint8

// Actions. ListKeep leaves list and version alone.
const (
	ListKeep        ListAction = iota
	ListClear                  // no entries any more; take the version
	ListReplace                // the staged entries are the list; take the version
	ListMerge                  // the staged entries with info are added or changed, those without are removed; take the version
	ListVersionOnly            // entries stay; take the version
)

// ListUpdate is a SendLocalList whose entries were validated and staged.
type ListUpdate struct {
	Version    int
	Full       bool // else Differential
	Staged     int  // entries that came along
	Duplicates bool // a token was named twice
}

// ListVerdict answers a ListUpdate.
type ListVerdict struct {
	Status string // ListAccepted, ListFailed, ListVersionMismatch
	Reason string // reasonCode of the appendix; "" when accepted
	Info   string
	Action ListAction
}

// DecideList says what becomes of an update of the local list (D01). limit is the number of entries that can be
// stored (LocalAuthListCtrlr.Entries.maxLimit). A merge may still pass it; then the storing side says so and the
// answer is ListTooLong.
func DecideList(in List, u ListUpdate, limit int, cfg Config) ListVerdict {
	switch {
	case !cfg.ListEnabled: // D01.FR.13
		return ListVerdict{Status: ListFailed, Reason: "NotEnabled", Info: "LocalAuthListCtrlr.Enabled is false"}
	case u.Version <= 0: // D01.FR.18
		return ListVerdict{Status: ListFailed, Reason: "ValuePositiveOnly", Info: "versionNumber must be greater than 0"}
	case !u.Full && u.Version <= in.Version: // D01.FR.19
		return ListVerdict{Status: ListVersionMismatch}
	case u.Duplicates: // D01.FR.06
		return ListVerdict{Status: ListFailed, Reason: "InvalidValue", Info: "an idToken is named twice"}
	case u.Full && u.Staged > limit:
		return ListTooLong()
	case u.Full && u.Staged == 0: // D01.FR.04
		return ListVerdict{Status: ListAccepted, Action: ListClear}
	case u.Full: // D01.FR.15
		return ListVerdict{Status: ListAccepted, Action: ListReplace}
	case u.Staged == 0: // D01.FR.05
		return ListVerdict{Status: ListAccepted, Action: ListVersionOnly}
	}
	return ListVerdict{Status: ListAccepted, Action: ListMerge} // D01.FR.16, D01.FR.17
}

// ListTooLong refuses an update that would leave more entries than can be stored.
func ListTooLong() ListVerdict {
	return ListVerdict{Status: ListFailed, Reason: "TooManyElements", Info: "more entries than can be stored"}
}

// ReportedVersion is the answer to GetLocalListVersion: 0 where the list is off (D02.FR.03) or was never sent
// (D02.FR.02), else its version (D02.FR.01).
func (l List) ReportedVersion(cfg Config) int {
	if !cfg.ListEnabled {
		return 0
	}
	return l.Version
}
