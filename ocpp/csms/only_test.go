package csms

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestOnlyTheDemoLinksIt keeps a CSMS for demos out of the product: apart from tests, only the demo imports it.
func TestOnlyTheDemoLinksIt(t *testing.T) {
	users := map[string]bool{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != "." && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" || e.Name() == "build"):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), "../../"+path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			if i.Path.Value == `"github.com/evsed/evsed/ocpp/csms"` {
				users[path[:strings.LastIndexByte(path, '/')]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(users) != 1 || !users["cmd/evsed-demo"] {
		t.Errorf("imported by %v, want cmd/evsed-demo alone", users)
	}
}
