package boards

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/guard"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./boards -update rewrites it):\n%s", name, got)
	}
}

// over are the files that a file is put over: a product or site alone is no board.
func over(t *testing.T, path string) []File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := File{Name: filepath.Base(path), Data: data}
	if base := filepath.Base(path); strings.HasPrefix(base, "layer-") && base != "layer-alone.yaml" {
		return []File{shippedFile(t, "ac-socket-imx6ull"), f}
	}
	return []File{f}
}

func shippedFile(t *testing.T, name string) File {
	t.Helper()
	data, err := Starter(name)
	if err != nil {
		t.Fatal(err)
	}
	return File{Name: name + ".yaml", Data: data}
}

// findingsOf are the findings of a file, a line each.
func findingsOf(t *testing.T, path string) (string, []Finding, error) {
	t.Helper()
	_, fs, err := Read(over(t, path)...)
	var text strings.Builder
	for _, f := range fs {
		text.WriteString(f.String() + "\n")
	}
	text.WriteString(Count(fs) + "\n")
	return text.String(), fs, err
}

func bad(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d bad files, %v: want at least 30", len(files), err)
	}
	return files
}

func TestBadFilesHaveTheirFindings(t *testing.T) {
	for _, path := range bad(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			text, fs, err := findingsOf(t, path)
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", []byte(text))
			if len(fs) == 0 {
				t.Error("nothing is found")
			}
			if failed(fs) != errors.Is(err, ErrBoard) {
				t.Errorf("error %v", err)
			}
			for _, f := range fs {
				if f.Line < 1 || f.Column < 1 || f.Text == "" || f.Cure == "" {
					t.Errorf("finding without place, text or cure: %q", f)
				}
			}
		})
	}
}

// A rule that no file breaks may be one that cannot be broken, or one that is never looked at.
func TestEveryRuleIsBrokenByAFile(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range bad(t) {
		_, fs, _ := findingsOf(t, path)
		for _, f := range fs {
			seen[f.Code] = true
		}
	}
	for i, r := range rules {
		if slices.Contains(retired, r.Code) {
			t.Errorf("%s is retired", r.Code)
		}
		if !seen[r.Code] {
			t.Errorf("%s (%s): no file of testdata/bad has it", r.Code, r.Title)
		}
		if i > 0 && rules[i-1].Code >= r.Code {
			t.Errorf("%s stands behind %s", r.Code, rules[i-1].Code)
		}
		if r.Cause == "" || r.Cure == "" || r.Title == "" {
			t.Errorf("%s is not explained", r.Code)
		}
	}
}

// boardsShipped are the shipped board files, each with what it may say of itself.
var boardsShipped = map[string][]string{
	"ac-wallbox-cm4": nil, "ac-socket-imx6ull": nil, "ac-post-two-mcu": nil, "dc-cabinet-60kw": {"BRD-401"},
}

