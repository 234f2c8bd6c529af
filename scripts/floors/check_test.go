package floors

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Each row is a small house with one thing wrong, or with something that looks
// wrong and is not (want ""). The rules are those of the real house.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	const own = "github.com/evsed/evsed/"
	tests := []struct {
		name  string
		files map[string]string // path -> text after the package clause
		want  string            // the finding must contain it; "" = no finding at all
	}{
		{"downward import", map[string]string{
			"hal/unit/a.go":     ``,
			"station/auth/a.go": `import _ "` + own + `hal/unit"`}, ""},
		{"block imports block", map[string]string{
			"station/limit/a.go": ``,
			"station/auth/a.go":  `import _ "` + own + `station/limit"`}, "station/auth/a.go:2: station/auth and station/limit are on the same floor (F1)"},
		{"block imports the hall", map[string]string{
			"station/a.go":      ``,
			"station/auth/a.go": `import _ "` + own + `station"`}, "imports upward"},
		{"core imports a driver", map[string]string{
			"hal/gpio/a.go": ``,
			"station/a.go":  `import _ "` + own + `hal/gpio"`}, "station (F2) imports upward: hal/gpio (F4)"},
		{"core imports the wire below it", map[string]string{
			"ocpp/msg2/a.go": ``,
			"station/a.go":   `import _ "` + own + `ocpp/msg2"`}, "knows no wire"},
		{"dialect imports the wire", map[string]string{
			"ocpp/msg2/a.go":     ``,
			"ocpp/dialect2/a.go": `import _ "` + own + `ocpp/msg2"`}, ""},
		{"one dialect in front of another", map[string]string{
			"ocpp/dialect15/a.go": `import _ "` + own + `ocpp/dialect16"`}, ""},
		{"dialects the wrong way round", map[string]string{
			"ocpp/dialect16/a.go": `import _ "` + own + `ocpp/dialect15"`}, "same floor (F3)"},
		{"hal takes nouns of the station", map[string]string{
			"hal/a.go": `import _ "` + own + `station/term"`}, ""},
		{"hal takes a block of the station", map[string]string{
			"hal/a.go": `import _ "` + own + `station/auth"`}, "hal (F0) imports upward: station/auth (F1)"},
		{"nouns take hal", map[string]string{
			"station/term/a.go": `import _ "` + own + `hal"`}, "same floor (F0)"},
		{"import of a package nobody placed", map[string]string{
			"storage/a.go": `import _ "` + own + `attic/old"`}, "attic/old, which has no floor"},
		{"package nobody placed", map[string]string{
			"attic/a.go": ``}, "attic: has no floor"},
		{"product imports a tool", map[string]string{
			"cmd/evsed/a.go": `import _ "` + own + `scripts/floors"`}, "imports the tool scripts/floors"},
		{"test file may look upward", map[string]string{
			"station/auth/a.go":      ``,
			"station/auth/a_test.go": `import _ "` + own + `hal/halsim"`}, ""},

		{"pure package opens files", map[string]string{
			"station/model/a.go": `import _ "os"`}, "station/model is pure and may not import os"},
		{"pure package takes signals", map[string]string{
			"station/model/a.go": `import _ "os/signal"`}, "may not import os/signal"},
		{"pure package speaks HTTP", map[string]string{
			"ocpp/rpc/a.go": `import _ "net/http"`}, "may not import net/http"},
		{"a path that only begins alike", map[string]string{
			"ocpp/rpc/a.go": `import _ "example.org/network"`}, ""},
		{"pure package locks", map[string]string{
			"hal/unit/a.go": `import _ "sync/atomic"`}, "may not import sync/atomic"},
		{"pure package throws dice", map[string]string{
			"station/a.go": `import _ "math/rand/v2"`}, "may not import math/rand/v2"},
		{"pure package draws keys", map[string]string{
			"station/cert/a.go": `import _ "crypto/rand"`}, "may not import crypto/rand"},
		{"pure package takes a context", map[string]string{
			"station/a.go": `import _ "context"`}, "may not import context"},
		{"hal takes a context", map[string]string{
			"hal/a.go": `import _ "context"`}, ""},
		{"driver does what it likes", map[string]string{
			"hal/gpio/a.go": "import (_ \"os\"; \"time\")\nfunc f() { go f(); time.Sleep(1) }"}, ""},
		{"pure package hides its clock behind a dot", map[string]string{
			"station/a.go": "import . \"time\"\nvar t = Now()"}, "imports nothing by dot"},

		{"pure package reads the clock", map[string]string{
			"station/a.go": "import \"time\"\nfunc f() time.Time { return time.Now() }"}, "station/a.go:3: a pure package may not use time.Now"},
		{"clock under another name", map[string]string{
			"station/a.go": "import clock \"time\"\nvar tick = clock.NewTicker"}, "may not use time.NewTicker"},
		{"clock handed on as a value", map[string]string{
			"station/a.go": "import \"time\"\nvar now = time.Now"}, "may not use time.Now"},
		{"elapsed time is a clock too", map[string]string{
			"station/a.go": "import \"time\"\nfunc f(t time.Time) time.Duration { return time.Since(t) }"}, "may not use time.Since"},
		{"time that came as a value", map[string]string{
			"station/a.go": "import \"time\"\nfunc f(t time.Time) time.Time { return t.Add(time.Second) }"}, ""},
		{"goroutine", map[string]string{
			"ocpp/dialect2/a.go": "func f() { go f() }"}, "starts no goroutine"},
		{"print to the console", map[string]string{
			"station/a.go": "import \"fmt\"\nfunc f() { fmt.Println() }"}, "may not use fmt.Println"},
		{"print of the language", map[string]string{
			"station/a.go": "func f() { println() }"}, "does not print"},
		{"LogValue", map[string]string{
			"station/term/a.go": "import \"log/slog\"\ntype t int\nfunc (t) LogValue() slog.Value { return slog.StringValue(\"x\") }"}, ""},
		{"logging", map[string]string{
			"station/term/a.go": "import \"log/slog\"\nfunc f() { slog.Info(\"x\") }"}, "not Info"},

		{"core names a HAL value", map[string]string{
			"hal/a.go":     "type Reading struct{}\ntype Meter interface{ Read() Reading }",
			"station/a.go": "import \"" + own + "hal\"\nvar r hal.Reading"}, ""},
		{"core names a HAL interface", map[string]string{
			"hal/a.go":     "type Reading struct{}\ntype Meter interface{ Read() Reading }",
			"station/a.go": "import \"" + own + "hal\"\nfunc f(m hal.Meter) { m.Read() }"}, "use hal.Meter"},
		{"guard names a HAL interface", map[string]string{
			"hal/a.go":           "type Meter interface{ Read() int }",
			"station/guard/a.go": "import \"" + own + "hal\"\nfunc f(m hal.Meter) { m.Read() }"}, ""},

		{"process started by storage", map[string]string{
			"storage/a.go": `import _ "os/exec"`}, "storage may not start processes"},
		{"process started by a tool", map[string]string{
			"scripts/floors/a.go": `import _ "os/exec"`}, ""},
		{"nested module stands apart", map[string]string{
			"scripts/bench/go.mod": `module bench`,
			"station/go.mod":       `module elsewhere`,
			"station/a.go":         `import _ "os"`}, ""},
		{"testdata is data", map[string]string{
			"station/testdata/a.go": `import _ "os"`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := Check(small(t, tt.files), House)
			switch {
			case tt.want == "" && len(found) > 0:
				t.Errorf("got %v, want no finding", found)
			case tt.want != "" && len(found) == 0:
				t.Errorf("got no finding, want %q", tt.want)
			case tt.want != "" && !strings.Contains(found[0].String(), tt.want):
				t.Errorf("got %v, want %q", found, tt.want)
			case len(found) > 1:
				t.Errorf("got %v, want one finding", found)
			}
		})
	}
}

