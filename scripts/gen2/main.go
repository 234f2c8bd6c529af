// Command gen2 writes the message types of OCPP 2.x from the JSON schemas of 2.0.1 and 2.1.
//
//	go run ./scripts/gen2 -schemas DIR -out ocpp/msg2
//
// DIR holds ocpp/2.0.1 and ocpp/2.1. The output replaces every zz_*.go in the output folder; the same schemas
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
	schemas := flag.String("schemas", "", "folder with ocpp/2.0.1 and ocpp/2.1")
	out := flag.String("out", "ocpp/msg2", "folder of the generated package")
	flag.Parse()
	if err := run(*schemas, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen2:", err)
		os.Exit(1)
	}
}

func run(schemas, out string) error {
	old, err := load(filepath.Join(schemas, "ocpp", "2.0.1"))
	if err != nil {
		return err
	}
	now, err := load(filepath.Join(schemas, "ocpp", "2.1"))
	if err != nil {
		return err
	}
	m, err := merge(old, now)
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
