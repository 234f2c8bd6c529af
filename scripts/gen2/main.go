// Command gen2 writes message types from the JSON schemas of OCPP: those of 2.0.1 and 2.1 as one package, those of 1.6
// and its security whitepaper as another.
//
//	go run ./scripts/gen2 -schemas DIR -out ocpp/msg2
//	go run ./scripts/gen2 -schemas DIR -out ocpp/msg16
//
// DIR holds ocpp/2.0.1 and so on; the last element of the output folder says which package is meant. The output replaces every zz_*.go in the output folder; the same schemas
// always give the same bytes.
package main

import (
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"sort"
)

func main() {
	schemas := flag.String("schemas", "", "folder with ocpp/2.0.1, ocpp/2.1, ocpp/1.6 and ocpp/1.6-security")
	out := flag.String("out", "ocpp/msg2", "folder of the generated package")
	flag.Parse()
	d := dialects[filepath.Base(*out)]
	if d == nil {
		fmt.Fprintln(os.Stderr, "gen2: no package is called", filepath.Base(*out))
		os.Exit(2)
	}
	if err := d.run(*schemas, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen2:", err)
		os.Exit(1)
	}
}

func (d *dialect) run(schemas, out string) error {
	m, err := d.load(schemas)
	if err != nil {
		return err
	}
	if err := m.name(); err != nil {
		return err
	}
	files := m.files()
	stale, err := filepath.Glob(filepath.Join(out, "zz_*.go"))
	if err != nil {
		return err
	}
	for _, path := range stale {
		if _, keep := files[filepath.Base(path)]; !keep {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return write(out, files)
}

func write(out string, files map[string]string) error {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		text, err := format.Source([]byte(files[name]))
		if err != nil {
			return fmt.Errorf("format %s: %w\n%s", name, err, files[name])
		}
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
