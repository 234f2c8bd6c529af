package floors

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Tree is the source of the module, read once.
type Tree struct {
	Fset     *token.FileSet
	Packages []*Package   // of this module alone, sorted by path
	Sources  []SourceFile // every source file, nested modules too, sorted by name
}

// Package is one folder of Go files. Test files are kept apart: the floors bind
// what is shipped.
type Package struct {
	Path  string // below the module, "hal/unit"; "." is the module's root
	Files []*GoFile
	Tests []*GoFile
}

// GoFile is one parsed file.
type GoFile struct {
	Name string
	AST  *ast.File
}

// SourceFile is what the length rule sees of a file.
type SourceFile struct {
	Name      string
	Lines     int
	Generated bool
}

// sourceSuffixes name the files that people write and the length rule counts.
var sourceSuffixes = []string{".go", ".sh", ".py", ".js", ".ts", ".html", ".css", ".mk", "Makefile", ".ci/run"}

// skipped says whether a folder holds what nobody reads as code: outputs,
// recorded data, and what the tools of a desk keep for themselves.
func skipped(name string) bool {
	base := path.Base(name)
	hidden := base[0] == '.' || base[0] == '_'
	return name == "build" || name == "dist" || base == "testdata" || hidden && name != "." && name != ".ci"
}

// Read parses every Go file below fsys, whatever its build constraints. A
// folder with its own go.mod is another module: its files count for the length
// rule only.
func Read(fsys fs.FS) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	byPath := map[string]*Package{}
	var nested []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped(name) {
				return fs.SkipDir
			}
			if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil && name != "." {
				nested = append(nested, name+"/")
			}
			return nil
		}
		if !d.Type().IsRegular() || !hasSuffix(name, sourceSuffixes) {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return t.add(byPath, name, text, hasPrefix(name, nested))
	})
	if err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	for _, p := range byPath {
		t.Packages = append(t.Packages, p)
	}
	slices.SortFunc(t.Packages, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	return t, nil
}

func (t *Tree) add(byPath map[string]*Package, name string, text []byte, nested bool) error {
	src := SourceFile{Name: name, Lines: bytes.Count(text, []byte("\n"))}
	if strings.HasSuffix(name, ".go") {
		f, err := parser.ParseFile(t.Fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		src.Generated = ast.IsGenerated(f)
		if !nested {
			file(byPath, name, f)
		}
	}
	t.Sources = append(t.Sources, src)
	return nil
}

func file(byPath map[string]*Package, name string, f *ast.File) {
	dir := path.Dir(name)
	p := byPath[dir]
	if p == nil {
		p = &Package{Path: dir}
		byPath[dir] = p
	}
	if strings.HasSuffix(name, "_test.go") {
		p.Tests = append(p.Tests, &GoFile{name, f})
		return
	}
	p.Files = append(p.Files, &GoFile{name, f})
}

func hasSuffix(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(s string) bool { return strings.HasPrefix(name, s) })
}

// match says whether pkg is named by one of the patterns.
func match(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, pkg)
		if err != nil {
			panic(fmt.Sprintf("floors: bad pattern %q in the table", p))
		}
		return ok
	})
}