func TestShippedBoardsAreRight(t *testing.T) {
	for name, allowed := range boardsShipped {
		b, fs, err := Read(shippedFile(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range fs {
			if !slices.Contains(allowed, f.Code) {
				t.Errorf("%s", f)
			}
		}
		if _, err := b.Table(0, 0); (err != nil) != (name == "dc-cabinet-60kw") {
			t.Errorf("%s: line table: %v", name, err)
		} else if err != nil && !errors.Is(err, ErrNoCharging) {
			t.Errorf("%s: %v", name, err)
		}
		if ShippedAbout(name) == "" {
			t.Errorf("%s says nothing of itself", name)
		}
	}
}

// The shipped product and site fit each AC board that has what they tighten.
func TestLayersTighten(t *testing.T) {
	for _, name := range []string{"ac-wallbox-cm4", "ac-socket-imx6ull"} {
		b, fs, err := Read(shippedFile(t, "site-small-fuse"), shippedFile(t, name), shippedFile(t, "product-11kw"))
		if err != nil || len(fs) > 0 {
			t.Fatalf("%s: %v, %v", name, err, fs)
		}
		if e := b.EVSE(1); e.MaxCurrent != 13*unit.Ampere || e.Phases != 1 || !e.Meter.Stop || e.Name != "DE*ABC*E0001" {
			t.Errorf("%s: %+v", name, e)
		}
		if b.Identity.Model != "HOME-11" || b.Inputs[0].Limit != 1400*unit.Watt {
			t.Errorf("%s: %+v, %+v", name, b.Identity, b.Inputs[0])
		}
		s, ok := b.Origin("supply.max_current")
		if !ok || s.Where.Layer != LayerSite || s.Over.Where.Layer != LayerProduct || s.Over.Over.Text != "32 A" {
			t.Errorf("%s: origin %+v", name, s)
		}
		table, err := b.Table(0, 0)
		if err != nil || table.Connectors[0].MaxCurrent != 13*unit.Ampere || table.Connectors[0].Phases != 1 {
			t.Errorf("%s: %+v, %v", name, table, err)
		}
	}
}

func TestDescribe(t *testing.T) {
	b, _, err := Read(shippedFile(t, "ac-socket-imx6ull"), shippedFile(t, "product-11kw"), shippedFile(t, "site-small-fuse"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	b.Describe(&out)
	golden(t, "testdata/show.txt", out.Bytes())
}

// Reading is the same whatever the order of the files, and twice.
func TestOrderOfFilesDoesNotMatter(t *testing.T) {
	a := []File{shippedFile(t, "ac-socket-imx6ull"), shippedFile(t, "product-11kw"), shippedFile(t, "site-small-fuse")}
	one, _, err := Read(a...)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(a)
	two, _, err := Read(a...)
	if err != nil {
		t.Fatal(err)
	}
	var x, y bytes.Buffer
	one.Describe(&x)
	two.Describe(&y)
	if x.String() != y.String() {
		t.Errorf("%s\n%s", &x, &y)
	}
}

func TestTableSurvivesItsFormat(t *testing.T) {
	for name := range boardsShipped {
		b, _, err := Read(shippedFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		table, err := b.Table(0, 0)
		if errors.Is(err, ErrNoCharging) {
			continue
		}
		raw, err := table.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := guard.ParseTable(raw)
		if err != nil || len(again.Parts) != len(table.Parts) || !slices.Equal(again.Parts, table.Parts) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A pilot that comparators measure is shown with the line that says so, and each comparator is a part of the guard's table with its
// threshold.
func TestComparatorsInTheTable(t *testing.T) {
	data, err := os.ReadFile("testdata/ac-comparators.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, fs, err := Read(File{Name: "ac-comparators.yaml", Data: data})
	if err != nil || len(fs) > 0 {
		t.Fatal(err, fs)
	}
	var out bytes.Buffer
	b.Describe(&out)
	for _, want := range []string{"evses[1].pilot.comparators.c_d.line", "gpio:!CP_NOT_ABOVE_4V5", "evses[1].pilot.comparators.diode.below", "-10.2 V"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("show does not say %s", want)
		}
	}
	table, err := b.Table(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	pilot := table.Connectors[0].Pilot
	got := table.Parts[pilot.Chip : uint32(pilot.Chip)+pilot.Line]
	above := func(name string, mv int32, flags hal.PartFlags) hal.Part {
		return hal.Part{Kind: hal.PartInput, Role: hal.RolePilotAbove, Name: name, B: mv, Flags: flags}
	}
	diode := above("CP_NOT_BELOW", -10_200, hal.PartActiveLow)
	diode.Role = hal.RolePilotBelow
	if want := []hal.Part{{Kind: hal.PartPWM, Role: hal.RolePilotPWM, Name: "44e0.pwm/0", A: 1_000_000}, above("CP_ABOVE_10V5", 10_500, 0), above("CP_ABOVE_7V5", 7_400, 0),
		above("CP_NOT_ABOVE_4V5", 4_600, hal.PartActiveLow), above("CP_ABOVE_1V5", 1_500, hal.PartPullDown), diode}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	var lines []string
	for _, u := range b.Uses() {
		if u.Kind == UseInput && strings.Contains(u.Path, "comparators") {
			lines = append(lines, u.Name)
		}
	}
	if len(lines) != 5 {
		t.Errorf("show --live looks for %q", lines)
	}
}
