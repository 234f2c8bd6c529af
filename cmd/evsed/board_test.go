package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/guard"
)

// at a command line: exit code, and what has to stand in its output (out) or on stderr (errs).
func TestBoardCommands(t *testing.T) {
	dir := t.TempDir()
	mine, line := filepath.Join(dir, "mine.yaml"), filepath.Join(dir, "line.table")
	const boards = "../../boards/"
	socket, site, product := boards+"ac-socket-imx6ull.yaml", boards+"site-small-fuse.yaml", boards+"product-11kw.yaml"
	raw, err := os.ReadFile(boards + "ac-post-two-mcu.yaml")
	if err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(dir, "absent.yaml")
	if err := os.WriteFile(absent, bytes.ReplaceAll(raw, []byte("ttyS3"), []byte("no-such-port")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, args string
		code       int
		out, errs  string
	}{
		{"the list of what is shipped", "board init", 0, "ac-socket-imx6ull", ""},
		{"a file to begin with", "board init --from ac-socket-imx6ull --to " + mine, 0, "evsed board validate " + mine, ""},
		{"no file is overwritten", "board init --from ac-socket-imx6ull --to " + mine, 2, "", "file exists"},
		{"a name that is near", "board init --from ac-socket-imx6", 2, "", `"ac-socket-imx6ull"?`},
		{"the starter is right", "board validate " + mine, 0, "no findings", ""},
		{"a wrong file", "board validate " + boards + "testdata/bad/slow-pilot.yaml", 1, "BRD-231 error sample 20 ms + median-9", "1 error, 0 warnings"},
		{"the last line counts", "board validate " + boards + "dc-cabinet-60kw.yaml", 0, "0 errors, 1 warning", ""},
		{"no file", "board validate", 2, "", "want a board file"},
		{"no such file", "board validate " + dir + "/none.yaml", 2, "", "no such file"},
		{"a flag", "board validate --all " + mine, 2, "", "unexpected flag"},
		{"layers", "board show " + strings.Join([]string{socket, product, site}, " "), 0, "16 A in " + product + ":5 (product)", ""},
		{"one value", "board show " + socket + " " + site + " --origin supply.max_current", 0, "13 A  <- " + site + ":5 (site); 32 A in " + socket, ""},
		{"a value that is near", "board show " + socket + " --origin supply.max_curent", 2, "", `did you mean "supply.max_current"?`},
		{"a wrong file is not shown", "board show " + boards + "testdata/bad/units.yaml", 1, "", "BRD-107"},
		{"names on another machine", "board show " + socket + " --live", 1, "RELAY_1_SENSE", "not on this machine"},
		{"devices that are not there", "board try " + absent, 1, "FAIL evses[2].meter", "2 of 2 devices do not answer"},
		{"devices of other machines", "board try " + boards + "dc-cabinet-60kw.yaml", 1, "192.0.2.100: not asked, it is on the network", ""},
		{"a flag of try", "board try --net " + absent, 2, "", "want [--network] FILE..."},
		{"a retired code", "board help", 0, "BRD-324       retired", ""},
		{"a schema", "board schema site", 0, `"evse.site/1"`, ""},
		{"no such schema", "board schema car", 2, "", "want one of board"},
		{"a code", "board help brd-231", 0, "cause: Sampling", ""},
		{"all codes", "board help", 0, "BRD-104", ""},
		{"no such code", "board help BRD-999", 2, "", "no code"},
		{"keys", "board help keys", 0, "evses[ID].pilot.sample.every", ""},
		{"meters", "board help meters", 0, "eastron/sdm630-v2", ""},
		{"a line table", "table --board " + socket + "," + site + " --to " + line, 0, "line table of AC22-S: 1 connectors", ""},
		{"a line table of DC", "table --board " + boards + "dc-cabinet-60kw.yaml --to " + line, 2, "", "does not charge DC"},
		{"a line table of a wrong board", "table --board " + boards + "testdata/bad/units.yaml --to " + line, 2, "", "evsed board validate"},
		{"two topologies", "table --board " + socket + " --seed x --to " + line, 2, "", "want one of them"},
		{"no topology", "table --to " + line, 2, "", "--board FILE"},
	} {
		var out, errs bytes.Buffer
		code := dispatch(strings.Fields(tt.args), &out, &errs)
		if code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.errs) {
			t.Errorf("%s: evsed %s: exit %d, want %d with %q and %q\n%s%s", tt.name, tt.args, code, tt.code, tt.out, tt.errs, &out, &errs)
		}
		if code == 2 && strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: a mistake is one line:\n%s", tt.name, &errs)
		}
	}
	if raw, err = os.ReadFile(line); err != nil {
		t.Fatal(err)
	}
	table, err := guard.ParseTable(raw)
	if err != nil || len(table.Connectors) != 1 || table.Connectors[0].MaxCurrent != 13_000 || len(table.Parts) < 10 {
		t.Errorf("%+v, %v", table, err)
	}
}
