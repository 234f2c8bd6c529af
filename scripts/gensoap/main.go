// Command gensoap writes the message tables of OCPP 1.2, 1.5 and 1.6 over SOAP from the WSDLs of the two services.
//
//	go run ./scripts/gensoap -schemas DIR -out ocpp/soap
//
// DIR holds ocpp/soap/{1.2,1.5,1.6} with two WSDLs each. The same WSDLs always give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// versions in the order of soap.Version.
var versions = []string{"1.2", "1.5", "1.6"}

const outFile = "zz_tables.go"

func main() {
	schemas := flag.String("schemas", "", "folder with ocpp/soap")
	out := flag.String("out", "ocpp/soap", "folder of the generated package")
	flag.Parse()
	if err := run(*schemas, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gensoap:", err)
		os.Exit(1)
	}
}

func run(schemas, out string) error {
	t := newTables()
	for _, v := range versions {
		dir := filepath.Join(schemas, "ocpp", "soap", v)
		for _, service := range []string{"CentralSystem", "ChargePoint"} {
			w, err := find(dir, service)
			if err != nil {
				return err
			}
			if err := t.add(v, service, w); err != nil {
				return fmt.Errorf("%s %s: %w", v, service, err)
			}
		}
	}
	text, err := t.source()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, outFile), text, 0o644)
}

// find loads the WSDL of a service, whose file name is spelled differently in every version.
func find(dir, service string) (*wsdl, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.wsdl"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if strings.Contains(strings.ToLower(filepath.Base(f)), strings.ToLower(service)) {
			return load(f)
		}
	}
	return nil, fmt.Errorf("no WSDL of the %s service in %s", service, dir)
}
