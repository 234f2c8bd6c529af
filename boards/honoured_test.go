package boards

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// full are the files that between them give every key that a board file can have.
func full(t *testing.T) []File {
	t.Helper()
	var all []File
	for _, n := range []string{"ac-wallbox-cm4", "ac-socket-imx6ull", "ac-post-two-mcu", "dc-cabinet-60kw"} {
		all = append(all, shippedFile(t, n))
	}
	for _, n := range []string{"rest"} {
		data, err := os.ReadFile("testdata/" + n + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, File{n + ".yaml", data})
	}
	return all
}

// tree reads a board file into values.
func tree(t *testing.T, f File) *value {
	t.Helper()
	r := reader{file: f.Name}
	v := r.document(f.Data)
	if v == nil || len(r.findings) > 0 {
		t.Fatalf("%s: %v", f.Name, r.findings)
	}
	return v
}

// leaves calls f with every leaf, and what takes it out of its container.
func leaves(v *value, f func(leaf *value, cut func() (back func()))) {
	for i, c := range v.items {
		if !c.leaf() {
			leaves(c, f)
			continue
		}
		f(c, func() func() {
			names, items := v.names, v.items
			v.names, v.items = slices.Delete(slices.Clone(names), i, i+1), slices.Delete(slices.Clone(items), i, i+1)
			return func() { v.names, v.items = names, items }
		})
	}
}

// meaning is a board without the places of its values.
func meaning(v *value) *Board {
	b := decode(v)
	b.settings, b.places = nil, nil
	return b
}

// A key that is read and changes nothing promises what nobody keeps.
func TestEveryKeyChangesTheBoard(t *testing.T) {
	given, changes := map[string]bool{}, map[string]bool{}
	for _, f := range full(t) {
		v := tree(t, f)
		whole := meaning(v)
		leaves(v, func(leaf *value, cut func() func()) {
			name := keyName(&table, leaf.path)
			given[name] = true
			back := cut()
			defer back()
			if !reflect.DeepEqual(meaning(v), whole) {
				changes[name] = true
			}
		})
	}
	table.each("", func(path string, k *key) {
		leaf := k.kind != kindMap && k.kind != kindDict && k.kind != kindMaps
		if !leaf || path == "schema" || k.in == inProduct || k.kind == kindLine && given[path+".line"] {
			return
		}
		if path == "evses[ID].off" || strings.HasSuffix(path, "].id") { // of later files; the place in a list
			return
		}
		switch {
		case !given[path]:
			t.Errorf("%s: no board of the test has it", path)
		case !changes[path]:
			t.Errorf("%s: a board without it is the same", path)
		}
	})
}

// keyName is the path of a value as each of the table has it.
func keyName(k *key, path string) string {
	name := ""
	table.each("", func(p string, k *key) {
		if pathMatches(p, path) {
			name = p
		}
	})
	return name
}

// pathMatches says whether a value's path is one of the key's: NAME and ID stand for any.
func pathMatches(key, path string) bool {
	for key != "" && path != "" {
		switch {
		case len(key) >= 4 && key[:4] == "NAME":
			key = key[4:]
			for path != "" && path[0] != '.' {
				path = path[1:]
			}
		case len(key) >= 2 && key[:2] == "ID":
			key = key[2:]
			for path != "" && path[0] != ']' {
				path = path[1:]
			}
		case key[0] != path[0]:
			return false
		default:
			key, path = key[1:], path[1:]
		}
	}
	return key == "" && path == ""
}
