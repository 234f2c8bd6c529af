package main

import "path/filepath"

// dialect is what tells the packages apart that are written.
type dialect struct {
	pkg      string   // name of the package
	old, now []string // folders of the schemas below DIR/ocpp; one list where there is one version
	tables   bool     // tables and one codec instead of straight lines: smaller, slower; actions with a feature profile
}

// dialects is every package by its name.
var dialects = map[string]*dialect{
	"msg2":  {pkg: "msg2", old: []string{"2.0.1"}, now: []string{"2.1"}},
	"msg16": {pkg: "msg16", now: []string{"1.6", "1.6-security"}, tables: true},
}

// load reads the schemas and makes one type set of them.
func (d *dialect) load(schemas string) (*model, error) {
	now, err := load(below(schemas, d.now)...)
	if err != nil {
		return nil, err
	}
	if len(d.old) == 0 {
		if err := now.lift(); err != nil {
			return nil, err
		}
		m, err := merge(d, now, now)
		if err != nil {
			return nil, err
		}
		return m, m.tabular()
	}
	old, err := load(below(schemas, d.old)...)
	if err != nil {
		return nil, err
	}
	return merge(d, old, now)
}

func below(schemas string, folders []string) (dirs []string) {
	for _, f := range folders {
		dirs = append(dirs, filepath.Join(schemas, "ocpp", f))
	}
	return dirs
}
