package boards

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file says: no panic, every error has a place and a known code, and what is a board becomes the same board again.
func FuzzBoard(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	more, _ := filepath.Glob("*.yaml")
	for _, name := range append(append(files, more...), "testdata/rest.yaml") {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	base, err := Starter("ac-socket-imx6ull")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, files := range [][]File{{{"a.yaml", data}}, {{"base.yaml", base}, {"a.yaml", data}}} {
			b, fs, err := Read(files...)
			if (b == nil) != (err != nil) || failed(fs) != (err != nil) {
				t.Fatalf("board %v, error %v, findings %v", b != nil, err, fs)
			}
			for _, f := range fs {
				if _, ok := RuleOf(f.Code); !ok || f.Line < 1 || f.Column < 0 {
					t.Fatalf("finding %+v", f)
				}
			}
			if b == nil {
				continue
			}
			if _, err := b.Table(0, 0); err != nil {
				t.Logf("no line table: %v", err)
			}
			b.Uses()
			for _, s := range b.Settings() {
				if s.Path == "" {
					t.Fatalf("setting without path: %+v", s)
				}
			}
		}
	})
}
