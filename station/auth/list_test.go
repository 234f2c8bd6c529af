package auth

import "testing"

func TestDecideList(t *testing.T) {
	in := List{ID: 1, Version: 5, Entries: 10}
	tests := []struct {
		name   string
		in     List
		update ListUpdate
		off    bool
		status string
		reason string
		action ListAction
	}{
		{name: "D01.FR.15 full", in: in, update: ListUpdate{Version: 6, Full: true, Staged: 3}, status: ListAccepted, action: ListReplace},
		{name: "D01.FR.15 full may go back", in: in, update: ListUpdate{Version: 2, Full: true, Staged: 3}, status: ListAccepted, action: ListReplace},
		{name: "D01.FR.04 full and empty", in: in, update: ListUpdate{Version: 6, Full: true}, status: ListAccepted, action: ListClear},
		{name: "D01.FR.16 differential", in: in, update: ListUpdate{Version: 6, Staged: 2}, status: ListAccepted, action: ListMerge},
		{name: "D01.FR.16 differential, first of all", update: ListUpdate{Version: 1, Staged: 2}, status: ListAccepted, action: ListMerge},
		{name: "D01.FR.05 differential and empty", in: in, update: ListUpdate{Version: 6}, status: ListAccepted, action: ListVersionOnly},
		{name: "D01.FR.19 same version", in: in, update: ListUpdate{Version: 5, Staged: 2}, status: ListVersionMismatch},
		{name: "D01.FR.19 older version, empty", in: in, update: ListUpdate{Version: 4}, status: ListVersionMismatch},
		{name: "D01.FR.18 version 0", in: in, update: ListUpdate{Version: 0, Full: true, Staged: 1}, status: ListFailed, reason: "ValuePositiveOnly"},
		{name: "D01.FR.18 version -1", in: in, update: ListUpdate{Version: -1}, status: ListFailed, reason: "ValuePositiveOnly"},
		{name: "D01.FR.06 duplicates", in: in, update: ListUpdate{Version: 6, Full: true, Staged: 3, Duplicates: true}, status: ListFailed, reason: "InvalidValue"},
		{name: "as many as can be stored", in: in, update: ListUpdate{Version: 6, Full: true, Staged: 20}, status: ListAccepted, action: ListReplace},
		{name: "one more", in: in, update: ListUpdate{Version: 6, Full: true, Staged: 21}, status: ListFailed, reason: "TooManyElements"},
		{name: "D01.FR.13 off", in: in, update: ListUpdate{Version: 6, Full: true, Staged: 3}, off: true, status: ListFailed, reason: "NotEnabled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := DecideList(tt.in, tt.update, 20, with(func(c *Config) { c.ListEnabled = !tt.off }))
			if v.Status != tt.status || v.Reason != tt.reason || v.Action != tt.action {
				t.Errorf("got %+v, want %s %q action %d", v, tt.status, tt.reason, tt.action)
			}
		})
	}
}

func TestReportedVersion(t *testing.T) {
	off := with(func(c *Config) { c.ListEnabled = false })
	for _, tt := range []struct {
		name string
		list List
		cfg  Config
		want int
	}{
		{"D02.FR.01", List{Version: 4}, usual(), 4},
		{"D02.FR.02 never sent", List{}, usual(), 0},
		{"D02.FR.03 off", List{Version: 4}, off, 0},
	} {
		if got := tt.list.ReportedVersion(tt.cfg); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
