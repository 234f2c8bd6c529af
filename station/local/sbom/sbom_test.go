package sbom

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
)

func build() *debug.BuildInfo {
	return &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Path: "github.com/evsed/evsed"},
		Deps: []*debug.Module{
			{Path: "go.etcd.io/bbolt", Version: "v1.5.0", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
			{Path: "kernel.org/pub/linux/libs/security/libcap/psx", Version: "v1.2.77", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		},
		Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "arm"}, {Key: "-ldflags", Value: "-s -w"}}}
}

// TestWrite reads the document as a tool does that knows the format alone.
func TestWrite(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, build(), "1.2.3"); err != nil {
		t.Fatal(err)
	}
	check(t, out.Bytes())
	for _, want := range []string{
		`"purl": "pkg:golang/github.com/evsed/evsed@1.2.3"`, `"purl": "pkg:golang/std@1.26.8"`, `"purl": "pkg:golang/go.etcd.io/bbolt@v1.5.0"`,
		`"content": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`, `"expression": "BSD-3-Clause OR GPL-2.0-only"`,
		`"id": "MIT"`, `"name": "go:build:GOARCH"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	var again bytes.Buffer
	if err := Write(&again, build(), "1.2.3"); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("the second time it is another: %v", err)
	}
}

// check holds a document against what CycloneDX 1.5 demands of one.
func check(t *testing.T, text []byte) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var d document
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Format != "CycloneDX" || d.SpecVersion != "1.5" || d.Version < 1 {
		t.Errorf("%s %s version %d", d.Format, d.SpecVersion, d.Version)
	}
	refs := map[string]bool{}
	for _, c := range append(d.Components, d.Metadata.Component) {
		switch {
		case c.Type != "library" && c.Type != "application", c.Name == "", c.Version == "", c.Ref == "", refs[c.Ref]:
			t.Errorf("component %+v", c)
		case c.Type == "library" && len(c.Licences) != 1:
			t.Errorf("%s: licences %+v", c.Name, c.Licences)
		}
		refs[c.Ref] = true
		for _, l := range c.Licences {
			if (l.Licence == nil) == (l.Expression == "") {
				t.Errorf("%s: want a licence or an expression", c.Name)
			}
		}
		for _, h := range c.Hashes {
			if h.Algorithm != "SHA-256" || len(h.Content) != 64 {
				t.Errorf("%s: hash %+v", c.Name, h)
			}
		}
	}
	if len(d.Dependencies) != 1 || d.Dependencies[0].Ref != d.Metadata.Component.Ref || len(d.Dependencies[0].DependsOn) != len(d.Components) {
		t.Errorf("dependencies: %+v", d.Dependencies)
	}
	for _, dep := range d.Dependencies {
		for _, r := range dep.DependsOn {
			if !refs[r] {
				t.Errorf("depends on %s, which is no component", r)
			}
		}
	}
}

// TestWriteRefuses: what nobody answers for makes no document.
func TestWriteRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*debug.BuildInfo){
		"its licence is not in the table": func(b *debug.BuildInfo) { b.Deps[0].Path = "example.com/unknown" },
		"is replaced by ../mine":          func(b *debug.BuildInfo) { b.Deps[0].Replace = &debug.Module{Path: "../mine"} },
		"want one of the kind h1":         func(b *debug.BuildInfo) { b.Deps[0].Sum = "" },
	} {
		b := build()
		spoil(b)
		if err := Write(&bytes.Buffer{}, b, "1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
