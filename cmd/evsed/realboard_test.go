package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/limit"
	"github.com/evsed/evsed/station/local/seed"
)

const (
	wallboxFile = "../../boards/ac-wallbox-cm4.yaml"
	postFile    = "../../boards/ac-post-two-mcu.yaml"
	cabinetFile = "../../boards/dc-cabinet-60kw.yaml"
)

// What does not go together with --board is a mistake that names both.
func TestBoardFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--board", wallboxFile, "--sim-listen", "127.0.0.1:0"}, "--board is for real wires"},
		{[]string{"--board", wallboxFile, "--sim-lines", "lines"}, "--board is for real wires"},
		{[]string{"--board", wallboxFile, "--sim-log-ocpp"}, "--board is for real wires"},
		{[]string{"--board", wallboxFile, "--guard", "within"}, "want --guard child"},
		{nil, "want --board FILE[,FILE...] for a real board, or --sim-listen"},
	} {
		_, err := parseRun(append([]string{"--state", t.TempDir()}, test.args...))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.args, err, test.want)
		}
	}
	o, err := parseRun([]string{"--state", "s", "--board", "a.yaml,b.yaml"})
	if err != nil || o.guard != guardChild || !slices.Equal(o.board, []string{"a.yaml", "b.yaml"}) {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = parseRun([]string{"--state", "s", "--sim-listen", "127.0.0.1:0"}); err != nil || o.guard != guardWithin {
		t.Errorf("%+v, %v", o, err)
	}
}

func readOf(t *testing.T, text string, files ...string) (*boards.Board, *seed.Seed, string, error) {
	t.Helper()
	s, err := seed.Parse("seed.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	b, err := (&runOptions{board: files}).readBoard(s, &errs)
	return b, s, errs.String(), err
}

const csmsSeed = `"csms":[{"url":"ws://127.0.0.1:1/"}]`

// The seed keeps identity and CSMS, the board says what the station has.
func TestBoardAndSeed(t *testing.T) {
	_, s, _, err := readOf(t, `{`+csmsSeed+`,"station":{"id":"post-7","vendor":"Operator"}}`, postFile)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "post-7" || s.Identity.Vendor != "Operator" || s.Identity.Model != "POST-2X22" || len(s.EVSEs) != 2 || s.EVSEs[1].ID != 2 {
		t.Errorf("%+v", s)
	}
	for _, member := range []string{`"evses":[{}]`, `"lights":true`, `"siteFuseA":16`} {
		_, _, _, err := readOf(t, `{`+csmsSeed+`,`+member+`}`, wallboxFile)
		name, _, _ := strings.Cut(strings.TrimPrefix(member, `"`), `"`)
		if err == nil || !strings.Contains(err.Error(), wallboxFile) || !strings.Contains(err.Error(), "the seed's "+name) {
			t.Errorf("%s: %v", member, err)
		}
	}
}

// What is wrong with a board is told in full, and a board without an EVSE that charges is refused.
func TestBoardThatCannotRun(t *testing.T) {
	_, _, said, err := readOf(t, `{`+csmsSeed+`}`, "../../boards/testdata/bad/ac-and-dc.yaml")
	if err == nil || !strings.Contains(said, "BRD-244 error") {
		t.Errorf("%v, said %q", err, said)
	}
	if _, _, _, err = readOf(t, `{`+csmsSeed+`}`, cabinetFile); err == nil || !strings.Contains(err.Error(), "does not charge DC") {
		t.Error(err)
	}
}

// An EVSE behind those that charge which this program does not charge at is part of the station, refused with its code; the
// supply is shared where the EVSEs could take more.
func TestStationOfABoard(t *testing.T) {
	b, _, err := boards.Load(postFile)
	if err != nil {
		t.Fatal(err)
	}
	b.EVSEs[1].DC = true
	all, err := stationOf(b)
	if err != nil || len(all) != 2 || all[0].Refused != "" || !strings.HasPrefix(all[1].Refused, "BRD-401: ") {
		t.Fatalf("%+v, %v", all, err)
	}
	if _, err := station.New(station.Config{EVSEs: all}); err != nil {
		t.Error(err)
	}
	b.EVSEs[1].Off = true
	if all, err = stationOf(b); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	b.Supply.MaxCurrent = 10 * unit.Ampere
	if got := limitsOf(b, []station.EVSE{{MaxCurrent: 8 * unit.Ampere}, {MaxCurrent: 8 * unit.Ampere}}); len(got) != 1 ||
		got[0] != (station.LimitClaimed{Owner: limit.SiteFuse, Max: 10 * unit.Ampere, Reason: reasonSupply}) {
		t.Errorf("%+v", got)
	}
	if got := limitsOf(b, []station.EVSE{{MaxCurrent: 8 * unit.Ampere}, {MaxCurrent: 80 * unit.Ampere, Refused: "x"}}); got != nil {
		t.Errorf("%+v", got)
	}
}

// A board file that was edited shows at the next start, by what it says and no longer says.
func TestChangedBoardIsTold(t *testing.T) {
	var log bytes.Buffer
	o := runOptions{state: t.TempDir()}
	start := func(b *boards.Board) string {
		t.Helper()
		log.Reset()
		a := &agent{board: b, log: slog.New(slog.NewTextHandler(&log, nil))}
		if err := a.keepBoard(o); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	load := func(edit func(string) string) *boards.Board {
		t.Helper()
		text, err := os.ReadFile(wallboxFile)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "board.yaml")
		if err := os.WriteFile(path, []byte(edit(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		b, findings, err := boards.Load(path)
		if err != nil {
			t.Fatal(err, findings)
		}
		return b
	}
	as := load(func(s string) string { return s })
	if said := start(as) + start(as); said != "" {
		t.Errorf("a new state and an unchanged board: said %q", said)
	}
	said := start(load(func(s string) string { return strings.Replace(s, "4.2 kW", "4.1 kW", 1) }))
	if !strings.Contains(said, `was="inputs.grid_relay.limit = 4.2 kW"`) || !strings.Contains(said, `now="inputs.grid_relay.limit = 4.1 kW"`) || strings.Count(said, "\n") != 2 {
		t.Errorf("said %s", said)
	}
}

// The sandbox keeps the nodes of a board, and the whole of /dev only for what can be unplugged.
func TestPlacesOfABoard(t *testing.T) {
	b, _, err := boards.Load(wallboxFile)
	if err != nil {
		t.Fatal(err)
	}
	if got := boardPlaces(b); !slices.Contains(got, "/sys") {
		t.Errorf("%q", got)
	}
	if got := boardPlaces(&boards.Board{Watchdog: &boards.Watchdog{Path: "/dev/null"}}); !slices.Equal(got, []string{"/dev/null"}) {
		t.Errorf("%q", got)
	}
	if got := boardPlaces(&boards.Board{Buses: []boards.Bus{{Name: "m", Kind: boards.BusSerial, Port: "ttyUSB0"}}}); !slices.Equal(got, []string{"/dev"}) {
		t.Errorf("%q", got)
	}
	if got := boardPlaces(nil); got != nil {
		t.Errorf("%q", got)
	}
}