func TestCheckLength(t *testing.T) {
	tests := []struct {
		name       string
		file       string
		head       string
		lines      int
		over, warn int
	}{
		{"at the warning", "a/a.go", "package a\n", 500, 0, 0},
		{"past the warning", "a/a.go", "package a\n", 501, 0, 1},
		{"at the limit", "a/a.go", "package a\n", 700, 0, 1},
		{"past the limit", "a/a.go", "package a\n", 701, 1, 0},
		{"a long test is long", "a/a_test.go", "package a\n", 701, 1, 0},
		{"a long script is long", "scripts/x.sh", "", 701, 1, 0},
		{"generated", "a/a.go", "// Code generated by x; DO NOT EDIT.\n\npackage a\n", 701, 0, 0},
		{"testdata", "a/testdata/a.go", "package a\n", 701, 0, 0},
		{"not source", "go.sum", "", 701, 0, 0},
		{"output", "build/x.sh", "", 701, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.head + strings.Repeat("\n", tt.lines-strings.Count(tt.head, "\n"))
			tree, err := Read(fstest.MapFS{tt.file: {Data: []byte(text)}})
			if err != nil {
				t.Fatal(err)
			}
			over, warn := CheckLength(tree, House)
			if len(over) != tt.over || len(warn) != tt.warn {
				t.Errorf("got %d over, %d to warn; want %d, %d", len(over), len(warn), tt.over, tt.warn)
			}
		})
	}
}

func TestReadReportsBrokenSource(t *testing.T) {
	_, err := Read(fstest.MapFS{"a/a.go": {Data: []byte("package")}})
	if err == nil || !strings.Contains(err.Error(), "a/a.go") {
		t.Errorf("got %v, want an error that names a/a.go", err)
	}
}

func TestLinesAreSortedAndUnique(t *testing.T) {
	if got, want := lines("b v1\n\na v1\nb v1\n"), "a v1\nb v1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestModulesNamesTheFailingPattern(t *testing.T) {
	if _, err := Modules(root, "./no-such-folder/..."); err == nil || !strings.Contains(err.Error(), "no-such-folder") {
		t.Errorf("got %v, want an error that names the pattern", err)
	}
}

// small reads a house made of the given files; Go files get a package clause.
func small(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		if strings.HasSuffix(name, ".go") {
			text = "package p\n" + text
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
