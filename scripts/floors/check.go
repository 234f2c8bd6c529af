package floors

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Finding is one breach: where, and which rule in words.
type Finding struct {
	Pos  string // "file:line" or a package path
	Text string
}

func (f Finding) String() string { return f.Pos + ": " + f.Text }

// Check holds every package of the tree against the rules and returns what is
// wrong, in the order of the tree.
func Check(t *Tree, r Rules) []Finding {
	c := checker{tree: t, rules: r, hal: interfaces(t, r.HALPackage)}
	for _, p := range t.Packages {
		c.pkg(p)
	}
	return c.found
}

// CheckLength returns the files over the limit, and apart from them those that
// are long enough to look for the second idea.
func CheckLength(t *Tree, r Rules) (over, warn []Finding) {
	for _, s := range t.Sources {
		switch {
		case s.Generated || s.Lines <= r.WarnLines:
		case s.Lines > r.MaxLines:
			over = append(over, Finding{s.Name, fmt.Sprintf("%d lines, the limit is %d", s.Lines, r.MaxLines)})
		default:
			warn = append(warn, Finding{s.Name, fmt.Sprintf("%d lines: is there a second idea in it?", s.Lines)})
		}
	}
	return over, warn
}

type checker struct {
	tree  *Tree
	rules Rules
	hal   []string // names of the interface types of the HAL package
	found []Finding
}

func (c *checker) add(pos token.Pos, format string, args ...any) {
	p := c.tree.Fset.Position(pos)
	c.found = append(c.found, Finding{fmt.Sprintf("%s:%d", p.Filename, p.Line), fmt.Sprintf(format, args...)})
}

func (c *checker) pkg(p *Package) {
	if len(p.Files) == 0 {
		return
	}
	floor, ok := c.rules.floor(p.Path)
	if !ok {
		c.found = append(c.found, Finding{p.Path, "has no floor: give it a line in scripts/floors/table.go"})
		return
	}
	for _, f := range p.Files {
		c.imports(p.Path, floor, f)
		if floor.Pure() {
			c.pure(f)
		}
		if !match(c.rules.HALUsers, p.Path) {
			c.halNames(f)
		}
	}
}

// imports checks the direction of every import, and who may start processes.
func (c *checker) imports(pkg string, floor Floor, f *GoFile) {
	for _, spec := range f.AST.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		if own, ok := c.own(target); ok {
			c.arrow(spec.Pos(), pkg, floor, own)
			continue
		}
		if target == "os/exec" && !match(c.rules.Exec, pkg) {
			c.add(spec.Pos(), "%s may not start processes (os/exec)", pkg)
		}
		if !floor.Pure() {
			continue
		}
		if spec.Name != nil && spec.Name.Name == "." {
			c.add(spec.Pos(), "a pure package imports nothing by dot")
		}
		if banned(target) && (target != "context" || !match(c.rules.Context, pkg)) {
			c.add(spec.Pos(), "%s is pure and may not import %s", pkg, target)
		}
	}
}

// own returns the path below the module, if the import is one of ours.
func (c *checker) own(target string) (string, bool) {
	if target == c.rules.Module {
		return ".", true
	}
	return strings.CutPrefix(target, c.rules.Module+"/")
}

func (c *checker) arrow(pos token.Pos, from string, floor Floor, to string) {
	target, ok := c.rules.floor(to)
	switch {
	case !ok:
		c.add(pos, "%s imports %s, which has no floor", from, to)
	case match(c.rules.NoWire, from) && floor.Pure() && match(c.rules.Wire, to):
		c.add(pos, "%s knows no wire and may not import %s", from, to)
	case target == Tools && floor == Tools && strings.HasPrefix(from, to+"/"): // a command of the tool itself
	case target == Tools:
		c.add(pos, "%s imports the tool %s", from, to)
	case target < floor || c.rules.arrow(from, to):
	case target == floor:
		c.add(pos, "%s and %s are on the same floor (F%d)", from, to, floor)
	default:
		c.add(pos, "%s (F%d) imports upward: %s (F%d)", from, floor, to, target)
	}
}

// pure checks the body of a file that stands below the line.
func (c *checker) pure(f *GoFile) {
	names := imported(f.AST)
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			c.add(n.Pos(), "a pure package starts no goroutine")
		case *ast.SelectorExpr:
			c.selector(n, names)
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
				c.add(n.Pos(), "a pure package does not print")
			}
		}
		return true
	})
}

func (c *checker) selector(n *ast.SelectorExpr, names map[string]string) {
	target := qualifier(n, names)
	if slices.Contains(bannedCalls[target], n.Sel.Name) {
		c.add(n.Pos(), "a pure package may not use %s.%s", target, n.Sel.Name)
	}
	if target == "log/slog" && !slices.Contains(slogValues, n.Sel.Name) {
		c.add(n.Pos(), "a pure package uses log/slog for LogValue only, not %s", n.Sel.Name)
	}
}

// halNames refuses the interfaces of the HAL to everyone but their users.
func (c *checker) halNames(f *GoFile) {
	names := imported(f.AST)
	hal := path.Join(c.rules.Module, c.rules.HALPackage)
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && qualifier(s, names) == hal && slices.Contains(c.hal, s.Sel.Name) {
			c.add(s.Pos(), "only the guard, the loop and drivers use %s.%s", c.rules.HALPackage, s.Sel.Name)
		}
		return true
	})
}

// floor returns where pkg stands.
func (r Rules) floor(pkg string) (Floor, bool) {
	for _, p := range r.Places {
		if match([]string{p.Pattern}, pkg) {
			return p.Floor, true
		}
	}
	return 0, false
}

func (r Rules) arrow(from, to string) bool {
	return slices.ContainsFunc(r.Arrows, func(a Arrow) bool {
		return match([]string{a.From}, from) && match([]string{a.To}, to)
	})
}

func banned(target string) bool {
	return slices.ContainsFunc(bannedImports, func(b string) bool {
		return target != "log/slog" && (target == b || strings.HasPrefix(target, b+"/"))
	})
}

// imported maps the name that a file uses to the path it imports.
func imported(f *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = target
	}
	return names
}

// qualifier returns the import path that s is qualified by, or "". Scopes are
// not resolved: a variable that hides an imported package counts as the package.
func qualifier(s *ast.SelectorExpr, names map[string]string) string {
	id, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return names[id.Name]
}

// interfaces lists the interface types that a package declares.
func interfaces(t *Tree, pkg string) []string {
	var names []string
	for _, p := range t.Packages {
		if p.Path != pkg {
			continue
		}
		for _, f := range p.Files {
			names = append(names, interfacesOf(f.AST)...)
		}
	}
	return names
}

func interfacesOf(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range gen.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if _, ok := spec.Type.(*ast.InterfaceType); ok {
				names = append(names, spec.Name.Name)
			}
		}
	}
	return names
}

// PurePackages are the paths below the module of the packages of t below the line, those that have tests, in order.
func (r Rules) PurePackages(t *Tree) []string {
	var all []string
	for _, p := range t.Packages {
		if f, ok := r.floor(p.Path); ok && f.Pure() && len(p.Tests) > 0 {
			all = append(all, p.Path)
		}
	}
	return all
}
